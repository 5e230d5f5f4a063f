"""What became of a message that was handed in and did not arrive: postfix's own words, in its log."""

from __future__ import annotations

from mailcow_wizard.facts.mail.containers import last_lines
from mailcow_wizard.facts.mail.installed import Installed
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

_QUEUED = pattern(r"\bqueued as ([0-9A-Za-z]{5,40})\b")
_LINES = 400
_LONGEST = 1000
_SAID = pattern(r"relay=([^,]{1,300}), .*\bstatus=(sent|deferred|bounced|expired) \((.*)\)$")
_NOBODY = "none"


class Fate(NamedTuple):
    """`status` is sent, deferred, bounced or expired; `relay` who was asked (empty: nobody was reached), and
    `said` what the answer or trouble was."""

    status: str
    relay: str
    said: str


def fate(facts: Facts, about: Installed, answer: str) -> Fate | None:
    """The last that is told of the message that was taken with this answer; None where nothing is."""
    queued = _QUEUED.search(answer)
    box = next((one for one in about.boxes if one.service == "postfix-mailcow"), None)
    if not queued or box is None:
        return None
    try:
        lines = last_lines(facts, box.id, _LINES, _LONGEST)
    except HostError:
        return None
    return read_fate(lines, queued[1])


def read_fate(lines: tuple[str, ...], queue_id: str) -> Fate | None:
    """The last word on a queue id."""
    for line in reversed(lines):
        if f" {queue_id}: to=<" not in line:
            continue
        said = _SAID.search(line)
        if said:
            relay = said[1].partition("[")[0]
            return Fate(said[2], "" if relay == _NOBODY else relay, said[3])
    return None
