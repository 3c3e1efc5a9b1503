"""Puts the stubs of LiberTEM's names into a wheel; they are written for each build anew."""

import pkgutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Stubs(BuildHookInterface):
    """Adds the package ``udfwidgets-stubs``, also to what an editable installation installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the files where they are until the wheel is there, and say where they belong."""
        sys.path.insert(0, self.root)
        # The package is not installed yet, and these few modules need nothing but Python.
        stubs = pkgutil.resolve_name("udfwidgets.names.stubs:stubs")
        self._place = tempfile.TemporaryDirectory()
        included = {}
        for path, text in stubs().items():
            file = Path(self._place.name, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
            included[str(file)] = path
        build_data["force_include"].update(included)
        build_data["force_include_editable"].update(included)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the files."""
        self._place.cleanup()
