"""Which files of a checkout hold secrets and which are mailcow's own, by the real git."""

import os
from pathlib import Path

import pytest
from lab.inside import needs
from lab.skip import or_skip

from tests.real.config_place import GIT, Mailcow, origin, run

pytestmark = [pytest.mark.real, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]


@pytest.fixture
def mailcow(tmp_path: Path) -> Mailcow:
    """A clone in which nothing is wrong."""
    with or_skip():
        needs("git")
    return Mailcow.cloned(origin(tmp_path / "origin"), tmp_path / "mailcow")


def test_what_everybody_can_clone_is_no_secret(mailcow: Mailcow) -> None:
    template, backup = (mailcow.directory / f"mailcow.conf{end}" for end in (".rest", "_backup"))
    template.write_text("SOGO_URL_ENCRYPTION_KEY=@KEY@\n")
    template.chmod(0o644)
    assert mailcow.check("permissions")["status"] == "fail", "nobody knows yet that it is mailcow's"
    run([*GIT, "add", "--force", template.name], mailcow.directory)
    assert mailcow.check("permissions")["status"] == "fail", "this machine's own, though git has it"
    run([*GIT, "commit", "-q", "-m", "a template"], mailcow.directory)
    assert mailcow.check("permissions")["status"] == "pass"
    assert mailcow.check("checkout")["status"] == "pass"
    backup.write_text("DBPASS=x\n")
    backup.chmod(0o644)
    finding = mailcow.check("permissions")
    assert finding["status"] == "fail"
    assert template.name not in finding["summary"]
    assert mailcow.mended("permissions", "conf-mode")["status"] == "pass"
    assert template.stat().st_mode & 0o777 == 0o644, "the containers are to read it"
    template.write_text("DBPASS=mine\n")
    assert mailcow.check("permissions")["status"] == "fail"
    template.chmod(0o666)
    assert mailcow.check("permissions")["status"] == "fail"


def test_passwords_in_place_of_the_env_link_are_opened_to_nobody(mailcow: Mailcow) -> None:
    link = mailcow.directory / ".env"
    link.unlink()
    link.write_bytes((mailcow.directory / "mailcow.conf").read_bytes())
    link.chmod(0o600)
    finding = mailcow.check("checkout")
    assert (finding["status"], finding["fixes"]) == ("pass", []), finding
    closed = mailcow.directory / "data/conf/nginx/site.conf"
    closed.chmod(0o600)
    assert mailcow.check("checkout")["summary"].endswith("site.conf")
    assert mailcow.mended("checkout", "chmod-tracked")["status"] == "pass"
    assert closed.stat().st_mode & 0o777 == 0o604
    assert link.stat().st_mode & 0o777 == 0o600
