"""Judge of the test messages: one came in through port 25, one went out and reached a server elsewhere."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.checks import mail_far
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.mail.trips import MAILBOX, PASSWORD, Trips, trips
from mailcow_wizard.host.network.conversation import Tripped
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Check, Evidence, Judgement, Status
from mailcow_wizard.patterns import pattern

_HOW = (
    _("Where there is no mailbox yet: `./wizard verify --first-mailbox me@example.org` makes and tries one."),
    _(
        "To try it with another, made in mailcow's web interface, run: {mailbox}=test@example.org "
        "{password}_FILE=/root/test-password ./wizard verify (the file holds the password, and "
        "root alone may read it).",
        mailbox=MAILBOX,
        password=PASSWORD,
    ),
)
_AS_SPAM = (
    _("Mark it there as no spam: a new address has no reputation, and gains it by mail that is read."),
    _("See what else such filters look at: `check dns reputation`"),
)
_HOW_FAR = (
    _(
        "To try the way out, also name a mailbox at another provider: `verify --far-mailbox me@example.net "
        "--far-password-file /root/far-password` (--far-imap SERVER if it is not read at imap.example.net)."
    ),
)
_SHOWN = 160
_REFUSED = pattern(
    r"535|AUTHENTICATIONFAILED|holds no password|could not be read|others may read|authentication fail",
    re.IGNORECASE,
)
_LATE = pattern(r"in time|timed out")
# Refused for now, and not because a stranger is to come back: no filter, no room, no look-up.
_BROKEN = pattern(r"45[12] (?:4\.3\.|4\.7\.1 service unavailable)", re.IGNORECASE)


def judge_round_trip(found: Trips) -> Judgement:
    """Both ways were gone to their end."""
    if found.about.skip:
        return skipped(found.about.skip)
    if found.inward is None:
        return Judgement(
            "unknown",
            _("no test message was sent: {lacking} not set", lacking=_(" and ").join(found.lacking)),
            "",
            remedies=(*_HOW, *_HOW_FAR),
            certainty="untested",
        )
    inward = _inward(found.inward, found)
    troubles = [*([inward] if inward else []), *_outward(found)]
    evidence = tuple(_evidence(found))
    if troubles:
        return judged(troubles, evidence, _came(found))
    return Judgement("pass", _came(found), _came(found), evidence)


def _came(found: Trips) -> str:
    """What did arrive."""
    parts = []
    if found.inward and found.inward.stage == "done":
        parts.append(
            _(
                "a message through port 25 was in the mailbox after {seconds:.0f} s",
                seconds=found.inward.seconds,
            )
        )
    if found.outward and found.outward.stage == "done":
        results = mail_far.words(found.seen, found.domain)
        seen = f" ({results})" if results else ""
        parts.append(
            _(
                "one sent out reached {far} after {seconds:.0f} s{seen}",
                far=found.far,
                seconds=found.outward.seconds,
                seen=seen,
            )
        )
    return _(", and ").join(parts)


def _inward(trip: Tripped, found: Trips) -> Trouble | None:
    if found.fate_in:
        return mail_far.not_delivered(found.fate_in, trip.seconds)
    if trip.stage == "done":
        if trip.folder != "INBOX":
            return Trouble(
                "warn",
                _("the message through port 25 went to the folder {folder}, as spam", folder=trip.folder),
                (mail_far.DELIVERY_LOGS,),
            )
        return None
    return _ended(trip, _("the message through port 25"), found.mailbox)


def _outward(found: Trips) -> list[Trouble]:
    trip = found.outward
    if trip is None:
        words = _("the way out was not tried: {lacking} not set", lacking=", ".join(found.lacking_far))
        came = _came(found)
        return [Trouble("unknown", f"{came}; {words}" if came else words, _HOW_FAR)]
    if trip.stage.startswith("imap"):
        # Whatever is wrong there is not wrong here.
        words = _(
            "the mailbox {far} could not be looked into: {said}; are its server and password right?",
            far=found.far,
            said=heard(trip.text[:_SHOWN]),
        )
        return [Trouble("unknown", words, _HOW_FAR)]
    if found.fate:
        return [mail_far.not_there(found.fate, found.far, trip.seconds)]
    if trip.stage != "done":
        return [_ended(trip, _("the message to {far}", far=found.far), found.far)]
    told = mail_far.troubles(found.seen, found.domain, found.far)
    if trip.folder != "INBOX":
        told.append(
            Trouble(
                "warn",
                _(
                    "the message to {far} went to the folder {folder}, as spam",
                    far=found.far,
                    folder=trip.folder,
                ),
                _AS_SPAM,
            )
        )
    return told


def _ended(trip: Tripped, what: str, mailbox: str) -> Trouble:
    """It did not come to its end."""
    said = trip.text[:_SHOWN]
    told = heard(said)
    status: Status = "unknown" if _LATE.search(said) else "fail"
    if trip.stage in ("login", "imap-login"):
        refused = _REFUSED.search(said)
        if refused:
            words = _(
                "{what} was not followed: the log-in was refused ({said}); is the password right?",
                what=what,
                said=told,
            )
            return Trouble("unknown", words, _HOW)
        return Trouble(
            status, _("{what}: nobody can log in: {said}", what=what, said=told), (mail_far.DELIVERY_LOGS,)
        )
    if trip.stage == "arrive":
        return Trouble(
            "unknown",
            _("{what} was taken, but {said}", what=what, said=told),
            (mail_far.DELIVERY_LOGS, _("Look into the queue: `docker compose exec postfix-mailcow mailq`.")),
        )
    if trip.stage == "send" and said.startswith("4") and not _BROKEN.match(said):
        return Trouble(
            "unknown",
            _("{what} is to be sent again later (greylisting?): {said}", what=what, said=told),
            (_("Try again in ten minutes."),),
        )
    verb = {"send": _("was refused"), "connect": _("could not be handed in")}.get(
        trip.stage, _("could not be looked for at {mailbox}", mailbox=mailbox)
    )
    return Trouble(status, f"{what} {verb}: {told}", (mail_far.DELIVERY_LOGS,))


def _evidence(found: Trips) -> list[Evidence]:
    rows = []
    for trip, what in (
        (found.inward, _("test message through port 25")),
        (found.outward, _("test message to {far}", far=found.far)),
    ):
        if trip is not None:
            said = trip.text or _("found in {folder}", folder=trip.folder)
            rows.append(Evidence(what, said))
    rows += mail_far.evidence(found.seen)
    return rows


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.round-trip",
        title=_("Mail in and out"),
        needed=_(
            "a message that comes in arrives, and one that goes out arrives elsewhere, where SPF, DKIM and "
            "DMARC pass"
        ),
        why=_(
            "Each part may look right and mail still not flow; only a message that arrives proves it. "
            "Whether ours is taken for spam others decide, by what they see of SPF, DKIM and DMARC."
        ),
        doc=need.DOC_INSTALL,
        severity="breaks",
        source=trips,
        judge=judge_round_trip,
        network=True,
        deadline=150.0,
    ),
)
