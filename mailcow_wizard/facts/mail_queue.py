"""Mail that waits in a mail server's queue, counted by its own program."""

import re

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import NamedTuple

_MOST_OUTPUT = 1 << 20


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
    """One JSON object a line; a long list is cut by the door."""
    said = facts.host.run(("postqueue", "-j"))
    more = len(said.out) >= _MOST_OUTPUT - 4
    return None if said.code else (said.out.count("\n"), more)


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
    said = facts.host.run(("smtpctl", "show", "queue"))
    return None if said.code else (len(said.out.splitlines()), False)
