"""The analysis as an application of marimo."""

import marimo

app = marimo.App()


@app.cell
def _():
    from tests.frontends.story import start  # noqa: PLC0415  marimo's cells import

    live = start()
    return (live,)


@app.cell
def _(live):
    live  # noqa: B018  what a cell shows
    return
