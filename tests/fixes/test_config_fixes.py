"""Plans for mailcow.conf and its checkout: what is offered where, what stands in them, how they go back."""

import pytest

from mailcow_wizard.checks.config import CHECKS
from mailcow_wizard.engine.runner import look
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import offers
from mailcow_wizard.host.errors import NotRecorded
from mailcow_wizard.host.recording.recorded import DEMO, load
from mailcow_wizard.host.replies import MIB, FileInfo, Ran
from mailcow_wizard.model import Check, Command, Edit, Judgement, Manual, Plan, Settings
from tests.fake_host import FakeHost

DIRECTORY = "/opt/mailcow-dockerized"
CONF = "MAILCOW_HOSTNAME=mail.example.org\n"
BY_ID = {check.id: check for check in CHECKS}


def demo() -> Facts:
    recorded = load(DEMO)
    return Facts(recorded, Settings(directory=recorded.directory))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_what_the_demo_machine_is_offered_can_be_planned(check: Check) -> None:
    facts = demo()
    (judgement,) = look(check, facts)
    for offer in offers(check.id, judgement, facts):
        plan = offer.plan()
        assert plan.steps
        assert plan.consequence.endswith(".")
        assert (plan.check, plan.fix) == (check.id, offer.fix.id)
        assert plan.reversible
        assert all(step.undo for step in plan.steps if isinstance(step, Command))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
@pytest.mark.parametrize("status", ["pass", "unknown", "skipped", "crashed"])
def test_where_nothing_is_wrong_nothing_is_offered(check: Check, status: str) -> None:
    assert offers(check.id, Judgement(status, ""), demo()) == ()  # type: ignore[arg-type]


class Silent(FakeHost):
    """A machine on file that was asked nothing."""

    def names(self, path: str) -> tuple[str, ...]:
        raise NotRecorded("the recorded machine was not asked")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_machine_that_does_not_answer_is_offered_nothing(check: Check) -> None:
    (judgement,) = look(check, Facts(Silent(), Settings(directory=DIRECTORY)))
    assert judgement.status in ("unknown", "skipped")
    assert judgement.fixes == ()


class Modes(FakeHost):
    """A machine whose files have these modes and owners."""

    modes: dict[str, tuple[int, int]]

    def info(self, path: str, follow: bool = True) -> FileInfo:
        found = super().info(path, follow)
        mode, uid = self.modes.get(path, (found.mode, 0))
        return found._replace(mode=mode, uid=uid, gid=uid)


def planned(check: str, host: FakeHost, fix: str = "") -> Plan:
    facts = Facts(host, Settings(directory=DIRECTORY))
    (judgement,) = look(BY_ID[check], facts)
    found = offers(check, judgement, facts)
    assert found, judgement
    return next(one for one in found if fix in ("", one.fix.id)).plan()


def test_mode_and_owner_go_back_to_what_they_were() -> None:
    paths = [f"{DIRECTORY}/mailcow.conf", f"{DIRECTORY}/mailcow.conf_backup"]
    host = Modes(dict.fromkeys(paths, CONF))
    host.modes = {paths[0]: (0o640, 1000), paths[1]: (0o604, 1000), DIRECTORY: (0o777, 0)}
    plan = planned("config.permissions", host)
    assert [step for step in plan.steps if isinstance(step, Command)] == [
        Command(("chown", "root:root", paths[0]), (("chown", "1000:1000", paths[0]),)),
        Command(("chmod", "600", paths[0]), (("chmod", "0640", paths[0]),)),
        Command(("chmod", "600", paths[1]), (("chmod", "0604", paths[1]),)),
    ]
    (words,) = [step.text for step in plan.steps if isinstance(step, Manual)]
    assert DIRECTORY in words


def test_env_is_moved_to_a_name_that_is_free() -> None:
    files = dict.fromkeys((f"{DIRECTORY}/{name}" for name in (".env", ".env.old", "mailcow.conf")), CONF)
    plan = planned("config.env-link", FakeHost(files))
    path = f"{DIRECTORY}/.env"
    assert plan.steps == (
        Command(("mv", "-T", path, f"{path}.old2"), (("mv", "-T", f"{path}.old2", path),)),
        Command(("ln", "-s", "mailcow.conf", path), (("rm", path),)),
    )
    assert ".env.old2" in plan.consequence


def test_a_link_goes_back_to_where_it_led() -> None:
    host = FakeHost(
        {f"{DIRECTORY}/mailcow.conf": CONF, "/srv/mailcow.conf": CONF},
        links={f"{DIRECTORY}/.env": "/srv/mailcow.conf"},
        commands={f"readlink {DIRECTORY}/.env": "/srv/mailcow.conf\n"},
    )
    (step,) = planned("config.env-link", host).steps
    assert isinstance(step, Command)
    assert step.undo == (("ln", "-sfn", "/srv/mailcow.conf", f"{DIRECTORY}/.env"),)


def test_the_copy_becomes_mailcow_conf_again() -> None:
    copy = f"{CONF}DBPASS=x\n"
    plan = planned("config.present", FakeHost({f"{DIRECTORY}/mailcow.conf_backup": copy}))
    assert plan.steps == (Edit(f"{DIRECTORY}/mailcow.conf", None, copy.encode(), 0o600),)
    empty = FakeHost({f"{DIRECTORY}/mailcow.conf_backup": copy, f"{DIRECTORY}/mailcow.conf": "\n"})
    (step,) = planned("config.present", empty).steps
    assert isinstance(step, Edit)
    assert step.before == b"\n"


def test_many_closed_files_are_opened_in_parts_by_their_modes() -> None:
    names = [f"data/web/{number}.php" for number in range(450)]
    files = {f"{DIRECTORY}/{name}": "" for name in (*names, "update.sh")}
    tracked = "".join(f"{name}\0" for name in (*names, "update.sh"))

    class Git(Modes):
        def run(
            self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False
        ) -> Ran:
            if argv[0] == "find":
                paths = [f"{DIRECTORY}/data", f"{DIRECTORY}/data/web", *files]
                return Ran(0, "".join(f"{path}\0" for path in paths), "")
            return Ran(0, tracked if "ls-files" in argv else "", "")

    host = Git(
        {**files, f"{DIRECTORY}/.git/HEAD": "ref: refs/heads/master\n", f"{DIRECTORY}/docker-compose.yml": ""}
    )
    host.modes = dict.fromkeys(files, (0o640, 0))
    host.modes |= {f"{DIRECTORY}/update.sh": (0o750, 0), f"{DIRECTORY}/data": (0o750, 0)}
    host.modes[f"{DIRECTORY}/data/web"] = (0o700, 0)
    plan = planned("config.checkout", host)
    commands = [step for step in plan.steps if isinstance(step, Command)]
    assert sum(len(step.argv) - 2 for step in commands) == 450 + 1 + 2
    assert max(len(step.argv) for step in commands) <= 202
    back = {path: undo[1] for step in commands for undo in step.undo for path in undo[2:]}
    assert back[f"{DIRECTORY}/data"] == "0750"
    assert back[f"{DIRECTORY}/data/web"] == "0700"
    assert back[f"{DIRECTORY}/update.sh"] == "0750"
    assert back[f"{DIRECTORY}/data/web/449.php"] == "0640"
    assert {step.argv[1] for step in commands} == {"o+r", "o+rx"}
