"""A postfix that stays for the machine's own mail: what is local before stays local."""

from collections.abc import Iterator

import pytest
from lab.inside import wait_until
from lab.machine import Machine

from tests.real.mending import Mender
from tests.real.units import mending_on, running

pytestmark = pytest.mark.real

_OUTSIDE = "someone@example.com"


@pytest.fixture
def mender(booted: Machine) -> Iterator[Mender]:
    """Fixes on the machine."""
    with mending_on(booted) as found:
        yield found


@pytest.mark.parametrize("here", ["mail.example.org, localhost", "$myhostname, localhost", None])
def test_aliases_hold_after_the_name_changed(booted: Machine, mender: Mender, here: str | None) -> None:
    """Mail of cron for root goes where the alias says, whichever way main.cf says what is local, also under
    the name that the machine had."""
    booted.write("/etc/aliases", f"root: {_OUTSIDE}\n")
    booted.run(["newaliases"], check=True)
    booted.write("/srv/mailcow/mailcow.conf", "MAILCOW_HOSTNAME=mail.example.org\n")
    main = booted.run(["cat", "/etc/postfix/main.cf"]).stdout
    booted.run(["postconf", "-e", "myhostname=mail.example.org"], check=True)
    if here is None:
        booted.run(["postconf", "-X", "mydestination"], check=True)
    else:
        booted.run(["postconf", "-e", f"mydestination={here}"], check=True)
    before = booted.run(["cat", "/etc/postfix/main.cf"]).stdout
    try:
        with running(booted, "postfix.service"):
            change = mender.apply("ports.smtp", "loopback-mta")["change"]
            for address in ("root", "root@mail.example.org"):
                booted.run(["sh", "-c", f"echo hello | sendmail {address}"], check=True)
                assert wait_until(lambda: _OUTSIDE in booted.run(["postqueue", "-j"]).stdout, 30), address
                booted.run(["postsuper", "-d", "ALL"], check=True)
            mender.undo(change)
            assert booted.run(["cat", "/etc/postfix/main.cf"]).stdout == before
    finally:
        booted.run(["postsuper", "-d", "ALL"])
        booted.write("/etc/postfix/main.cf", main)


def test_a_postfix_without_mail_of_its_own_gets_none(booted: Machine, mender: Mender) -> None:
    """Where nothing but localhost is local, that stays so."""
    booted.write("/srv/mailcow/mailcow.conf", "MAILCOW_HOSTNAME=mail.example.org\n")
    main = booted.run(["cat", "/etc/postfix/main.cf"]).stdout
    booted.run(["postconf", "-e", "myhostname=mail.example.org", "mydestination=localhost"], check=True)
    try:
        with running(booted, "postfix.service"):
            change = mender.apply("ports.smtp", "loopback-mta")["change"]
            assert booted.run(["postconf", "-h", "mydestination"]).stdout.strip() == "localhost"
            mender.undo(change)
    finally:
        booted.write("/etc/postfix/main.cf", main)
