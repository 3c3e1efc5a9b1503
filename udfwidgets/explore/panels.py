"""Images, each with the answers that it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from udfwidgets.explore.answer import Answer, Reading
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture.picture import Picture

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
#: What is shown of answers, of whose names and sums it is told.
Shows = Callable[[Mapping[str, Array]], Array]


def only_sum(values: Mapping[str, Array]) -> Array:
    """Return the sum of the one answer there is."""
    (only,) = values.values()
    first: Array = only[0]
    return first


class Panel:
    """One image of a view.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    kind : {'nav', 'sig'}
        Which axes it has.
    title : str
        Above it.
    answers : mapping
        By name: what it is made of.
    shows : callable
        Makes the picture of the values of the answers by name, each (k, *axes).
    """

    def __init__(
        self,
        shape: tuple[int, int],
        kind: Literal["nav", "sig"],
        title: str,
        answers: Mapping[str, Answer],
        shows: Shows,
    ) -> None:
        is_pattern = kind == "sig"
        self.image = LiveImage(
            shape,
            kind=kind,
            title=title,
            colormap="magma" if is_pattern else "viridis",
            log=is_pattern,
        )
        self.fault = ""
        #: Together: a picture may be made at any moment.
        self._made_of = (dict(answers), shows)

    @property
    def answers(self) -> Mapping[str, Answer]:
        """By name: what it is made of."""
        return self._made_of[0]

    def rename(self, name: str, new: str, shows: Shows) -> None:
        """Follow an answer that is called something else, and show what is made of it by then."""
        answers = {new if each == name else each: answer for each, answer in self.answers.items()}
        self._made_of = (answers, shows)

    def depends_on(self, answer: Answer) -> bool:
        """Whether an answer is part of it."""
        return any(each is answer for each in self.answers.values())

    @property
    def why_not(self) -> str:
        """Why it will never be complete, in words; nothing where it is, or may be yet."""
        whys = (f"{name}: {each.why_not}" for name, each in self.answers.items() if each.why_not)
        return self.fault or "\n".join(whys)

    def show(self) -> None:
        """Have the image show the newest answers, when a page is ready for it."""
        final = all(answer.is_final for answer in self.answers.values())
        self.image.offer(self.picture, final=final)

    def picture(self) -> Picture | None:
        """Make a picture, on the hub's thread; none where an answer has nothing yet."""
        answers, shows = self._made_of
        readings = {name: answer.reading() for name, answer in answers.items()}
        known = {name: reading for name, reading in readings.items() if reading is not None}
        if len(known) < len(readings):
            return None  # what is there stays
        all_of_them = list(known.values())
        try:
            values = shows({name: reading.values for name, reading in known.items()})
        except Exception as error:
            self.fault = f"{self.image.title}: {error}"
            return None
        self.fault = ""
        return Picture(
            values.reshape(self.image.shape),
            coverage=np.atleast_2d(_all([reading.coverage for reading in all_of_them])),
            fraction=min(reading.fraction for reading in all_of_them),
            generation=sum(reading.generation for reading in all_of_them),
            final=all(reading.final for reading in all_of_them),
            estimable=_estimable(all_of_them),
        )

    def close(self) -> None:
        """Close the image."""
        self.image.close()


def _estimable(readings: Sequence[Reading]) -> BoolArray | None:
    given = [reading.estimable for reading in readings if reading.estimable is not None]
    # What memory knows needs no estimate, and stands in nobody's way.
    return np.atleast_2d(_all(given)) if given else None


def _all(masks: Sequence[BoolArray]) -> BoolArray:
    return reduce(np.logical_and, masks)
