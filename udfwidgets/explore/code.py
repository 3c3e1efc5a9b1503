"""The lines that reproduce the answers of a view, without it."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Mapping

from udfwidgets.explore.formula import MOMENTS, Formula
from udfwidgets.geometry import Figure

_HEAD = """import numpy as np

from udfwidgets.geometry import {kinds}
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.sum import SumUDF

ny, nx = dataset.shape.sig
y, x = np.indices((ny, nx))
"""
_DETECTOR = """
{name} = {shape!r}.mask((ny, nx)).astype(np.float64)
{name}_sums = ctx.run_udf(
    dataset=dataset,
    udf=ApplyMasksUDF([lambda: {name}{moments}], mask_count={count}, mask_dtype=np.float64),{roi}
)["intensity"].data
"""
_MOMENTS = ", lambda: {name} * y, lambda: {name} * x"
_REGION = """
{name} = {shape!r}.mask({scan}).reshape(dataset.shape.nav)
{name}_pattern = ctx.run_udf(
    dataset=dataset, udf=SumUDF(dtype=np.float64), roi={name}
)["intensity"].data
"""


def code_of(
    detectors: Mapping[str, Figure],
    formulas: Mapping[str, Formula],
    patterns: Mapping[str, Figure],
    scan: tuple[int, int],
    roi: bool = False,
) -> str:
    """Return Python lines for a `ctx` and a `dataset` that are there.

    Parameters
    ----------
    detectors, patterns : mapping
        Shapes by name, on the pattern and on the scan.
    formulas : mapping
        By title.
    scan : tuple of int
        How the scan is shown.
    roi : bool
        Whether a `roi` limits what detectors are asked for.
    """
    names = _identifiers([*detectors, *formulas, *patterns])
    kinds = {type(s).__name__ for s in (*detectors.values(), *patterns.values())}
    with_moments = {n for formula in formulas.values() for n in formula.of_moments}
    parts = [_HEAD.format(kinds=", ".join(sorted(kinds)) or "Disk")]
    for name, shape in detectors.items():
        has = name in with_moments
        parts.append(
            _DETECTOR.format(
                name=names[name],
                shape=shape,
                moments=_MOMENTS.format(name=names[name]) if has else "",
                count=3 if has else 1,
                roi="\n    roi=roi," if roi else "",
            )
        )
        parts.append(f"{names[name]}_image = {names[name]}_sums[..., 0]\n")
    if formulas:
        parts.append('\nwith np.errstate(all="ignore"):  # where nothing is detected\n')
    for title, formula in formulas.items():
        parts.append(f"    {names[title]}_image = {_spelled(formula, names)}\n")
    for name, shape in patterns.items():
        parts.append(_REGION.format(name=names[name], shape=shape, scan=scan))
    return "".join(parts)


class _Spelling(ast.NodeTransformer):
    """Puts arrays in the place of the names of detectors."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _expression(f"{self._names[node.id]}_image")

    def visit_Call(self, node: ast.Call) -> ast.expr:
        which, name = ast.unparse(node.func), ast.unparse(node.args[0])
        sums = f"{self._names[name]}_sums"
        return _expression(f"{sums}[..., {1 + MOMENTS.index(which)}] / {sums}[..., 0]")


def _spelled(formula: Formula, names: Mapping[str, str]) -> str:
    return ast.unparse(_Spelling(names).visit(_expression(formula.text)))


def _expression(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def _identifiers(names: Iterable[str]) -> dict[str, str]:
    """Return for each name one that Python takes, all different."""
    made: dict[str, str] = {}
    for name in names:
        base = re.sub(r"\W+", "_", name).strip("_").lower() or "shape"
        if base[0].isdigit() or keyword.iskeyword(base) or base in _TAKEN:
            base = f"s_{base}"
        found, number = base, 2
        while found in made.values():
            found, number = f"{base}_{number}", number + 1
        made[name] = found
    return made


_TAKEN = frozenset({"np", "ctx", "dataset", "roi", "x", "y", "nx", "ny"})
