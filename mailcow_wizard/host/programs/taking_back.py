"""What the programs share that take rules of a firewall back: its command is run, and one line says how it
ended."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from mailcow_wizard.harmless import shown

OK, NOT_DONE, USAGE, NOT_RUN = 0, 1, 64, 127
_PATIENCE_S = 30.0
_LONGEST_SAID = 200


def run(argv: Sequence[str], script: str = "") -> subprocess.CompletedProcess[str]:
    """The command with this on its input, waited for 30 s; NOT_RUN where it could not be run, or did not
    end."""
    try:
        return subprocess.run(
            argv,
            input=script,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(argv, NOT_RUN, "", str(error))


def failed(ended: subprocess.CompletedProcess[str]) -> int:
    """Says why a command failed; the exit code."""
    said = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
    return end(NOT_DONE, f"{ended.args[0]}: {said[0]}")


def end(code: int, said: str) -> int:
    """Says this, if anything; the exit code."""
    if said:
        print(shown(said[:_LONGEST_SAID]))
    return code
