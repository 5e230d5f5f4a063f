"""The stage of verification and the first mailbox: what is made is tried, and what fails then fails."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_host import FakeHost

from mailcow_wizard.engine.given import Choices, FirstMailbox
from mailcow_wizard.engine.runner import join
from mailcow_wizard.engine.selection import select
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.install import first_password, verify
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.model import Acknowledgement, Check, Finding, Judgement, Settings

CHOSEN = FirstMailbox("me@example.org", "/root/password")


class Told(Job):
    """A job whose checks say that all is well, and of a message what they are given."""

    def __init__(self, session: Session, chosen: FirstMailbox, trip: str) -> None:
        self.session = session
        self.trip = trip
        self.looks: list[tuple[str, str]] = []
        self.kept: Sequence[Finding] = ()
        self.told: list[str] = []
        self._choices = Choices(mailbox=chosen)

    @property
    def standing(self) -> Any:
        return SimpleNamespace(choices=self._choices)

    def look(self, checks: Sequence[Check]) -> tuple[Finding, ...]:
        mailbox = self.session.settings.mailbox
        self.looks.append((mailbox, self.session.settings.mailbox_password))
        said = {"mail.round-trip": self.trip if mailbox else "unknown"}
        return tuple(join(one, Judgement(cast(Any, said.get(one.id, "pass")), "words")) for one in checks)

    def tell(self, text: str) -> None:
        self.told.append(text)

    def keep(self, findings: Sequence[Finding]) -> None:
        self.kept = findings


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The mailboxes that were made, by nobody."""
    mailboxes: list[str] = []

    def make(job: Job) -> bool:
        mailboxes.append(job.standing.choices.mailbox.address)
        return False

    monkeypatch.setattr(verify, "_mailbox_made", make)
    return mailboxes


def job(tmp_path: Any, chosen: FirstMailbox, trip: str = "pass") -> Told:
    return Told(Session(FakeHost(), Settings(), StateDirectory(str(tmp_path / "state"))), chosen, trip)


def test_without_a_mailbox_no_message_is_sent(tmp_path: Any, made: list[str]) -> None:
    told = job(tmp_path, FirstMailbox())
    verify.run(told)
    assert (told.looks, made) == ([("", "")], [])


def test_the_mailbox_is_made_and_tried(tmp_path: Any, made: list[str]) -> None:
    told = job(tmp_path, CHOSEN)
    verify.run(told)
    assert made == [CHOSEN.address]
    assert told.looks == [("", ""), CHOSEN]
    assert {one.id: one.status for one in told.kept}["mail.round-trip"] == "pass"
    assert told.session.settings.mailbox == ""


def test_a_message_that_does_not_arrive_fails_the_install(tmp_path: Any, made: list[str]) -> None:
    told = job(tmp_path, CHOSEN, "fail")
    with pytest.raises(Failed, match=r"a check of the installed mailcow fails: mail\.round-trip"):
        verify.run(told)
    assert {one.id: one.status for one in told.kept}["mail.round-trip"] == "fail"


@pytest.mark.parametrize(("wish", "status"), [("new", "unknown"), ("new", "pass"), ("keep", "unknown")])
def test_a_first_password_that_nobody_could_see_is_not_replaced_and_that_is_told(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, wish: str, status: str
) -> None:
    told = job(tmp_path, FirstMailbox())
    told._choices = Choices(admin=wish)
    check = select((first_password.CHECK,))[0]
    monkeypatch.setattr(told, "look", lambda checks: (join(check, Judgement(cast(Any, status), "words")),))
    verify.run(told)
    lines = [one for one in told.told if "password was not replaced" in one]
    assert len(lines) == (wish == "new" and status == "unknown")
    assert all(one.endswith(first_password.MENDED_BY) for one in lines)


def test_a_password_that_was_replaced_is_not_told_to_stay(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database is too slow to be asked once more."""
    told, check = job(tmp_path, FirstMailbox()), select((first_password.CHECK,))[0]
    told._choices = Choices(admin="new")
    said = iter((Judgement("fail", "words"), *(Judgement("unknown", "words") for _unused in range(9))))
    monkeypatch.setattr(told, "look", lambda checks: (join(check, next(said)),))
    monkeypatch.setattr(verify.by_itself, "mended", lambda job, finding, fix, done: True)
    verify.run(told)
    assert not any("password was not replaced" in one for one in told.told)


class Failing(Told):
    """A job whose checks of these names fail, each with a remedy of its own."""

    failing: tuple[str, ...] = ()

    def look(self, checks: Sequence[Check]) -> tuple[Finding, ...]:
        fails = Judgement("fail", "words", remedies=("Look there.",))
        well = Judgement("pass", "words")
        return tuple(join(one, fails if one.id in self.failing else well) for one in checks)

    def progress(self, text: str, done: int = 0, whole: int = 0, now: bool = False) -> None:
        pass

    def wait(self, seconds: float) -> None:
        pass


@pytest.mark.parametrize(
    ("failing", "remedies"),
    [
        (("mail.ports",), ("Look there.",)),
        (("mail.ports", "mail.certificate"), ("mail.ports: Look there.", "mail.certificate: Look there.")),
    ],
)
def test_where_several_checks_fail_each_remedy_is_told_with_its_check(
    tmp_path: Any, failing: tuple[str, ...], remedies: tuple[str, ...]
) -> None:
    session = Session(FakeHost(), Settings(), StateDirectory(str(tmp_path / "state")))
    told = Failing(session, FirstMailbox(), "pass")
    told.failing = failing
    with pytest.raises(Failed) as failed:
        verify.run(told)
    assert failed.value.remedies == remedies


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({}, "{n} findings, none fails"),
        (
            {"mail.ports": "warn", "mail.containers": "unknown"},
            "{n} findings, none fails, 1 to read, 1 not known",
        ),
        (
            {first_password.CHECK: "fail"},
            "{n} findings, one fails: the first password, next is " + first_password.MENDED_BY,
        ),
    ],
)
def test_the_note_counts_each_once(said: dict[str, str], note: str) -> None:
    checks = select(("mail",))
    judged = [Judgement(cast(Any, said.get(one.id, "pass")), "words") for one in checks]
    findings = tuple(map(join, checks, judged))
    assert verify._note(findings) == note.format(n=len(findings))


@pytest.mark.parametrize(
    ("failing", "note"),
    [
        (("mail.ports",), "1 fails and is acknowledged"),
        (("mail.ports", "mail.relay"), "2 fail and are acknowl"),
    ],
)
def test_what_fails_and_is_acknowledged_is_not_told_as_none(failing: tuple[str, ...], note: str) -> None:
    checks = select(("mail",))
    judged = [Judgement("fail" if one.id in failing else "pass", "words") for one in checks]
    accepted = Acknowledgement("so be it", "root", "2026-11-30T00:00:00Z", None)
    findings = tuple(
        one._replace(acknowledged=accepted if one.status == "fail" else None)
        for one in map(join, checks, judged)
    )
    said = verify._note(findings)
    assert note in said
    assert "none fails" not in said
    assert "to read" not in said


def test_the_log_says_of_what_fails_that_it_was_acknowledged(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, lines = job(tmp_path, FirstMailbox()), list[str]()
    accepted = Acknowledgement("so be it", "root", "2026-11-30T00:00:00Z", None)
    checks = select(("mail.ports", "mail.relay"))
    fails = join(checks[0], Judgement("fail", "no STARTTLS", subject="25"))._replace(acknowledged=accepted)
    monkeypatch.setattr(told, "look", lambda _checks: (fails, join(checks[1], Judgement("pass", "refused"))))
    monkeypatch.setattr(told, "tell", lines.append)
    verify.run(told)
    assert lines == ["fail mail.ports [25]: no STARTTLS (acknowledged: so be it)", "pass mail.relay: refused"]
