"""Sentences of the screens: the summary's where mailcow runs already (nobody wants to install there), and a
finding in brief."""

import pytest

from mailcow_wizard.checks.mail import CHECKS as MAIL
from mailcow_wizard.checks.system import CHECKS as SYSTEM
from mailcow_wizard.engine.runner import join
from mailcow_wizard.model import Event, Judgement, Status
from mailcow_wizard.tui.board import Board, Row
from mailcow_wizard.tui.writing import brief, verdict


def board(said: dict[str, Status]) -> Board:
    """All checks of the installed server and one of the machine; what is not said passes."""
    made = Board(("system", "verify"))
    checks = (*MAIL, next(one for one in SYSTEM if one.id == "system.disk"))
    made.add(checks)
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
            "mailcow is set up here, and 1 check of it fails (step Verify). Mend that first.",
        ),
        (
            {"system.disk": "fail", **{one.id: "skipped" for one in MAIL}},
            "1 finding blocks the install. Mend these first.",
        ),
    ],
)
def test_verdict(said: dict[str, Status], sentence: str) -> None:
    assert verdict(board(said)) == sentence


@pytest.mark.parametrize("remedies", [(), ("Give it more " * 20,)])
@pytest.mark.parametrize("why", ["It matters.", "It matters very much to all " * 8])
def test_what_is_cut_in_brief_says_so(remedies: tuple[str, ...], why: str) -> None:
    check = next(one for one in SYSTEM if one.id == "system.disk")._replace(why=why)
    finding = join(check, Judgement("fail", "words", remedies=remedies))
    lines = brief(Row(check, finding), 78, 8)
    assert len(lines) == 8
    said = " ".join(line.text for line in lines)
    text = (remedies or (why,))[0].strip()
    assert (text in said) != (" …" in said)
    assert max(len(line.text) for line in lines) <= 78 - 8
