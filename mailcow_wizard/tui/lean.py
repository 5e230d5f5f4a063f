"""Imports Textual without the parts that no screen of the wizard uses: they take a tenth of the start.

Each name that is imported from a part left out is an empty class, for as long as the import takes; whoever
imports such a part later gets the real one. Where a Textual is built otherwise, it is imported whole.
"""

import sys
from types import ModuleType

# The stock palette (the wizard has its own) brings all widgets; platformdirs says where downloads are kept.
_LEFT_OUT = ("textual.command", "platformdirs")
_TLS = "ssl"


class _StandIn(ModuleType):
    """A module in which every name is an empty class."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {})
        setattr(self, name, made)
        return made


def import_asyncio() -> None:
    """Without TLS, as where Python was built without it: ssl takes 6 ms and 2 MiB, and no screen needs it."""
    if _TLS in sys.modules:
        return
    sys.modules[_TLS] = None  # type: ignore[assignment]
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules[_TLS]


def import_textual() -> None:
    """Imports textual.app, once."""
    if "textual.app" in sys.modules:
        return
    stand_ins = {name: _StandIn(name) for name in _LEFT_OUT if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        import textual.app  # noqa: F401
    except Exception:
        # Half of it would stay, made of stand-ins.
        for name in [name for name in sys.modules if name.partition(".")[0] == "textual"]:
            del sys.modules[name]
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
