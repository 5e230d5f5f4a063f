"""Sentences of the screens: the summary's where mailcow runs already (nobody wants to install there), and a
finding in brief."""

import pytest

from mailcow_wizard import language
from mailcow_wizard.checks import all_checks
from mailcow_wizard.checks.config_file import PRESENT, judge_present
from mailcow_wizard.checks.mail import CHECKS as MAIL
from mailcow_wizard.checks.system import CHECKS as SYSTEM
from mailcow_wizard.engine.runner import join
from mailcow_wizard.engine.selection import select
from mailcow_wizard.facts.config import ConfFile, Place, Presence
from mailcow_wizard.install.stages import BY_ITSELF
from mailcow_wizard.install.standing import Choices, Stand, fresh
from mailcow_wizard.model import Event, Fix, Judgement, Settings, Status
from mailcow_wizard.tui.board import Board, Row
from mailcow_wizard.tui.help import help_lines
from mailcow_wizard.tui.install_words import rows
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.planned import moment
from mailcow_wizard.tui.writing import brief, details, install_is_next, verdict


def board(said: dict[str, Status], offline: bool = False) -> Board:
    """All checks of the installed server and one of the machine; what is not said passes."""
    made = Board(("system", "verify"), offline)
    checks = (*MAIL, next(one for one in SYSTEM if one.id == "system.disk"))
    made.add([one.listed for one in checks])
    for one in checks:
        judgement = Judgement(said.get(one.id, "pass"), "words", severity="blocks")
        made.hear(Event("finished", one.id, (join(one, judgement),)))
    return made


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"system.disk": "fail"},
            "mailcow is set up here, and no check of it fails; 1 of this machine does.",
        ),
        (
            {"system.disk": "fail", "mail.ports": "fail"},
            "mailcow is set up here; 1 of its checks fails (step Verify). Mend that first.",
        ),
        (
            {"system.disk": "fail", **{one.id: "skipped" for one in MAIL}},
            "1 finding blocks the install. Mend it first.",
        ),
        (
            {"system.disk": "fail", **{one.id: "unknown" for one in MAIL}},
            "1 finding blocks the install. Mend it first.",
        ),
    ],
)
def test_verdict(said: dict[str, Status], sentence: str) -> None:
    assert verdict(board(said)) == sentence


def test_what_the_install_mends_is_nobody_elses_to_mend() -> None:
    """On a fresh server Docker is missing, and the install brings it."""
    made = board(dict.fromkeys((one.id for one in MAIL), "skipped"))
    missing = select(("docker.engine", "docker.compose"))
    made.add([one.listed for one in missing])
    for fixes, sentence in (
        ((Fix("install-docker", "Install Docker", "medium", True, True),), "it mends itself: i installs."),
        ((), "2 findings block the install. Mend these first."),
    ):
        for one in missing:
            found = join(one, Judgement("fail", "no Docker", fixes=fixes))
            made.hear(Event("finished", one.id, (found,)))
        assert verdict(made).endswith(sentence)
        assert install_is_next(made) is bool(fixes)
    assert {one for every in BY_ITSELF.values() for one, _fix in every} <= {one.id for one in all_checks()}


def with_mailcow_elsewhere(made: Board) -> Board:
    """The check of mailcow.conf has found one in another directory."""
    place, file = Place("/opt/m", None, False, "/srv/m"), ConfFile("/opt/m/mailcow.conf", "missing", b"")
    found = Presence(place, file, False, None, "", False)
    made.add([PRESENT.listed])
    made.hear(Event("finished", PRESENT.id, (join(PRESENT, judge_present(found)),)))
    return made


@pytest.mark.parametrize("status", ["fail", "warn", "pass"])
def test_beside_another_directorys_mailcow_nothing_is_installed(status: Status) -> None:
    made = board({"system.disk": status, **{one.id: "skipped" for one in MAIL}})
    assert install_is_next(made) == (status != "fail")
    made = with_mailcow_elsewhere(made)
    assert verdict(made) == "mailcow is here, from another directory: nothing is installed beside it."
    assert not install_is_next(made)


@pytest.mark.parametrize("speaks", ["en", "de"])
def test_a_verdict_fits_into_eighty_columns(speaks: str) -> None:
    """One cell is empty before it, and the number may have two digits."""
    every: dict[str, Status] = {one.id: "fail" for one in MAIL}
    language.use(speaks)
    for said in (every, {"system.disk": "fail"}, {"mail.ports": "fail"}, {**every, "mail.relay": "pass"}):
        assert len(verdict(board(said))) <= 78, verdict(board(said))
    assert len(verdict(with_mailcow_elsewhere(board({})))) <= 78


SOME_SKIPPED: dict[str, Status] = {"mail.relay": "skipped", "mail.round-trip": "skipped"}


@pytest.mark.parametrize(
    ("said", "offline", "state"),
    [
        ({}, False, "pass"),
        (SOME_SKIPPED, False, "pass"),
        (SOME_SKIPPED, True, "skipped"),
        ({one.id: "skipped" for one in MAIL}, False, "skipped"),
        ({one.id: "skipped" for one in MAIL[1:]}, False, "skipped"),
        ({one.id: "skipped" for one in MAIL[len(MAIL) // 2 :]}, False, "skipped"),
        ({**SOME_SKIPPED, "mail.ports": "unknown"}, False, "unknown"),
        ({**SOME_SKIPPED, "mail.ports": "warn"}, False, "warn"),
    ],
)
def test_what_is_skipped_is_no_pass_but_hides_none(
    said: dict[str, Status], offline: bool, state: str
) -> None:
    assert board(said, offline).state("verify") == state


def test_the_list_says_which_findings_block() -> None:
    rows = {one.check.id: one.shown for one in board({"system.disk": "fail"}).rows("summary")}
    assert rows == {"system.disk": "blocks"}
    check = next(one for one in SYSTEM if one.id == "system.disk")
    others: tuple[Judgement, ...] = (
        Judgement("fail", "words", severity="breaks"),
        Judgement("warn", "words", severity="blocks"),
    )
    assert [Row(check.listed, join(check, one)).shown for one in others] == ["fail", "warn"]
    assert (
        Row(check.listed, join(check, Judgement("fail", "words", severity="blocks")), "fail").shown == "fail"
    )


def test_what_an_install_saw_earlier_is_told_with_the_time() -> None:
    standing = fresh("r", "2026-01-01T00:00:00Z", "mail.example.org", Settings()._asdict(), Choices())
    some = {
        "preconditions": Stand(
            "preconditions", "done", "12 findings, none blocks", "", "2026-01-02T03:04:05Z"
        ),
        "packages": Stand("packages", "done", "all are there", "", "2026-01-02T03:04:05Z"),
        "docker": Stand("docker", "failed", "no engine", "", "2026-01-02T03:04:05Z"),
    }
    stopped = standing._replace(
        state="failed", stages=tuple(some.get(one.id, one) for one in standing.stages)
    )
    told = [row.finding.summary for row in rows(stopped, False, earlier=True) if row.finding]
    at = f"at {moment('2026-01-02T03:04:05Z')}: "
    assert told[:3] == [f"{at}12 findings, none blocks", "all are there", f"{at}no engine"]
    told = [row.finding.summary for row in rows(stopped, False) if row.finding]
    assert told[:3] == ["12 findings, none blocks", "all are there", "no engine"]


def test_what_a_stage_needs_is_said_once() -> None:
    (first, *_unused) = rows(None, running=False)
    for lines in (brief(first, 78, 8, "…"), details(first, 78)):
        text = " ".join(line.text for line in lines)
        assert text.count(first.check.needed) == 1, text


def test_help_says_in_which_step_a_shared_key_does_what() -> None:
    lines = ["".join(text for text, _style in parts) for parts in help_lines(Look(False, True), 200)]
    for key in ("i", "+"):
        said = [line for line in lines if line.startswith(f" {key} ")]
        assert len(said) == 2
        assert all(": " in line for line in said), said


@pytest.mark.parametrize("remedies", [(), ("Give it more " * 20,)])
@pytest.mark.parametrize("why", ["It matters.", "It matters very much to all " * 8])
@pytest.mark.parametrize("look", [Look(False, True), Look(True, True)], ids=["letters", "ASCII"])
def test_what_is_cut_in_brief_says_so(look: Look, remedies: tuple[str, ...], why: str) -> None:
    check = next(one for one in SYSTEM if one.id == "system.disk")._replace(why=why)
    finding = join(check, Judgement("fail", "words", remedies=remedies))
    mark = look.glyphs.ellipsis
    lines = brief(Row(check.listed, finding), 78, 8, mark)
    assert len(lines) == 8
    said = " ".join(line.text for line in lines)
    assert all(text.strip() in said for text in (*remedies, why)) != (mark in said)
    # Nothing is cut beside lines that are empty, and no part is left out for another.
    assert "" not in [line.text for line in lines] or mark not in said
    assert {"Needed", "Why", *(("Mend",) if remedies else ())} <= {line.label for line in lines}
    assert max(len(look.text(line.text)) for line in lines) <= 78 - 8
