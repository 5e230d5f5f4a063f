"""What is said after an install: the first password above all, and no other failure forgiven."""

import pytest

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.install import _milder
from mailcow_wizard.engine.findings import of_finding
from mailcow_wizard.engine.given import FirstMailbox
from mailcow_wizard.install import after, first_password, verify
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.standing import Choices, Standing, fresh
from mailcow_wizard.model import Acknowledgement, Check, Finding, Settings, Status
from mailcow_wizard.tui.install_words import after_lines

RESET = "./wizard fix mail.admin-password reset-admin"


def finding(check: str, status: Status) -> Finding:
    """A finding of that check."""
    return Finding(
        check, None, "verify", check, status, "breaks", "proved", f"{check} {status}", "", "", "", "https://d"
    )


class Looked(Job):
    """A job whose checks find this."""

    def __init__(self, *findings: Finding) -> None:
        self._findings = findings
        self.kept: tuple[Finding, ...] = ()
        self.told: list[str] = []
        self.standing = fresh("run", "", "", Settings()._asdict(), Choices())

    def look(self, _checks: tuple[Check, ...]) -> tuple[Finding, ...]:
        return self._findings

    def tell(self, text: str) -> None:
        self.told.append(text)

    def progress(self, text: str, done: int = 0, whole: int = 0, now: bool = False) -> None:
        pass

    def wait(self, _seconds: float) -> None:
        pass

    def keep(self, findings: tuple[Finding, ...]) -> None:
        self.kept = findings


def page_of(*findings: Finding, mailbox: str = "", domains: tuple[str, ...] = ()) -> str:
    """The page after an install, as one text."""
    settings = Settings(domains=domains)._asdict()
    choices = Choices(mailbox=FirstMailbox(mailbox))
    before = fresh("run", "2026-11-27T17:00:00Z", "mail.example.org", settings, choices)
    standing: Standing = before._replace(state="done", findings=tuple(map(of_finding, findings)))
    sections = after.page(standing, "mailcowdockerized", "/var/lib/log")
    return "\n".join(line for one in sections for line in one.lines)


@pytest.mark.parametrize("width", [78, 118])
def test_on_a_screen_nothing_is_cut_and_commands_stay_whole(width: int) -> None:
    before = fresh("run", "", "mail.example.org", Settings()._asdict(), Choices())
    sections = after.page(before._replace(state="done"), "mailcowdockerized", "/var/lib/log")
    lines = [line.text for line in after_lines(sections, width)]
    assert max(map(len, lines)) <= width
    assert any(line.endswith(RESET) for line in lines)
    assert any(line.endswith("./wizard verify --first-mailbox info@example.org") for line in lines)
    told = " ".join(line for one in sections for line in (one.heading, *one.lines))
    shown = " ".join(line.removesuffix(" \\") for line in lines)
    assert " ".join(shown.split()) == " ".join(told.split())
    # Copied from the screen, each command is one command.
    commands = [line.strip() for one in sections for line in one.lines if line.startswith(" ")]
    copied = "\n".join(lines).replace("\\\n", "").splitlines()
    assert {" ".join(one.split()) for one in commands} <= {" ".join(one.split()) for one in copied}
    assert any("backup_and_restore.sh" in one for one in commands)


def test_first_password_fails_no_install() -> None:
    found = finding("mail.admin-password", "fail")
    job = Looked(finding("mail.ports", "pass"), found)
    assert RESET in verify.run(job)
    assert found in job.kept
    assert RESET in page_of(found)
    assert page_of(found).count("mail.admin-password fail") == 1
    assert exit_codes.of_findings([_milder(found)]) == exit_codes.WARN


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pass", "administration (user admin)"),
        ("fail", "administration (user admin, password moohoo)"),
        ("unknown", "administration (user admin; the first password is moohoo)"),
    ],
)
def test_the_first_password_is_named_while_it_may_be_there(status: Status, words: str) -> None:
    lines = page_of(finding("mail.admin-password", status)).splitlines()
    assert f"https://mail.example.org/admin  {words}" in lines


def test_nobody_looked_for_the_first_password() -> None:
    assert "(user admin; the first password is moohoo)" in page_of()


def test_first_mailbox() -> None:
    command = "./wizard verify --first-mailbox info@"
    assert f"{command}example.org" in page_of()
    assert f"{command}example.com" in page_of(domains=("example.com", "example.net"))
    made = page_of(mailbox="me@example.com")
    assert "me@example.com is made, and its domain." in made
    assert command not in made


def test_what_comes_next_stands_before_what_the_machine_has() -> None:
    before = fresh("run", "2026-11-27T17:00:00Z", "mail.example.org", Settings()._asdict(), Choices())
    done = before._replace(
        state="done", findings=(of_finding(finding("mail.relay", "warn")),), notes=("no swap (system.swap)",)
    )
    sections = after.page(done, "mailcowdockerized", "/var/lib/log")
    lines = next(one.lines for one in sections if "no swap (system.swap)" in one.lines)
    (mailbox,) = (number for number, line in enumerate(lines) if "--first-mailbox" in line)
    assert lines.index("mail.relay warn") < mailbox < lines.index("no swap (system.swap)")


def test_another_failure_does() -> None:
    job = Looked(finding("mail.relay", "fail"), finding("mail.admin-password", "fail"))
    with pytest.raises(Failed, match=r"a check of the installed mailcow fails: mail\.relay"):
        verify.run(job)
    assert exit_codes.of_findings(map(_milder, job.kept)) == exit_codes.FAIL


def test_another_password_is_no_news() -> None:
    found = finding("mail.admin-password", "pass")
    assert RESET not in verify.run(Looked(found))
    assert RESET not in page_of(found)


@pytest.mark.parametrize("status", ["unknown", "skipped"])
def test_nobody_knows(status: Status) -> None:
    found = finding("mail.admin-password", status)
    assert RESET not in verify.run(Looked(found))
    assert f"if it is the first one: {RESET}" in page_of(found)


def test_accepted_password() -> None:
    accepted = finding("mail.admin-password", "fail")._replace(
        acknowledged=Acknowledgement("behind a VPN", "root", "2026-11-27T17:00:00Z", None)
    )
    assert not first_password.is_still_there(accepted)
    assert "Do this now" not in page_of(accepted)


def test_changes_stand_in_the_order_in_which_they_are_taken_back() -> None:
    before = fresh("run", "2026-11-27T17:00:00Z", "mail.example.org", Settings()._asdict(), Choices())
    done: Standing = before._replace(state="done", changes=("2", "3", "10"))
    sections = after.page(done, "mailcowdockerized", "/var/lib/log")
    assert any(line.endswith("newest first (10, 3, 2)") for one in sections for line in one.lines)
