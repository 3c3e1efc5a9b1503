"""What type checkers read of the names: a stub file for each module that has some.

They look for files, and most of these modules have none; in those that have one, the names are
looked up while the program runs. A stub says the same in words that they know: a name is imported
from its home, and one that is not here is a class that is marked as deprecated, with what to do
instead. It replaces a file altogether, so it repeats what stands there.
"""

from __future__ import annotations

from pathlib import Path

from udfwidgets.names.modules import known, modules

_PACKAGE = Path(__file__).parents[1]
_HEAD = '"""Names of LiberTEM that are at home elsewhere; see docs/migrating.md."""\n'
_IMPORTS = "from typing import final\n\nfrom typing_extensions import deprecated\n"


def stubs() -> dict[str, str]:
    """Return the text of each file of the package ``udfwidgets-stubs``, by its path.

    Returns
    -------
    dict of str to str
        Such as ``'udfwidgets-stubs/common/shape.pyi'``.
    """
    # The package completes another one: what it does not have is looked up there.
    files = {"udfwidgets-stubs/py.typed": "partial\n"}
    named = {"udfwidgets", *modules()}
    packages = {module.rpartition(".")[0] for module in named}
    for module in sorted(named):
        real = _file(module)
        if real is None or module in packages or "__getattr__ = further(" in real:
            within = module.replace("udfwidgets", "udfwidgets-stubs", 1).replace(".", "/")
            path = within + ("/__init__.pyi" if module in packages else ".pyi")
            files[path] = (_HEAD if real is None else real) + _names(module, real or "")
    return files


def _file(module: str) -> str | None:
    """Return what stands in the file of a module, or None where it has no file."""
    place = _PACKAGE.joinpath(*module.split(".")[1:])
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path.read_text("utf-8")
    return None


def _names(module: str, real: str) -> str:
    if real and "__getattr__ = further(" not in real:
        return ""
    names = known(module)
    lines = [_line(module, name, *names[name]) for name in sorted(names)]
    return "\n" + _IMPORTS + "\n" + "".join(lines) if lines else ""


def _line(module: str, name: str, kind: str, where: str) -> str:
    if kind == "home":
        home, _, other = where.partition(":")
        if home == module:
            return f"{name} = {other}\n"
        if name == other:
            return f"from {home} import {name} as {name}\n"
        # An import under another name is taken for one of the module's own use.
        return f"from {home} import {other} as _{name}\n\n{name} = _{name}\n"
    if name.endswith(("Error", "Warning")):
        return f"class {name}(Exception): ...\n"
    return f"@final\n@deprecated({f'{name} is not here: {where}'!r})\nclass {name}: ...\n"
