"""Names of LiberTEM's modules: where each is at home here, or what to use instead.

```
stubs        what type checkers read of the names
modules      makes modules of the tables when they are first imported
homes        what is here, under another path | elsewhere   what is not, and what to use instead
absent       what stands for a thing that is not here
backends, coordinates, devices   at home here
```

Nothing of this is loaded before a module is imported, or a name used, that is not in any file.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def further(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module that has names in the tables besides its own.

    Its ``__dir__``, which is what completion looks at, lists these names from then on; of its own
    those in its ``__all__``, where it has one, and the modules below it.
    """
    own = vars(sys.modules[module])

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        # Most processes never come here: the tables are loaded then, and not before.
        return pkgutil.resolve_name("udfwidgets.names.modules:lookup")(module, name)

    def names() -> list[str]:
        for_users = own.get("__all__", own)
        listed = (
            name
            for name, value in own.items()
            if name in for_users or name.startswith("__") or _is_below(value, module)
        )
        return sorted({*listed, *pkgutil.resolve_name("udfwidgets.names.modules:known")(module)})

    own["__dir__"] = names
    return get


def _is_below(value: Any, module: str) -> bool:
    return isinstance(value, ModuleType) and value.__name__.startswith(f"{module}.")
