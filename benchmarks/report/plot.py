"""The picture of the results, as SVG that is legible on light and on dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.contenders import LIMIT, OURS
from benchmarks.measure.throughput import best_libertem, named
from benchmarks.report.bars import speed_ratio
from benchmarks.report.tables import best_of_others, speed

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 860, 262, 110, 62, 46, 11
# Chosen for a contrast of at least three to one with white as well as with near-black.
INK, RULE = "#7d8590", "#7d859055"
OUR_COLOUR, LIBERTEM_COLOUR, OTHER_COLOUR = "#2f81f7", "#db6d28", "#8b949e"


def write_plot(path: Path, results: dict[str, Any]) -> None:
    """Write a chart of speeds as parts of the limit; nothing without throughput."""
    rows = [row for row in results["throughput"].values() if named(row["seconds"], LIMIT)]
    if rows:
        path.write_text(_chart(rows))


def _chart(rows: list[dict[str, Any]]) -> str:
    height = TOP + ROW * len(rows) + 34
    highest = max(1.0, *(r for row in rows for _, r, _ in _bars(row)))
    scale = (WIDTH - LEFT - RIGHT) / highest
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="system-ui, -apple-system, Segoe UI, '
        f'Helvetica, Arial, sans-serif" font-size="13" fill="{INK}">',
        "<title>Throughput as a part of the machine's limit</title>",
        *_legend(),
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = LEFT + tick * scale
        dash = "" if tick in (0.0, 1.0) else ' stroke-dasharray="2 4"'
        colour = INK if tick == 1.0 else RULE
        bottom = TOP + ROW * len(rows)
        parts.append(f'<path d="M{x:.1f} {TOP - 8}V{bottom}" stroke="{colour}"{dash}/>')
        text = "limit" if tick == 1.0 else f"{tick:.0%}"
        parts.append(_text(x, bottom + 18, text, "middle"))
    for i, row in enumerate(rows):
        y = TOP + i * ROW
        parts.append(_text(LEFT - 12, y + 1.5 * BAR + 4, row["title"], "end"))
        limit = f"{speed(row, LIMIT):.1f} GB/s"
        parts.append(_text(WIDTH - 8, y + 1.5 * BAR + 4, limit, "end", 10.5))
        for j, (colour, ratio, label) in enumerate(_bars(row)):
            top, width = y + j * BAR, max(ratio * scale, 1)
            parts.append(
                f'<rect x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR - 2}" rx="2" '
                f'fill="{colour}"/>'
            )
            parts.append(_text(LEFT + width + 5, top + BAR - 2, label, "start", 10.5))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bars(row: dict[str, Any]) -> list[tuple[str, float, str]]:
    """Return colour, part of the limit and text of each bar."""
    limit = speed(row, LIMIT) or 1.0
    best, other = best_libertem(row["seconds"]), best_of_others(row)
    found = []
    for label, colour in ((OURS, OUR_COLOUR), (best, LIBERTEM_COLOUR), (other, OTHER_COLOUR)):
        value = None if label is None else speed(row, label)
        if value is not None:
            ratio = speed_ratio(row, LIMIT) if label == OURS else None
            name = f" {label}" if label == other else ""
            text = f"{value:.1f} GB/s{name}"
            found.append((colour, value / limit if ratio is None else ratio, text))
    return found


def _legend() -> list[str]:
    entries = (
        (OUR_COLOUR, OURS),
        (LIBERTEM_COLOUR, "LiberTEM, its best executor"),
        (OTHER_COLOUR, "best of the other peers"),
    )
    parts = [
        _text(LEFT, 16, "Part of what the best loop reaches", "start", 15),
        _text(WIDTH - 8, TOP - 23, "limit", "end", 10.5),
    ]
    x = float(LEFT)
    for colour, name in entries:
        parts.append(f'<rect x="{x}" y="29" width="11" height="11" rx="2" fill="{colour}"/>')
        parts.append(_text(x + 16, 39, name, "start"))
        x += 40 + 7 * len(name)
    return parts


def _text(x: float, y: float, text: str, anchor: str, size: float = 13) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(text)}</text>"
    )
