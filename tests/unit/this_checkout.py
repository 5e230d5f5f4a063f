"""The wizard of this checkout as a process, and the little that it needs of an environment."""

import os
import sys

from lab.inside import CHECKOUT

WIZARD = (sys.executable, "-m", "mailcow_wizard")
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(CHECKOUT),
    "MAILCOW_WIZARD_NAME": "./wizard",
}
