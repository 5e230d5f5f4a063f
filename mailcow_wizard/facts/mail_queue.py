"""Mail that waits in a mail server's queue, counted by its own program."""

import re

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import MIB
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import NamedTuple

_WIDEST = 4  # bytes of a character, of which the last may be cut


class Queue(NamedTuple):
    """The messages that wait (`more`: at least so many), the command that lists them, where they lie."""

    number: int
    more: bool
    command: str
    spool: str


def queue(facts: Facts, role: str) -> Queue | None:
    """The queue of a mail server by its role (facts.blockers); None where it cannot be told."""
    asked = {
        "postfix": (_postfix, "postqueue -p", "/var/spool/postfix"),
        "exim": (_exim, "mailq", "/var/spool/exim4"),
        "sendmail": (_sendmail, "mailq", "/var/spool/mqueue"),
        "opensmtpd": (_opensmtpd, "smtpctl show queue", "/var/spool/smtpd"),
    }.get(role)
    if not asked:
        return None
    count, command, spool = asked
    try:
        found = count(facts)
    except HostError:
        return None
    return None if found is None else Queue(*found, command, spool)


def _postfix(facts: Facts) -> tuple[int, bool] | None:
    return _counted(facts, ("postqueue", "-j"))  # one JSON object a line


def _counted(facts: Facts, command: tuple[str, ...]) -> tuple[int, bool] | None:
    """The lines that a command says; of many only the beginning is read."""
    said = facts.host.run(command, most=MIB, begun=True)
    return None if said.code else (said.out.count("\n"), len(said.out) >= MIB - _WIDEST)


def _exim(facts: Facts) -> tuple[int, bool] | None:
    for program in ("exim4", "exim"):
        try:
            said = facts.host.run((program, "-bpc"))
        except HostError:
            continue
        if said.code == 0 and is_number(said.out.strip()):
            return whole(said.out.strip()), False
    return None


def _sendmail(facts: Facts) -> tuple[int, bool] | None:
    said = facts.host.run(("mailq",))
    totals = re.findall(r"Total requests:\s*(\d+)", said.out)
    return (sum(map(whole, totals)), False) if totals else None


def _opensmtpd(facts: Facts) -> tuple[int, bool] | None:
    return _counted(facts, ("smtpctl", "show", "queue"))
