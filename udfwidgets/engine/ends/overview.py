"""What a run would do, as a table for people: the answer of ``ctx.display``."""

from __future__ import annotations

from html import escape

from udfwidgets.engine.run import Run
from udfwidgets.told.values import printed
from udfwidgets.udf.base import UDF, parameters_of

Table = list[tuple[str, str]]


class Overview:
    """Tells what UDFs would do with a dataset, without doing it.

    It shows as a table in a notebook and as lines of text elsewhere.

    Parameters
    ----------
    run : Run
        Not started, and not going to be.
    """

    def __init__(self, run: Run) -> None:
        self._tables = [_about_data(run), *(_about_udf(udf) for udf in run.udfs)]

    def __repr__(self) -> str:
        width = max(len(name) for table in self._tables for name, _ in table)
        blocks = ("\n".join(f"{n:<{width}}  {v}" for n, v in table) for table in self._tables)
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        return "".join(
            "<table>"
            + "".join(
                f'<tr><th style="text-align: left">{escape(name)}</th>'
                f'<td style="text-align: left">{escape(value)}</td></tr>'
                for name, value in table
            )
            + "</table>"
            for table in self._tables
        )


def _about_data(run: Run) -> Table:
    plan = run.plan
    table = [
        ("dataset", repr(run.dataset)),
        ("scan positions", f"{plan.n_frames} of {plan.shape.nav.size}"),
        *(("note", note) for note in run.dataset.notes),
        ("data", f"{plan.n_frames * plan.frame_bytes / 1e6:.6g} MB"),
        ("tile", f"{plan.tile_depth} frames"),
    ]
    if plan.corrector is not None:
        table.append(("corrected to", str(plan.corrected_dtype)))
    return table


def _about_udf(udf: UDF) -> Table:
    table = [
        ("UDF", type(udf).__name__),
        ("works by", udf.get_method().value),
        ("is handed", str(udf.meta.input_dtype)),
    ]
    table += [(f"parameter {name}", printed(value)) for name, value in parameters_of(udf).items()]
    for name, declaration in udf.declarations.items():
        use = f", {declaration.use.replace('_', ' ')}" if declaration.use else ""
        extra = f", extra shape {declaration.extra_shape}" if declaration.extra_shape else ""
        table.append((f"buffer {name}", f"{declaration.kind} {declaration.dtype}{extra}{use}"))
    return table
