"""What was answered, by a file or in an earlier session, and what was chosen for an install. Plain data."""

from __future__ import annotations

from collections.abc import Mapping

from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.engine.acknowledging import Entry

REPOSITORY = "https://github.com/mailcow/mailcow-dockerized"
BRANCH = "master"

KEEP, NEW = "keep", "new"
ADMIN = (KEEP, NEW)
"""What becomes of the administrator's first password: it stays until somebody changes it, or mailcow's own
script makes another one at the end of the install."""


class Allowed(NamedTuple):
    """A fix that may be applied without asking: of a check, of one of its subjects or of any (None)."""

    check: str
    fix: str
    subject: str | None = None


class FirstMailbox(NamedTuple):
    """The mailbox that is made at the end of an install (empty: none), and the file for its password."""

    address: str = ""
    password_file: str = ""


class FarMailbox(NamedTuple):
    """A mailbox elsewhere that a test message is sent to (empty: none), where it is read, and the file that
    holds its password."""

    address: str = ""
    imap: str = ""
    password_file: str = ""


class Choices(NamedTuple):
    """`mtu` is the largest packet of mailcow's network (0: as it is found), `fixes` may be applied before the
    install."""

    repository: str = REPOSITORY
    branch: str = BRANCH
    mtu: int = 0
    fixes: tuple[Allowed, ...] = ()
    admin: str = KEEP
    mailbox: FirstMailbox = FirstMailbox()


class Answers(NamedTuple):
    """What the wizard asked once and keeps: the server's name, its mail domains, the step it was left at; as
    KEY=value what a mailcow.conf is to hold that an install will make."""

    hostname: str = ""
    domains: tuple[str, ...] = ()
    step: str = ""
    conf: tuple[str, ...] = ()


class Given(NamedTuple):
    """What a file answers. `conf` are settings of mailcow.conf as KEY=value, `secrets` those that nobody else
    may read; `accepted` holds today, `over` says what no longer does."""

    answers: Answers = Answers()
    directory: str = ""
    addresses: tuple[str, ...] = ()
    resolver: str = ""
    ntp: tuple[str, ...] = ()
    tsig: str = ""
    dns_server: str = ""
    dns_provider: str = ""
    conf: tuple[str, ...] = ()
    secrets: Mapping[str, str] = {}
    choices: Choices = Choices()
    accepted: tuple[Entry, ...] = ()
    over: tuple[str, ...] = ()
    far: FarMailbox = FarMailbox()

    def __repr__(self) -> str:
        return f"Given({self.answers!r}, …)"
