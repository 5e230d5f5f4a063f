"""A program: what the checks of the installed mail server find where it runs, beside a Docker that says so.

python -m tests.real.mail_looks DIRECTORY ADDRESS AUTHORITY ID…
"""

import json
import ssl
import sys

from mailcow_wizard.checks.mail import CHECKS
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.network import dialogue
from mailcow_wizard.model import Settings
from tests.real.beside import Beside


def _found(directory: str, address: str, authority: str, *ids: str) -> str:
    context = ssl.create_default_context(cafile=authority)
    dialogue.trusting = lambda: context  # type: ignore[assignment]
    settings = Settings(directory=directory, addresses=(address,), offline=True)
    checks = tuple(one for one in CHECKS if one.id in ids)
    found = Run(checks, Facts(Beside(address=address), settings), lambda event: None).run()
    rows = {" ".join(filter(None, (one.id, one.subject))): (one.status, one.summary) for one in found}
    return json.dumps(rows)


if __name__ == "__main__":
    print(_found(*sys.argv[1:]))
