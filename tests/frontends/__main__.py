"""Shows one live analysis in each front end that can run here, and looks at it.

``python -m tests.frontends MOST APPS TOGETHER [NAME ...]``: the Pythons of three environments, as
`make frontends` makes them. Each line says what was seen; pictures of the pages are in
``.cache/frontends``. It fails if anything is not as it should be.
"""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.lab import BROWSER_FLAGS
from tests.frontends.looking import CANVAS, look, told, until
from tests.frontends.serving import environment, free_port, serving, write_notebook
from udfwidgets.live.fronts.stills import mark

PICTURES = Path(".cache/frontends")
HERE = Path(__file__).parent
#: What is a page of Solara, which its package of assets has in an older version.
SOLARA_PAGE = "@widgetti/solara-vuetify3-app@5.2.0"
START = "from tests.frontends.story import start\nlive = start()\nlive"
JUPYTER = (
    "--no-browser", "--allow-root", "--ip=127.0.0.1", "--ServerApp.port_retries=0",
    "--IdentityProvider.token=",
)  # fmt: skip
LAB = (*JUPYTER, "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None")
NOTEBOOK = (*JUPYTER, "--JupyterNotebookApp.expose_app_in_browser=True")
RUN = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
READY = """() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session
  ?.kernel?.status === 'idle'"""


class Fronts:
    """All of them.

    Parameters
    ----------
    browser : Browser
        Looks at their pages.
    most, apps, together : str
        Pythons: of Jupyter's front ends, of marimo and Solara, of jupyter-collaboration.
    """

    def __init__(self, browser: Browser, most: str, apps: str, together: str) -> None:
        self.browser = browser
        self.most, self.apps, self.shared = most, apps, together

    @contextlib.contextmanager
    def page(self, address: str, name: str) -> Iterator[Page]:
        """Have a page open, and keep a picture of it, whatever happens."""
        page = self.browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(90_000)
        try:
            page.goto(address)
            yield page
        finally:
            page.screenshot(path=PICTURES / f"{name}.png")
            page.close()

    @contextlib.contextmanager
    def opened(
        self, name: str, folder: Path, command: list[str], alive: str, at: str
    ) -> Iterator[Page]:
        """Have a server run, and a page of it open: `alive` and `at` are below its address."""
        port = free_port()
        address = f"http://127.0.0.1:{port}/"
        with (
            serving([*command, f"--port={port}"], folder, address + alive),
            self.page(address + at, name) as page,
        ):
            yield page

    def lab(self, folder: Path) -> str:
        """JupyterLab: in a cell, and in the side panel."""
        write_notebook(folder / "live.ipynb", START + ".beside('scan')")
        command = [self.most, "-m", "jupyterlab", *LAB]
        with self.opened("lab", folder, command, "api", "lab/tree/live.ipynb") as page:
            page.wait_for_function(READY)
            page.evaluate(RUN)
            page.locator(f"#jp-right-stack {CANVAS}").wait_for()
            look(page, folder)
        return "the card is in the side panel"

    def notebook(self, folder: Path) -> str:
        """Jupyter Notebook 7."""
        write_notebook(folder / "live.ipynb", START)
        command = [self.most, "-m", "notebook", *NOTEBOOK]
        with self.opened("notebook", folder, command, "api", "notebooks/live.ipynb") as page:
            page.wait_for_function(READY)
            page.evaluate(RUN)
            look(page, folder)
            page.locator(".bqplot").first.wait_for()
        return "with axes"

    def voila(self, folder: Path) -> str:
        """Voila, which executes the notebook for each visitor."""
        write_notebook(folder / "live.ipynb", START)
        command = [self.most, "-m", "voila", "live.ipynb", "--no-browser", "--Voila.ip=127.0.0.1"]
        with self.opened("voila", folder, command, "voila/api/none", "") as page:
            look(page, folder)
            page.locator(".bqplot").first.wait_for()
        return "with axes"

    def marimo(self, folder: Path) -> str:
        """An application of marimo."""
        application = str(HERE / "marimo_app.py")
        command = [
            self.apps, "-m", "marimo", "run", application, "--headless", "--no-token",
            "--host=127.0.0.1",
        ]  # fmt: skip
        with self.opened("marimo", folder, command, "", "") as page:
            look(page, folder)
        return "without axes"

    def solara(self, folder: Path) -> str:
        """An application of Solara."""
        _prepare_solara(Path(self.apps).parents[1], folder)
        application = str(HERE / "solara_app.py")
        command = [
            self.apps, "-m", "solara", "run", application, "--no-open", "--host=127.0.0.1",
            "--production",
        ]  # fmt: skip
        with self.opened("solara", folder, command, "", "") as page:
            look(page, folder)
            page.locator(".bqplot").first.wait_for()
        return "with axes"

    def together(self, folder: Path) -> str:
        """JupyterLab with jupyter-collaboration: two people, one notebook."""
        write_notebook(folder / "live.ipynb", START)
        port = free_port()
        command = [self.shared, "-m", "jupyterlab", *LAB, f"--port={port}"]
        address = f"http://127.0.0.1:{port}/lab/tree/live.ipynb?reset"
        with (
            serving(command, folder, f"http://127.0.0.1:{port}/api"),
            self.page(address, "together-1") as one,
            self.page(address, "together-2") as two,
        ):
            for page in (one, two):
                page.wait_for_function(READY)
            # JupyterLab trusts outputs, and shows their widgets, where the cell has been run.
            one.evaluate(RUN)
            one.locator(CANVAS).first.wait_for()
            two.evaluate(RUN)
            look(two, folder)
            until(
                "the end on the other page",
                lambda: one.locator(CANVAS).first.get_attribute("data-udfw-state") == "final",
            )
        return "what one has cancelled is over for the other, too"

    def tools(self, folder: Path) -> str:
        """Tools that execute notebooks, and those that print them."""
        wait = "results = live.result()"
        run = [self.most, "-m"]
        executed: dict[str, list[str]] = {
            "execute": [*run, "jupyter", "execute", "--inplace", "execute.ipynb"],
            "papermill": [*run, "papermill", "papermill.ipynb", "papermill.ipynb"],
            "convert": [
                *run, "nbconvert", "--to", "notebook", "--execute", "--inplace", "convert.ipynb",
            ],
        }  # fmt: skip
        for name, command in executed.items():
            path = write_notebook(folder / f"{name}.ipynb", START, wait)
            _do(command, folder)
            assert mark() in _pngs(path), f"{name}: no picture in the notebook"
        for kind in ("html", "markdown"):
            _do([*run, "nbconvert", "--to", kind, "execute.ipynb"], folder)
        assert mark() in (folder / "execute.html").read_text()
        image = next(folder.glob("execute_files/*.png")).read_bytes()
        assert mark() in base64.b64encode(image).decode()
        return "the last picture is in all of them"


def _prepare_solara(environment: Path, folder: Path) -> None:
    """Have it find here what it would ask a CDN for: its own page, and the code of the widgets."""
    widgets = {f"{name}/extension": True for name in ("anywidget", "bqplot", "bqscales")}
    config = folder / "jupyter_config_dir/nbconfig/notebook.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"load_extensions": widgets}))
    page = environment / "share/solara/cdn" / SOLARA_PAGE
    if page.exists():
        return
    _do(["npm", "pack", "--silent", SOLARA_PAGE], folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    shutil.move(folder / "package", page)


def _pngs(path: Path) -> str:
    cells = nbformat.read(path, 4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join(output.get("data", {}).get("image/png", "") for output in outputs)


def _do(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def main(most: str, apps: str, together: str, *names: str) -> int:
    """Show it in each, or in those that are named; return how many went wrong."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=BROWSER_FLAGS
        )
        fronts = Fronts(browser, most, apps, together)
        for name in names or ("tools", "lab", "notebook", "voila", "marimo", "solara", "together"):
            show: Callable[[Path], str] = getattr(fronts, name)
            with tempfile.TemporaryDirectory() as folder:
                try:
                    print(f"{name}: {show(Path(folder)) or 'as it should be'}")
                except Exception as error:
                    failed += 1
                    print(
                        f"{name}: FAILED: {error}\n  Python knows {json.dumps(told(Path(folder)))}"
                    )
        browser.close()
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
