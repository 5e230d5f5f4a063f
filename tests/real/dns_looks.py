"""Looks at the DNS of a server in the lab's own internet of names, and what they find."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from lab.inside import CHECKOUT, LabError
from lab.names import Names, internet_of_names


def running() -> Iterator[Names]:
    """The internet of names, for a module's fixture."""
    try:
        with internet_of_names() as world:
            yield world
    except LabError as error:
        pytest.skip(str(error))


def check(names: Names, *words: str, hostname: str = "mail.example.org") -> list[dict[str, Any]]:
    """The findings of a run on the server."""
    program = ["env", f"PYTHONPATH={CHECKOUT}", "HOME=/nonexistent", sys.executable, "-m", "mailcow_wizard"]
    done = names.run([*program, "check", "--json", "--hostname", hostname, *words])
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    return found


def status(found: Sequence[dict[str, Any]]) -> dict[tuple[str, str | None], str]:
    """Statuses by id and subject."""
    return {(one["id"], one["subject"]): one["status"] for one in found}
