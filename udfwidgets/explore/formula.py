"""Arithmetic of detectors, as a person writes it: ``(A - B) / (A + B)``."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
#: The centre of mass of what a detector lets through, in pixels of the pattern.
MOMENTS = ("com_y", "com_x")
LONGEST = 500


@dataclass(frozen=True)
class Formula:
    """Numbers, names of detectors, ``+ - * /`` and parentheses; ``com_y(A)`` and ``com_x(A)``.

    Parameters
    ----------
    text : str
        As written.

    Raises
    ------
    ValueError
        If it is anything else.
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or len(self.text) > LONGEST:
            raise ValueError(f"a formula is {self.text!r:.80}, expected up to {LONGEST} characters")
        try:
            _walk(self._tree(), {}, _Named())
        except SyntaxError as error:
            raise ValueError(f"formula {self.text!r}: {error.msg}; {_EXPECTED}") from error
        if not self.names:
            raise ValueError(f"formula {self.text!r} names no detector; {_EXPECTED}")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the detectors in it."""
        named = _Named()
        _walk(self._tree(), {}, named)
        return tuple(dict.fromkeys([*named.sums, *named.moments]))

    @property
    def of_moments(self) -> frozenset[str]:
        """Names of the detectors whose centre of mass is in it."""
        named = _Named()
        _walk(self._tree(), {}, named)
        return frozenset(named.moments)

    @property
    def is_difference(self) -> bool:
        """Whether something is subtracted in it, so that zero is the middle of what it gives."""
        signs = (ast.Sub, ast.USub)
        return any(isinstance(node, signs) for node in ast.walk(self._tree()))

    def renamed(self, name: str, new: str) -> Formula:
        """Return the formula with a detector called something else, which `can_stand` in it."""
        # What is before a parenthesis is no detector.
        alone = rf"(?<!\w){re.escape(name)}(?!\w)(?!\s*\()"
        return Formula(re.sub(alone, new, self.text))

    def value(self, sums: Mapping[str, Array]) -> Array:
        """Compute it, position by position.

        Parameters
        ----------
        sums : mapping
            By name of the detector an array (k, *nav): the sum, and where the centre of mass is
            asked for the sums weighted with y and with x.

        Returns
        -------
        numpy.ndarray
            float64, of nav shape; NaN and inf where it divides by zero.
        """
        with np.errstate(all="ignore"):
            result: Array = np.asarray(_walk(self._tree(), sums, _Named()), np.float64)
        return result

    def _tree(self) -> ast.expr:
        return ast.parse(self.text.strip(), mode="eval").body


def can_stand(name: str) -> bool:
    """Return whether a detector that is called so can be named in a formula."""
    try:
        return Formula(name).names == (name,)
    except ValueError:
        return False


_EXPECTED = "expected names of detectors, numbers, + - * / ( ), com_y(A), com_x(A)"


class _Named:
    """Which detectors a formula names."""

    def __init__(self) -> None:
        self.sums: list[str] = []
        self.moments: list[str] = []


def _walk(node: ast.expr, sums: Mapping[str, Array], named: _Named) -> Any:
    """Compute a part of a formula; without any sums, only collect the names."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id=name):
            named.sums.append(name)
            return sums[name][0] if sums else 1.0
        case ast.Call(func=ast.Name(id=which), args=[ast.Name(id=name)], keywords=[]) if (
            which in MOMENTS
        ):
            named.moments.append(name)
            place = 1 + MOMENTS.index(which)
            return sums[name][place] / sums[name][0] if sums else 1.0
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            a, b = _walk(left, sums, named), _walk(right, sums, named)
            return _BINARY[type(op)](a, b) if sums else 1.0
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_walk(operand, sums, named))
    raise SyntaxError(f"{ast.unparse(node)!r} cannot stand in a formula")
