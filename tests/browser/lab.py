"""A driver for a real JupyterLab: its server, a headless browser, and the notebook in it.

    with Lab(folder) as lab:
        lab.open("story.ipynb")
        lab.run_all()
        lab.wait_until("() => document.querySelector('canvas') !== null")
        pixels = lab.canvas_pixels("canvas")

The server runs with its own empty configuration, on a free port, behind a token. JupyterLab is
asked to put its application object at ``window.jupyterapp``; notebooks are run and saved through
its commands, as a click on a menu would do it. Everything waits for a state of the page, the kernel
or the server; nothing waits for a time.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, sync_playwright

BROWSER_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# The page side of the driver: functions on `window.lab`, put there before any page script runs.
PAGE_FUNCTIONS = """
window.lab = {
  app: () => window.jupyterapp,
  panel: () => window.jupyterapp.shell.currentWidget,
  kernel: () => window.lab.panel()?.context?.sessionContext?.session?.kernel ?? null,
  kernelIs: (status) => !!window.jupyterapp && window.lab.kernel()?.status === status,
  run: (command, args) => window.jupyterapp.commands.execute(command, args),
  cell: (index) => {
    const cell = window.lab.panel().content.widgets.at(index);
    if (!cell) throw new Error(`the notebook has no cell ${index}`);
    return cell;
  },
  output: (index) =>
    [...window.lab.cell(index).outputArea.node.querySelectorAll('.jp-OutputArea-output')]
      .map((output) => output.innerText.trim()).join('\\n'),
  errors: () => window.lab.panel().content.widgets.flatMap((cell, index) => {
    const outputs = cell.model.type === 'code' ? cell.model.outputs.toJSON() : [];
    return outputs.filter((output) => output.output_type === 'error')
      .map((output) => `cell ${index}: ${output.ename}: ${output.evalue}\\n`
        + (output.traceback ?? []).join('\\n').replace(/\\x1b\\[[0-9;]*m/g, ''));
  }),
  execute: async ({code, aside}) => {
    let kernel = window.lab.kernel();
    if (!kernel) throw new Error('the notebook has no kernel');
    let subshell = null;
    if (aside) {
      // A subshell is a thread of the kernel with a queue of its own: it answers while a cell runs.
      const reply = await kernel.requestCreateSubshell({}).done;
      subshell = reply.content.subshell_id;
      kernel = kernel.clone();
      kernel.subshellId = subshell;
    }
    try {
      const future = kernel.requestExecute({code, store_history: false, stop_on_error: false});
      let text = '';
      future.onIOPub = (message) => {
        const content = message.content;
        if (message.header.msg_type === 'stream') text += content.text;
        if (message.header.msg_type === 'execute_result') text += content.data['text/plain'];
      };
      const {content} = await future.done;
      const error = content.status === 'ok' ? null
        : `${content.ename}: ${content.evalue}\\n` + (content.traceback ?? []).join('\\n');
      return {text, error};
    } finally {
      if (aside) {
        await window.lab.kernel().requestDeleteSubshell({subshell_id: subshell}).done;
        kernel.dispose();
      }
    }
  },
  pixels: ({selector, index}) => {
    const canvas = document.querySelectorAll(selector)[index];
    if (!canvas) throw new Error(`no canvas ${index} for ${selector}`);
    const {data, width, height} = canvas.getContext('2d')
      .getImageData(0, 0, canvas.width, canvas.height);
    let binary = '';
    for (let start = 0; start < data.length; start += 0x8000)
      binary += String.fromCharCode(...data.subarray(start, start + 0x8000));
    return {width, height, base64: btoa(binary)};
  },
};
"""


#: anywidget says so of a model that took more than two seconds, as many at once do on a busy
#: machine, and shows it all the same.
SLOW = "[anywidget] Failed to initialize model."


class LabError(RuntimeError):
    """JupyterLab, its server or the kernel did not do what the driver asked for."""


@dataclass(frozen=True)
class Message:
    """One line of the browser's console, or an exception that no script caught."""

    kind: str
    """As the browser names it (``log``, ``warning``, ``error``), or ``pageerror``."""
    text: str


class Lab:
    """A JupyterLab server and a browser page on it, both ended with the ``with`` block.

    Parameters
    ----------
    folder : Path
        An empty folder for the notebooks, the configuration and the server's log.
    settings : mapping, optional
        JupyterLab settings that differ from the defaults: plugin id to its settings, such as
        ``{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}``.
    viewport : tuple of int
        Width and height of the page in CSS pixels.
    scale : float
        Pixels of the screen per CSS pixel.
    timeout : float
        Seconds that any one wait may take.
    kernel : str
        The Python that runs the cells, by default the one that runs this.
    server : str
        The Python whose JupyterLab is started, by default the one that runs this.

    Attributes
    ----------
    page : playwright.sync_api.Page
        The page, for what this class has no method for. Available inside the ``with`` block.
    console : list of Message
        What the browser's console showed since the page was opened, oldest first.
    root : Path
        The folder that JupyterLab shows.
    """

    page: Page
    _browser: BrowserContext

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        viewport: tuple[int, int] = (1600, 1200),
        scale: float = 1,
        timeout: float = 90,
        kernel: str = "",
        server: str = sys.executable,
    ) -> None:
        self.folder = folder
        self.root = folder / "notebooks"
        self.console: list[Message] = []
        self._settings = settings or {}
        self._viewport = viewport
        self._scale = scale
        self._timeout = timeout
        self._kernel = kernel
        self._server = server
        self._token = secrets.token_hex(16)
        self._address = ""
        self._stack = contextlib.ExitStack()

    # ---------------------------------------------------------------- start and end

    def __enter__(self) -> Lab:
        """Start the server and the browser.

        Raises
        ------
        LabError
            If there is no Chromium, or the server ends before it answers.
        """
        with self._stack:
            self._start_server()
            self._start_browser()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the browser, the kernels and the server, in this order."""
        self._stack.close()

    def _start_server(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self._write_settings()
        port = _free_port()
        self._address = f"http://127.0.0.1:{port}"
        log = self._stack.enter_context((self.folder / "server.log").open("wb"))
        server = subprocess.Popen(
            [
                self._server, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={self._token}",
                f"--ServerApp.root_dir={self.root}",
                "--LabApp.expose_app_in_browser=True",
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            cwd=self.root, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._stack.callback(self._stop_server, server)
        deadline = time.monotonic() + self._timeout
        while not self._answers():
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(0.1)
            if server.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"the JupyterLab server did not start:\n{self.server_log()}")

    def _environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
        private = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        folders = {name: str(self.folder / where) for name, where in private.items()}
        path = f"{Path(self._server).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**inherited, **folders, "PATH": path}

    def _write_settings(self) -> None:
        # JupyterLab 4.6 may remove its splash screen twice when the theme is not the default one,
        # which ends in an uncaught error on the page.
        config = {"disabledExtensions": {"@jupyterlab/apputils-extension:splash": True}}
        page_config = self.folder / "config" / "labconfig" / "page_config.json"
        page_config.parent.mkdir(parents=True, exist_ok=True)
        page_config.write_text(json.dumps(config))
        if self._kernel:
            launch = [self._kernel, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            spec = self.folder / "data" / "kernels" / "python3" / "kernel.json"
            spec.parent.mkdir(parents=True, exist_ok=True)
            text = {"argv": launch, "display_name": "Python 3", "language": "python"}
            spec.write_text(json.dumps(text))
        for plugin, values in self._settings.items():
            package, _, name = plugin.partition(":")
            path = self.folder / "settings" / package / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def _answers(self) -> bool:
        try:
            self._request("GET", "/api/status")
        except OSError:  # URLError is one: nobody listens yet
            return False
        return True

    def _request(self, method: str, path: str) -> Any:
        """Ask the server's REST interface; None for an answer without content."""
        request = urllib.request.Request(
            self._address + path, method=method, headers={"Authorization": f"token {self._token}"}
        )
        with urllib.request.urlopen(request, timeout=self._timeout) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def _stop_server(self, server: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._stop_kernels()
            self._request("POST", "/api/shutdown")
            server.wait(10)
        # A kernel that ignores its shutdown is in the server's process group as well.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()

    def _stop_kernels(self) -> None:
        for kernel in self._request("GET", "/api/kernels"):
            self._request("DELETE", f"/api/kernels/{kernel['id']}")

    def _start_browser(self) -> None:
        executable = shutil.which("chromium")
        if executable is None:
            raise LabError("no chromium on PATH: install it (on Debian: apt-get install chromium)")
        playwright = self._stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        self._stack.callback(browser.close)
        width, height = self._viewport
        self._browser = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=self._scale
        )
        self._browser.add_init_script(PAGE_FUNCTIONS)
        self.page = self._new_page()

    def _new_page(self) -> Page:
        page = self._browser.new_page()
        page.set_default_timeout(self._timeout * 1000)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_page_error)
        return page

    def _on_console(self, message: ConsoleMessage) -> None:
        self.console.append(Message(message.type, message.text))

    def _on_page_error(self, error: Error) -> None:
        self.console.append(Message("pageerror", error.stack or str(error)))

    def server_log(self) -> str:
        """Return what the server has printed so far."""
        return (self.folder / "server.log").read_text(errors="replace")

    # ---------------------------------------------------------------- notebooks

    def open(self, notebook: Path | str) -> None:
        """Copy a notebook to the server, show it alone, and wait until its kernel is idle.

        Kernels of notebooks opened before are ended.
        """
        source = Path(notebook)
        target = self.root / source.name
        self._stop_kernels()
        if source.resolve() != target.resolve():
            shutil.copyfile(source, target)
        self.page.goto(f"{self._address}/lab/tree/{source.name}?token={self._token}&reset")
        self._wait_for_notebook()

    def _wait_for_notebook(self) -> None:
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.wait_until("() => window.lab.kernelIs('idle')")
        self.wait_until("() => window.lab.panel().content.widgets.every(cell => cell.model)")

    def save(self) -> None:
        """Save the notebook, with widget state if the settings say so."""
        self.page.evaluate("() => window.lab.run('docmanager:save')")

    def restart_page(self, *, save: bool = True) -> None:
        """Reload the page and wait for the same notebook on the same, still running, kernel.

        Outputs are in the notebook file or nowhere: without saving, the reloaded page shows the
        notebook as it was last saved.
        """
        if save:
            self.save()
        self.page.goto(self.page.url.partition("?")[0])
        self._wait_for_notebook()

    def close_notebook(self) -> None:
        """Close the notebook's tab; its kernel goes on."""
        self.save()
        self.page.evaluate("() => window.lab.panel().dispose()")
        self.wait_until("() => document.querySelector('.jp-NotebookPanel') === null")

    def reopen(self, notebook: Path | str) -> None:
        """Open a notebook whose tab was closed, on the kernel that it had."""
        name = Path(notebook).name
        self.page.evaluate("path => window.lab.run('docmanager:open', {path})", name)
        self._wait_for_notebook()

    @contextlib.contextmanager
    def second_window(self) -> Iterator[None]:
        """Show the same notebook in another window; inside the block all methods are about it."""
        first, self.page = self.page, self._new_page()
        try:
            # A workspace of its own, as JupyterLab gives to a window that is opened by hand,
            # without the notebooks that another test has left in it.
            address = first.url.partition("?")[0].replace("/lab/", "/lab/workspaces/second/", 1)
            self.page.goto(f"{address}?reset")
            self._wait_for_notebook()
            yield
        finally:
            self.page.close()
            self.page = first

    # ---------------------------------------------------------------- cells and code

    def run_all(self, *, wait: bool = True) -> None:
        """Run all cells from the top.

        Parameters
        ----------
        wait : bool
            Whether to wait for the last cell. If not, `wait_for_run` does it later.

        Raises
        ------
        LabError
            When waiting, and a cell ended with an exception; the text holds its traceback.
        """
        self._start_run("notebook:run-all-cells")
        if wait:
            self.wait_for_run()

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run one cell, counted from 0; negative numbers count from the end. As `run_all`."""
        self.page.evaluate(
            "index => { const notebook = window.lab.panel().content;"
            " notebook.activeCellIndex = notebook.widgets.indexOf(window.lab.cell(index)); }",
            index,
        )
        self._start_run("notebook:run-cell")
        if wait:
            self.wait_for_run()

    def _start_run(self, command: str) -> None:
        self.page.evaluate(
            "command => { window.lab.running = true;"
            " window.lab.run(command).finally(() => { window.lab.running = false; }); }",
            command,
        )

    def wait_for_run(self, timeout: float | None = None) -> None:
        """Wait until the cells started last are done, then raise `LabError` if one failed."""
        self.wait_until("() => !window.lab.running && window.lab.kernelIs('idle')", timeout)
        errors = self.page.evaluate("() => window.lab.errors()")
        if errors:
            raise LabError("\n".join(errors))

    def output(self, index: int) -> str:
        """Return the text of a cell's outputs, without the prompts beside them."""
        return str(self.page.evaluate("index => window.lab.output(index)", index))

    def execute(self, code: str, *, aside: bool = False) -> str:
        """Run code in the notebook's kernel, outside of any cell, and return what it printed.

        Parameters
        ----------
        code : str
            Python. The value of a last expression is added to the text, as its repr.
        aside : bool
            Run in a subshell of the kernel, on a thread of its own, which answers while a cell is
            still running. Without it the code waits for its turn behind the cells.

        Raises
        ------
        LabError
            If the code raises; the text holds the traceback.
        """
        result = self.page.evaluate(
            "request => window.lab.execute(request)", {"code": code, "aside": aside}
        )
        if result["error"] is not None:
            raise LabError(result["error"])
        return str(result["text"])

    # ---------------------------------------------------------------- what is on the page

    def wait_until(self, predicate: str, timeout: float | None = None, arg: Any = None) -> None:
        """Wait until a JavaScript function returns something true.

        Parameters
        ----------
        predicate : str
            Source of a function, called with `arg` at each animation frame.
        timeout : float, optional
            Seconds; by default what the class was given.
        arg : optional
            Anything that JSON can carry.
        """
        self.page.wait_for_function(
            predicate, arg=arg, timeout=1000 * (self._timeout if timeout is None else timeout)
        )

    def set_theme(self, name: str) -> None:
        """Switch the colour theme, ``JupyterLab Light`` or ``JupyterLab Dark``."""
        self.page.evaluate("theme => window.lab.run('apputils:change-theme', {theme})", name)
        self.wait_until("name => document.body.dataset.jpThemeName === name", arg=name)

    def screenshot(self, path: Path | str) -> Path:
        """Write what the page shows as PNG, and return the path."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.page.screenshot())
        return path

    def canvas_pixels(self, selector: str, index: int = 0) -> npt.NDArray[np.uint8]:
        """Return the pixels of a canvas with a 2-D context.

        Parameters
        ----------
        selector : str
            CSS selector of the canvas.
        index : int
            Which one, if there are several.

        Returns
        -------
        numpy.ndarray
            uint8 of shape (height, width, 4): red, green, blue, alpha, in device pixels.
        """
        found = self.page.evaluate(
            "request => window.lab.pixels(request)", {"selector": selector, "index": index}
        )
        pixels = np.frombuffer(base64.b64decode(found["base64"]), np.uint8)
        return pixels.reshape(found["height"], found["width"], 4)

    @property
    def page_errors(self) -> list[str]:
        """Exceptions that no script on the page has caught."""
        found = (message.text for message in self.console if message.kind == "pageerror")
        return [text for text in found if SLOW not in text]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
