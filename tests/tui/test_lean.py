"""What is left out of the import of Textual, and that nothing misses it."""

import subprocess
import sys

LEAN = "from mailcow_wizard.tui import lean\nlean.import_asyncio()\nlean.import_textual()\n"


def _python(code: str) -> str:
    """Runs code in a Python of its own: imports are for ever."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_what_no_screen_uses_is_not_imported() -> None:
    unwanted = "{'textual.command', 'textual.widgets._option_list', 'platformdirs', 'ssl'}"
    code = f"import sys\nprint(sorted({unwanted} & sys.modules.keys()))"
    assert _python(f"{LEAN}import mailcow_wizard.tui.app\n{code}") == "[]"


def test_who_wants_it_later_gets_the_real_one() -> None:
    code = "import ssl, platformdirs, textual.types\nfrom textual.command import CommandPalette"
    said = "print(CommandPalette.__mro__[1].__name__, platformdirs.user_downloads_path() is not None)"
    assert _python(f"{LEAN}{code}\n{said}") == "SystemModalScreen True"


def test_a_textual_that_is_built_otherwise_is_imported_whole() -> None:
    breaks = "lean._LEFT_OUT = ('textual.widget', 'textual.geometry')"
    code = f"from mailcow_wizard.tui import lean\n{breaks}\nlean.import_textual()\n"
    said = "from textual.app import App, Widget\nprint(Widget.__module__, App.__name__)"
    assert _python(f"{code}{said}") == "textual.widget App"


def test_what_was_imported_before_stays() -> None:
    code = f"import sys, textual.app, textual.command\nbefore = sys.modules['textual.command']\n{LEAN}"
    assert _python(f"{code}print(sys.modules['textual.command'] is before)") == "True"
