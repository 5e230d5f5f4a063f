"""Mailcow's directory, the wizard in a network of its own, and a checkout whose first start is done."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from lab.cache import made_once
from lab.inside import CHECKOUT, Inside

from tests.real.launcher import assert_version, copy_checkout, start
from tests.real.one_file import build
from tests.real.ports import WIZARD, Wizard


@pytest.fixture
def mailcow(tmp_path: Path) -> Path:
    """Mailcow's directory, without a mailcow.conf."""
    directory = tmp_path / "mailcow"
    directory.mkdir()
    return directory


@pytest.fixture
def wizard(network: Inside, mailcow: Path, tmp_path: Path) -> Wizard:
    """The wizard of this checkout in the network."""
    state = ("--state-dir", str(tmp_path / "state"))

    def run(*arguments: str, before: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        return network.run([*before, *WIZARD, *arguments, *state], env={"PYTHONPATH": str(CHECKOUT)})

    return Wizard(run, str(mailcow))


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose first start is done; a test that damages it lets the launcher mend it."""
    checkout = copy_checkout(tmp_path_factory.mktemp("ready") / "mailcow-wizard")
    began = time.monotonic()
    done = start(checkout, "--version")
    assert_version(done)
    assert done.stderr.splitlines()[-1] == "Setting up (once, about half a minute)…"
    print(f"first start on this machine: {time.monotonic() - began:.1f} s")
    return checkout


@pytest.fixture(scope="session")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one-file build of this checkout, made once for all workers; nobody changes it. With an umask that
    lets everybody write: what it is made with must not matter."""
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "one-file"
    with made_once(place) as part:
        if part:
            build(part / "mailcow-wizard.pyz", 0)
    return place / "mailcow-wizard.pyz"
