"""The analysis as an application of Solara."""

import solara

from tests.frontends.story import start


@solara.component
def Page() -> None:  # noqa: N802  by this name it is found
    """Show the card, which each visitor has one of: widgets belong to a page of Solara."""
    solara.display(solara.use_memo(start, []))
