"""Notebooks that are executed, and what is left of their cards where nothing shows widgets."""

from __future__ import annotations

import base64
import io
import re
import time
from pathlib import Path
from queue import Empty

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

from udfwidgets.calibration import Scale
from udfwidgets.live import LiveImage, Picture
from udfwidgets.live.fronts.stills import VIEW, mark
from udfwidgets.live.picture.sheet import LARGEST, LINE, side_by_side

REPOSITORY = Path(__file__).parents[3]
SETUP = """
import numpy as np, ipywidgets as w
from IPython.display import display
from udfwidgets import Context, SumSigUDF, demo
ctx = Context()
# Nothing on the left, much on the right.
data = np.zeros((16, 16, 8, 8), np.float32)
data[:, 8:] = 1
scan = ctx.load("memory", data=data)
def slow():
    return demo.PacedDataSet(ctx.load("memory", data=data), 600)
"""
OTHERS = {
    "box": "w.HBox([ctx.live(slow(), SumSigUDF()), ctx.live(slow(), SumSigUDF())])",
    "plots": "results = ctx.run_udf(dataset=scan, udf=SumSigUDF(), plots=True)",
    "image": "shown = ctx.live(scan, SumSigUDF())\nresults = shown.result()\nshown.images[0]",
    "slider": "display(w.interactive(lambda n: display(ctx.live(slow(), SumSigUDF())), n=(0, 3)))",
    "output": "out = w.Output()\nwith out:\n    display(ctx.live(slow(), SumSigUDF()))\nout",
    "explore": "view = ctx.explore(scan)\nview",
    "closed": "gone = ctx.live(scan, SumSigUDF())\ndisplay(gone)\n"
    "results = gone.result()\ngone.close()",
}
#: The run of the first cell is over long after it.
CELLS = {
    "setup": SETUP,
    "none": "scan",
    "live": "live = ctx.live(slow(), SumSigUDF())\nlive",
    **OTHERS,
    "board": "board = ctx.dashboard()\nboard",
    "wait": "view.wait()\nfor card in board.cards:\n    results = card.result()\n"
    "    assert card.wait_saved(30)",
}


class Executor(NotebookClient):
    """Looks for replies again and again.

    Where a cell has an Output widget, nbclient speaks to the kernel while it waits for the reply,
    and then, on a loaded machine, once in a while does not notice that this has come.
    """

    async def async_start_new_kernel_client(self):
        client = await super().async_start_new_kernel_client()
        channel = client.shell_channel
        get = channel.get_msg

        async def get_msg(timeout=None):
            last = time.monotonic() + (timeout or self.timeout)
            while True:
                try:
                    return await get(timeout=1)
                except Empty:
                    if time.monotonic() > last:
                        raise

        channel.get_msg = get_msg
        return client


@pytest.fixture(scope="module")
def notebook():
    """Return what a tool that executes notebooks makes of them."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    made = nbformat.v4.new_notebook(cells=cells)
    Executor(made, timeout=100, kernel_name="python3").execute()
    return made


def outputs(notebook, cell):
    return notebook.cells[list(CELLS).index(cell)].outputs


def stills(notebook, cell):
    found = [each.data.get("image/png", "") for each in outputs(notebook, cell) if "data" in each]
    return [Image.open(io.BytesIO(base64.b64decode(png))) for png in found if mark() in png]


def test_cell_without_a_card_has_no_picture(notebook):
    assert not stills(notebook, "none")
    assert not stills(notebook, "wait")


@pytest.mark.parametrize("cell", ["live", *OTHERS])
def test_last_picture_is_in_the_outputs(notebook, cell):
    (still,) = stills(notebook, cell)
    rgb = np.asarray(still.convert("RGB"), int).sum(axis=2)
    below = rgb[LINE + 1 :]
    assert below.shape[0] >= 200
    # The scan image, of the last card there is: dark on the left, bright on the right.
    part = below[:, -below.shape[0] :] if cell != "explore" else below
    assert part.max() - part.min() > 300
    assert len(np.unique(rgb[:LINE])) > 4, "no caption"


def test_two_cards_of_a_box_are_on_one_picture(notebook):
    assert stills(notebook, "box")[0].width >= 2 * stills(notebook, "live")[0].width


def test_dashboard_shows_cards_that_came_after_it(notebook):
    (still,) = stills(notebook, "board")
    assert still.width > stills(notebook, "live")[0].width


def test_texts_stay_what_they_were(notebook):
    texts = [
        each.data["text/plain"] for each in outputs(notebook, "live") if "text/plain" in each.data
    ]
    assert texts == ["<LiveAnalysis SumSigUDF>"]
    card, still = outputs(notebook, "live")
    assert VIEW in card.data
    assert still.metadata["image/png"]["alt"] == "SumSigUDF: intensity"
    assert "image/png" not in card.data, "it is in the notebook twice"


@pytest.mark.parametrize("state", [True, False], ids=["with state", "without state"])
def test_html_has_the_picture(notebook, state):
    made = nbformat.from_dict(notebook)
    if not state:
        made.metadata.pop("widgets", None)
    page, _ = HTMLExporter(embed_images=True).from_notebook_node(made)
    assert len(re.findall(f'src="data:image/png;base64,[^"]{{44}}{re.escape(mark())}', page)) >= 8


def test_pages_know_the_pictures_by_the_same_mark():
    css = (REPOSITORY / "js/src/page/live.css").read_text()
    assert set(re.findall(r'src\*="([^"]+)"', css)) == {mark()}
    assert mark() in base64.b64encode(side_by_side([png(4)])).decode()


@pytest.mark.parametrize("n", [1, 2, 24])
def test_pictures_are_small_whatever_is_on_them(n):
    sheet = side_by_side([png(512)] * n, [("noise", "0 to 1")] * n)
    assert len(sheet) < LARGEST
    assert Image.open(io.BytesIO(sheet)).width <= 1040


def test_colours_and_size_are_told_below_a_picture():
    heights = [
        Image.open(io.BytesIO(side_by_side([png(256)], [("sum", told)]))).height
        for told in ("", "0 to 1")
    ]
    assert heights == [256 + LINE, 256 + 2 * LINE]
    image = LiveImage((4, 6), kind="nav")
    image.offer(lambda: Picture(np.arange(24.0).reshape(4, 6), final=True), final=True)
    assert image.wait_saved(10)
    assert image.seen().told == "0.023 to 23"
    image.limits, image.log = (1, 2e6), True
    image.measure_shapes(Scale(0.5, "nm"), Scale(0.5, "nm"))
    assert image.seen().told == "1 to 2e+06, log; 3 nm wide"
    image.close()


def test_long_captions_are_cut():
    sheet = Image.open(
        io.BytesIO(side_by_side([png(200), None], [("a" * 300, "b" * 300), ("brightest: 12", "")]))
    )
    assert sheet.width < 400


def png(side):
    noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()
