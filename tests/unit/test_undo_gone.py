"""What was stopped and is not there any more cannot be started again: said before anything is done."""

import contextlib
from pathlib import Path

import pytest

from mailcow_wizard.engine.journal import Mark, Standing
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.undo.gone import Gone, keep_gone
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.replies import HttpReply, Ran
from mailcow_wizard.model import Command, Edit, Plan, Settings
from tests.fake_host import FakeHost

POSTFIX = Command(
    ("systemctl", "disable", "--now", "postfix.service"),
    (("systemctl", "enable", "postfix.service"), ("systemctl", "start", "postfix.service")),
)
BOX = Command(("docker", "stop", "web"), (("docker", "start", "web"),))
LINKED = Command(
    ("systemctl", "disable", "--now", "postfix.service"),
    (("systemctl", "enable", "/srv/postfix.service"), ("systemctl", "start", "postfix.service")),
)
FILE = Edit("/etc/systemd/system/postfix.service", b"[Service]\n", None)


class Telling(FakeHost):
    """systemd and Docker tell whether the unit and the container are there."""

    def __init__(self, there: bool, load: str = "not-found") -> None:
        super().__init__()
        self._there, self._load = there, load

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, most: int = 0, begun: bool = False) -> Ran:
        state = "loaded" if self._there else self._load
        return Ran(0, f"Id={argv[-1]}\nLoadState={state}\n", "")

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        assert target == "/containers/web/json"
        return HttpReply(200 if self._there else 404, b"{}")


@pytest.mark.parametrize(
    ("steps", "mark", "said"),
    [
        (
            (POSTFIX,),
            "done",
            "postfix.service is not on this machine any more",
        ),
        ((BOX,), "done", "the container web does not exist any more"),
        ((POSTFIX, BOX), "waiting", ""),
        ((LINKED,), "done", ""),
        ((POSTFIX._replace(undo_optional=True),), "done", ""),
        ((FILE, POSTFIX), "done", ""),
    ],
)
def test_gone(steps: tuple[Command | Edit, ...], mark: Mark, said: str, tmp_path: Path) -> None:
    plan = Plan("ports.smtp", None, "stop-service", "Stop it", steps, "low", True, True, "It is free.")
    waiting: tuple[Mark, ...] = tuple("waiting" for _ in steps)
    standing = Standing("applied", tuple(mark for _ in steps), waiting)
    here, empty = (Session(Telling(one), Settings(), StateDirectory(str(tmp_path))) for one in (True, False))
    keep_gone(here, plan, standing)
    with pytest.raises(Gone, match=said) if said else contextlib.nullcontext():
        keep_gone(empty, plan, standing)
    keep_gone(empty, plan, standing._replace(back=tuple("done" for _ in steps)))


def test_docker_does_not_answer(tmp_path: Path) -> None:
    plan = Plan("ports.http", None, "stop-container", "Stop it", (BOX,), "low", True, True, "It is free.")
    session = Session(FakeHost(), Settings(), StateDirectory(str(tmp_path)))
    with pytest.raises(Gone, match=r"Docker does not answer, so the container web .*docker\.sock"):
        keep_gone(session, plan, Standing("applied", ("done",), ("waiting",)))


@pytest.mark.parametrize("undo", [POSTFIX.undo, (("systemctl", "unmask", "postfix.service"), *POSTFIX.undo)])
def test_masked(undo: tuple[tuple[str, ...], ...], tmp_path: Path) -> None:
    step = POSTFIX._replace(undo=undo)
    plan = Plan("ports.smtp", None, "stop-service", "Stop it", (step,), "low", True, True, "It is free.")
    session = Session(Telling(False, "masked"), Settings(), StateDirectory(str(tmp_path)))
    lifted = len(undo) > len(POSTFIX.undo)
    said = "postfix.service was masked since, .* first: systemctl unmask postfix.service"
    with contextlib.nullcontext() if lifted else pytest.raises(Gone, match=said):
        keep_gone(session, plan, Standing("applied", ("done",), ("waiting",)))
