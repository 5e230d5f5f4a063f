"""The wizard, with variations: `unchecked` has no checks; `imported FILE` writes what the first paint needed.

What follows is the wizard's own command line.
"""

import sys
from pathlib import Path

kind = sys.argv.pop(1)
if kind == "unchecked":
    from mailcow_wizard import checks

    checks.TOPICS = ()
else:
    # What is imported when the app asks to be called after its first paint.
    import gc

    file = Path(sys.argv.pop(1))
    freeze = gc.freeze

    def note() -> None:
        """Called by the app right after the first paint."""
        file.write_text("\n".join(sys.modules))
        freeze()

    gc.freeze = note

from mailcow_wizard.__main__ import main  # noqa: E402

main()
