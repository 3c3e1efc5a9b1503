"""What is seen of the analysis on a page, and what a hand does with it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

CANVAS, STATUS = ".udfw-canvas", ".udfw-status"
PATIENCE = 90
PIXELS = """canvas => {
  const {data, width, height} = canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let i = 0; i < data.length; i += 0x8000)
    text += String.fromCharCode(...data.subarray(i, i + 0x8000));
  return {width, height, data: btoa(text)};
}"""


def until(what: str, look: Callable[[], Any]) -> Any:
    """Wait until there is something true, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not seen: {what}")
        time.sleep(0.1)
    return found


def told(folder: Path) -> dict[str, Any]:
    """Return what Python knows."""
    path = folder / "story.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def pixels(page: Page) -> Any:
    """Return what is on the canvas: (height, width, 3)."""
    found = page.locator(CANVAS).first.evaluate(PIXELS)
    flat = np.frombuffer(base64.b64decode(found["data"]), np.uint8)
    return flat.reshape(found["height"], found["width"], 4)[:, :, :3]


def becomes_brighter(image: Any) -> bool:
    """Whether a picture does so to the right, as the scan does."""
    n = image.shape[1] // 8 * 8
    columns = image[:, :n].astype(float).sum(axis=(0, 2)).reshape(8, -1).mean(axis=1)
    return bool(n and np.diff(columns).min() > 0)


def attribute(page: Page, name: str) -> str:
    """Return one of what the canvas says of itself."""
    return str(page.locator(CANVAS).first.get_attribute(f"data-udfw-{name}"))


def look(page: Page, folder: Path) -> None:
    """See pictures form, change their contrast, and stop the run with its button."""
    page.locator(CANVAS).first.wait_for(timeout=1000 * PATIENCE)
    page.locator(CANVAS).first.scroll_into_view_if_needed()
    early = until("a picture", lambda: float(attribute(page, "fraction")) > 0.1)
    assert early
    painted = int(attribute(page, "painted"))
    until("more pictures", lambda: int(attribute(page, "painted")) > painted + 5)
    page.locator(f"{STATUS} .udfw-cancel").first.click()
    until("that it is cancelled", lambda: told(folder).get("state") == "cancelled")
    until("the end", lambda: attribute(page, "state") == "final")
    shown = pixels(page)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 20, "the picture is blank"
    box = page.locator(CANVAS).first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # its buttons appear
    page.locator(".udfw-view button[aria-label*='log' i]").first.click()
    until("the other scale in Python", lambda: told(folder)["log"])
    until("the other scale", lambda: (pixels(page) != shown).any())
