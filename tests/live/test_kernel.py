"""In a kernel as a notebook starts it: what no output shows any more does not go on."""

from __future__ import annotations

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """
import threading, numpy as np, ipywidgets as w
from IPython.display import display
from udfwidgets import Context, SumSigUDF, demo
ctx = Context()
data = np.ones((16, 16, 4, 4), np.float32)
def start():
    return ctx.live(demo.PacedDataSet(ctx.load("memory", data=data), 5), SumSigUDF())
def under_way():
    return sum(not run.is_stopping() for run in ctx.analyses)
"""
BOXES = ("w.HBox([start()])", "w.Tab([w.Accordion([start()])])")


class Kernel:
    """Runs cells and moves widgets, as JupyterLab does it."""

    def __init__(self, client):
        self._client = client

    def run(self, cell, code):
        """Return what a cell prints."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        return self._wait_for(self._send("execute_request", content, {"cellId": cell}))

    def move(self, model_id, *values):
        """Set the values of a slider, one right after the other."""
        messages = [
            self._send(
                "comm_msg",
                {"comm_id": model_id, "data": {"method": "update", "state": {"value": value}}},
            )
            for value in values
        ]
        self._wait_for(messages[-1])

    def open(self):
        """Open a comm as a page does."""
        content = {"comm_id": "page", "target_name": "udfwidgets.hub"}
        self._wait_for(
            self._send("comm_open", {**content, "data": {"type": "hello", "page": "page"}})
        )

    def say(self, **message):
        """Return which states of the kernel are told for something that a page says."""
        data = {"type": "said", "page": "page", "messages": [{**message, "page": "page"}]}
        name = self._send("comm_msg", {"comm_id": "page", "data": data})
        content = {"code": "", "silent": True, "store_history": False, "allow_stdin": False}
        after = self._send("execute_request", content)
        states = []
        while (after, "idle") not in states:
            got = self._client.get_iopub_msg(timeout=60)
            state = got["content"].get("execution_state")
            states.append((got["parent_header"].get("msg_id"), state))
        assert (after, "busy") in states
        return [state for of, state in states if of == name and state]

    def leave(self):
        """Close that comm."""
        self._wait_for(self._send("comm_close", {"comm_id": "page", "data": {}}))

    def _send(self, kind, content, metadata=None):
        message = self._client.session.msg(kind, content, metadata=metadata or {})
        self._client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def _wait_for(self, name):
        text = ""
        while True:
            got = self._client.get_iopub_msg(timeout=60)
            if got["parent_header"].get("msg_id") != name:
                continue
            assert got["header"]["msg_type"] != "error", "\n".join(got["content"]["traceback"])
            text += got["content"].get("text", "")
            if got["content"].get("execution_state") == "idle":
                return text.strip()


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel()
    kernel = Kernel(client)
    kernel.run("setup", SETUP)
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("box", BOXES)
def test_cell_that_runs_again_ends_what_its_box_held(kernel, box):
    for _ in range(3):
        kernel.run(box, f"shown = {box}\nshown")
    assert kernel.run("count", "print(under_way())") == "1"
    kernel.run("end", "shown.close()")
    assert kernel.run("count", "print(under_way())") == "0"


def test_quick_slider_leaves_one_analysis(kernel):
    code = "slider = w.IntSlider()\nw.interactive(lambda value: display(start()), value=slider)"
    kernel.run("slider", code)
    kernel.move(kernel.run("name", "print(slider.model_id)"), *range(1, 10))
    assert kernel.run("count", "print(slider.value, under_way())") == "9 1"
    kernel.run("slider", "pass")
    assert kernel.run("count", "print(under_way())") == "0"


def test_page_is_not_told_that_the_kernel_is_busy_with_what_it_says(kernel):
    kernel.run(
        "image", "from udfwidgets.live import LiveImage\nimage = LiveImage((2, 2), kind='nav')"
    )
    want = {"type": "want", "key": kernel.run("key", "print(image._feed.key)"), "view": "visible"}
    kernel.open()
    assert kernel.say(**want) == []
    kernel.leave()
    kernel.run("end", "image.close()")
    # As without us: also of what may be said to nobody.
    assert kernel.say(**want) == ["busy", "idle"]
