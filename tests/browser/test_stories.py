"""The notebooks about many analyses, feedback and streams: all cells run, and their pictures show.

The pages that they leave behind are looked at, too: a card that is scrolled into sight has to have
its last picture, in the colours of its map.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from udfwidgets import demo

from .lab import Lab

pytestmark = pytest.mark.browser

REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = REPOSITORY / "notebooks"

# A picture outside the window is not kept up to date: it is brought into sight before it is judged.
SHOW = "i => document.querySelectorAll('.udfw-canvas')[i].scrollIntoView({block: 'center'})"
FINAL = "i => document.querySelectorAll('.udfw-canvas')[i].dataset.udfwState === 'final'"


@pytest.fixture
def story(lab: Lab) -> Lab:
    """JupyterLab, with the demo scan where the notebooks look for it."""
    demo.make_scan(REPOSITORY / "demo-data", formats=["mib", "hdf5"])
    link = lab.folder / "demo-data"
    if not link.exists():
        link.symlink_to(REPOSITORY / "demo-data", target_is_directory=True)
    return lab


def check_picture(lab: Lab, index: int) -> None:
    """Wait for the last picture of an image, and see that there is something on it."""
    lab.page.evaluate(SHOW, index)
    lab.wait_until(FINAL, arg=index)
    pixels = lab.canvas_pixels(".udfw-canvas", index)[..., :3]
    colours = np.unique(pixels.reshape(-1, 3), axis=0)
    # A map of small counts has a dozen, a picture with nothing on it has two.
    assert len(colours) > 8, f"image {index} shows {len(colours)} colours"


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("notebook", "images"),
    [("cluster.ipynb", 2), ("concurrent.ipynb", 7), ("feedback.ipynb", 7), ("streaming.ipynb", 7)],
)
def test_story_runs_and_shows_pictures(story: Lab, notebook: str, images: int) -> None:
    story.open(NOTEBOOKS / notebook)
    story.run_all(wait=False)
    story.wait_for_run(timeout=200)  # raises for any output that is an error
    for index in range(images):
        check_picture(story, index)
    assert story.page.locator(".udfw-canvas").count() == images
