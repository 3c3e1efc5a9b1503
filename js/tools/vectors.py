"""Write `js/test/vectors.json`, what both sides must compute alike: python js/tools/vectors.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.live.picture.colour import levels
from udfwidgets.live.picture.quantise import Curve, Encoding
from udfwidgets.live.picture.tint.wheel import tinted

TARGET = Path(__file__).parent.parent / "test" / "vectors.json"


def vectors() -> dict[str, Any]:
    """Return the cases."""
    rng = np.random.default_rng(7)
    spans = {"unit": (0.0, 1.0), "counts": (3.0, 1234.0), "signed": (-2.5, 4.0), "tiny": (0, 1e-9)}
    cases: dict[str, Any] = {"levels": [], "codes": []}
    for name, (lo, hi) in spans.items():
        inside = rng.uniform(lo - 0.1 * (hi - lo), hi + 0.1 * (hi - lo), 40)
        values = [lo, hi, (lo + hi) / 2, *inside.tolist()]
        for log in (False, True):
            for gamma in (1.0, 0.5):
                shown = levels(np.array([*values, np.nan]), (lo, hi), log=log, gamma=gamma)
                cases["levels"].append(
                    {
                        "name": f"{name}{' log' if log else ''}{'' if gamma == 1 else ' gamma'}",
                        "limits": [lo, hi],
                        "log": log,
                        "gamma": gamma,
                        "values": [*values, None],
                        "levels": shown.tolist(),
                    }
                )
        codes = np.array([1, 2, 1000, 32768, 65534, 65535], np.uint16)
        inner = ((lo + hi) / 2, (hi - lo) / 80, lo + 0.4 * (hi - lo), lo + 0.6 * (hi - lo))
        for curve in (None, inner, (0.0, hi / 1000, lo, hi)):
            decoded = Encoding(lo, hi, curve and Curve(*curve)).decode(codes)
            case = {"name": f"{name} {curve}", "lo": lo, "hi": hi, "curve": curve}
            cases["codes"].append({**case, "codes": codes.tolist(), "values": decoded.tolist()})
    return {**cases, "tints": tints(rng)}


def tints(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return pixels with a hue, and pixels with colours of their own."""
    encoding = Encoding(0.0, 1.0)
    codes = encoding.encode(np.array([0.0, 1.0, 0.3, *rng.uniform(-0.1, 1.1, 40), np.nan]))
    turns = np.array([0, 65535, 32768, *rng.integers(0, 65536, 41)], np.uint16)
    cases = []
    for tint in (turns, rng.integers(0, 256, (44, 3)).astype(np.uint8)):
        values, empty = encoding.decode(codes), (1, 2, 3)
        rgb = tinted(values, tint, (0.0, 1.0), "phase", gamma=0.7, empty=empty)
        flat = tint.ravel().tolist()
        cases.append({"codes": codes.tolist(), "tint": flat, "rgb": rgb.tolist()})
    return cases


if __name__ == "__main__":
    TARGET.write_text(json.dumps(vectors()) + "\n", "utf-8")
