"""Judge of the test messages: one came in through port 25, one went out and reached a server elsewhere."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.mail.trips import FAR, FAR_IMAP, FAR_PASSWORD, MAILBOX, PASSWORD, Trips, trips
from mailcow_wizard.host.conversation import Tripped
from mailcow_wizard.model import Check, Evidence, Judgement

_HOW = (
    "Where there is no mailbox yet: `./wizard verify --first-mailbox me@example.org` makes and tries one.",
    f"To try it with another, made in mailcow's web interface, run: {MAILBOX}=test@example.org "
    f"{PASSWORD}_FILE=/root/test-password mailcow-wizard verify (the file holds the password, and root alone "
    "may read it).",
)
_HOW_FAR = (
    f"To try the way out, also name a mailbox at another provider: {FAR}=me@example.net "
    f"{FAR_IMAP}=imap.example.net {FAR_PASSWORD}_FILE=/root/far-password.",
)
_LOGS = "See mailcow's logs: `docker compose logs --tail 50 postfix-mailcow rspamd-mailcow dovecot-mailcow`."
_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*(\w+)", re.IGNORECASE)
_SHOWN = 160


def judge_round_trip(found: Trips) -> Judgement:
    """Both ways were gone to their end."""
    if found.about.skip:
        return skipped(found.about.skip)
    if found.inward is None:
        return Judgement(
            "unknown",
            f"no test message was sent: {' and '.join(found.lacking)} not set",
            "",
            remedies=(*_HOW, *_HOW_FAR),
            certainty="untested",
        )
    troubles = [one for one in (_inward(found.inward, found.mailbox), _outward(found)) if one]
    evidence = tuple(_evidence(found))
    if troubles:
        return judged(troubles, evidence, _came(found))
    return Judgement("pass", _came(found), _came(found), evidence)


def _came(found: Trips) -> str:
    """What did arrive."""
    parts = []
    if found.inward and found.inward.stage == "done":
        parts.append(f"a message through port 25 was in the mailbox after {found.inward.seconds:.0f} s")
    if found.outward and found.outward.stage == "done":
        results = ", ".join(f"{name}={word}" for name, word in _results(found.outward).items())
        seen = f" ({results})" if results else ""
        parts.append(f"one sent out reached {found.far} after {found.outward.seconds:.0f} s{seen}")
    return ", and ".join(parts)


def _inward(trip: Tripped, mailbox: str) -> Trouble | None:
    if trip.stage == "done":
        if trip.folder != "INBOX":
            return Trouble(
                "warn", f"the message through port 25 went to the folder {trip.folder}, as spam", (_LOGS,)
            )
        return None
    return _ended(trip, "the message through port 25", mailbox)


def _outward(found: Trips) -> Trouble | None:
    trip = found.outward
    if trip is None:
        words = f"the way out was not tried: {', '.join(found.lacking_far)} not set"
        came = _came(found)
        return Trouble("unknown", f"{came}; {words}" if came else words, _HOW_FAR)
    if trip.stage != "done":
        return _ended(trip, f"the message to {found.far}", found.far)
    results = _results(trip)
    bad = [f"{name}={word}" for name, word in results.items() if word not in ("pass", "bestguesspass")]
    if bad:
        return Trouble(
            "warn",
            f"the message reached {found.far}, where they see {', '.join(bad)}",
            ("Mend the records: `check dns.spf dns.dkim dns.dmarc dns.ptr`.",),
        )
    if trip.folder != "INBOX":
        return Trouble("warn", f"the message to {found.far} went to the folder {trip.folder}, as spam")
    if not results:
        return Trouble(
            "unknown",
            f"the message reached {found.far}, which does not say what it thinks of SPF, DKIM and DMARC",
        )
    return None


def _ended(trip: Tripped, what: str, mailbox: str) -> Trouble:
    """It did not come to its end."""
    said = trip.text[:_SHOWN]
    if trip.stage in ("login", "imap-login"):
        refused = re.search(
            r"535|AUTHENTICATIONFAILED|holds no password|could not be read|authentication fail", said, re.I
        )
        if refused:
            words = f"{what} was not followed: the log-in was refused ({said}); is the password right?"
            return Trouble("unknown", words, _HOW)
        return Trouble("fail", f"{what}: nobody can log in: {said}", (_LOGS,))
    if trip.stage == "arrive":
        return Trouble(
            "unknown",
            f"{what} was taken, but {said}",
            (_LOGS, "Look into the queue: `docker compose exec postfix-mailcow mailq`."),
        )
    if trip.stage == "send" and said.startswith("4"):
        return Trouble(
            "unknown",
            f"{what} is to be sent again later (greylisting?): {said}",
            ("Try again in ten minutes.",),
        )
    verb = {"send": "was refused", "connect": "could not be handed in"}.get(
        trip.stage, f"could not be looked for at {mailbox}"
    )
    status = "unknown" if "in time" in said or "timed out" in said else "fail"
    return Trouble(status, f"{what} {verb}: {said}", (_LOGS,))  # type: ignore[arg-type]


def _results(trip: Tripped) -> dict[str, str]:
    """What the far server found, by method; its own header comes first."""
    found: dict[str, str] = {}
    for line in trip.headers:
        if line.lower().startswith("authentication-results:"):
            for name, word in _RESULT.findall(line):
                found.setdefault(name.lower(), word.lower())
    return found


def _evidence(found: Trips) -> list[Evidence]:
    rows = []
    for trip, what in (
        (found.inward, "test message through port 25"),
        (found.outward, f"test message to {found.far}"),
    ):
        if trip is not None:
            said = "; ".join(trip.headers[:3]) or trip.text or f"found in {trip.folder}"
            rows.append(Evidence(what, said))
    return rows


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.round-trip",
        title="Mail in and out",
        needed="a message that comes in arrives, and one that goes out is accepted elsewhere",
        why="Each part may look right and mail still not flow; only a message that arrives proves it.",
        doc=need.DOC_INSTALL,
        severity="breaks",
        source=trips,
        judge=judge_round_trip,
        network=True,
        deadline=150.0,
    ),
)
