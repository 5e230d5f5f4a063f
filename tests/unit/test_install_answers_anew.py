"""An install that goes on with other answers than before: they count, or it says that they do not."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mailcow_wizard.answers.problems import Unfit
from mailcow_wizard.answers.reading import read
from mailcow_wizard.engine.given import Allowed, Choices, Given
from mailcow_wizard.engine.runner import join
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.docker import Engine
from mailcow_wizard.facts.volumes import Database
from mailcow_wizard.fixes import Offer
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.install import configuration, docker, following
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.standing import Record, Standing
from mailcow_wizard.model import Check, Finding, Fix, Judgement, Plan, Settings

NAME = "mail.example.org"
SCRIPT = """cat >mailcow.conf <<EOF
MAILCOW_HOSTNAME=$MAILCOW_HOSTNAME
DBPASS=$MAILCOW_DBPASS
DBROOT=$MAILCOW_DBROOT
REDISPASS=$MAILCOW_REDISPASS
TZ=$MAILCOW_TZ
SKIP_CLAMD=n
HTTP_PORT=80
IPV4_NETWORK=172.31.5
EOF
"""


class Server:
    """mailcow's directory with a script that makes mailcow.conf, and an install that stands at that stage."""

    def __init__(self, root: Path) -> None:
        self.place = root / "mailcow"
        self.conf = self.place / "mailcow.conf"
        self.state = StateDirectory(str(root / "state"))
        (self.place / "data/assets/ssl").mkdir(parents=True)
        (self.place / "data/assets/ssl/cert.pem").write_text("")
        (self.place / "generate_config.sh").write_text(SCRIPT)
        (self.place / "docker-compose.yml").write_text("services: {}\n")

    def begun(self, given: Given = Given(), **said: Any) -> Job:  # noqa: B008  # it is never changed
        """The install is begun with these answers, or goes on with them."""
        settings = Settings(directory=str(self.place), **{"hostname": NAME, **said})
        session = Session(RealHost(), settings._replace(conf=given.conf), self.state, given=given)
        _run, held = following.begin(session, given.choices)
        held.close()
        standing = self.record.load()
        assert standing
        return Job(session, self.record, standing, lambda text: None, lambda: False)

    @property
    def record(self) -> Record:
        """How it stands."""
        return Record(self.state)

    def goes_on(self, *conf: str, secrets: Any = {}, **said: Any) -> str:  # noqa: B006  # it is never changed
        """Goes on with this stage, if it has to be done; what comes of it."""
        job = self.begun(Given(conf=conf, secrets=secrets), **said)
        if stage(job.standing, "configuration") == "done":
            return "nothing to do"
        note = configuration.run(job)
        stages = tuple(one._replace(state="done") for one in job.standing.stages)
        self.record.save(job.standing._replace(state="failed", stages=stages))
        return note

    def values(self, *keys: str) -> dict[str, str]:
        """What mailcow.conf holds."""
        pairs = (line.partition("=") for line in self.conf.read_text().splitlines())
        found = {key: value for key, _, value in pairs}
        return {key: found.get(key, "") for key in keys}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A machine without a database, whose Docker is there."""
    monkeypatch.setattr(configuration, "Compose", lambda job: SimpleNamespace(flavour="native"))
    monkeypatch.setattr(configuration, "database", lambda facts: Database("", ""))
    monkeypatch.setattr(configuration, "_harm", lambda job: "")
    monkeypatch.setattr(configuration.gate, "pass_through", lambda *said: None)
    return Server(tmp_path)


def stage(standing: Standing, name: str) -> str:
    """How a stage stands."""
    return next(one.state for one in standing.stages if one.id == name)


def test_what_is_answered_otherwise_later_is_set(server: Server) -> None:
    assert server.goes_on("SKIP_CLAMD=y", "HTTP_PORT=8080") == "made by generate_config.sh"
    assert server.values("SKIP_CLAMD", "HTTP_PORT") == {"SKIP_CLAMD": "y", "HTTP_PORT": "8080"}
    assert server.goes_on("SKIP_CLAMD=y", "HTTP_PORT=8080") == "nothing to do"
    server.goes_on("SKIP_CLAMD=y", "HTTP_PORT=8880")
    assert server.values("SKIP_CLAMD", "HTTP_PORT") == {"SKIP_CLAMD": "y", "HTTP_PORT": "8880"}
    server.goes_on(hostname="mx.example.org")
    assert server.values("MAILCOW_HOSTNAME") == {"MAILCOW_HOSTNAME": "mx.example.org"}
    assert server.record.load().hostname == "mx.example.org"  # type: ignore[union-attr]
    assert not [one for one in server.record.load().marks if one.startswith("answered")]  # type: ignore[union-attr]


def test_what_was_chosen_on_the_screen_is_taken_and_remembered_no_longer(server: Server) -> None:
    Session(RealHost(), Settings(), server.state).choose({"SKIP_CLAMD": "y", "HTTP_PORT": "8080"})
    server.goes_on("HTTP_PORT=8880")  # a file of answers counts more
    assert server.values("SKIP_CLAMD", "HTTP_PORT") == {"SKIP_CLAMD": "y", "HTTP_PORT": "8880"}
    assert Session(RealHost(), Settings(), server.state).settings.conf == ()


def test_what_somebody_has_edited_since_stays(server: Server) -> None:
    server.goes_on("SKIP_CLAMD=y", "HTTP_PORT=8080")
    server.conf.write_text(server.conf.read_text().replace("SKIP_CLAMD=y", "SKIP_CLAMD=n"))
    note = server.goes_on("SKIP_CLAMD=y", "HTTP_PORT=8880")
    assert server.values("SKIP_CLAMD", "HTTP_PORT") == {"SKIP_CLAMD": "n", "HTTP_PORT": "8880"}
    assert note == "mailcow.conf was there already, and stays; answered otherwise: SKIP_CLAMD"


def test_a_secret_that_is_answered_later_is_set_and_another_one_is_told(server: Server) -> None:
    server.goes_on(allowed := "API_ALLOW_FROM=127.0.0.1")
    server.goes_on(allowed, secrets={"API_KEY": "first-key", "DBPASS": "never"})
    assert server.values("API_KEY") == {"API_KEY": "first-key"}
    assert server.values("DBPASS") != {"DBPASS": "never"}
    note = server.goes_on(allowed, secrets={"API_KEY": "other-key"})
    assert server.values("API_KEY") == {"API_KEY": "first-key"}
    assert note.endswith("answered otherwise: API_KEY")
    assert server.record.secrets() == {}


def test_what_was_edited_by_hand_where_an_answer_could_not_be_set_is_not_lost(server: Server) -> None:
    """The remedy is to edit the file: what was edited was thrown away with it."""
    with pytest.raises(Failed, match="could not be corrected"):
        server.goes_on("SKIP_CLAMD=y", "HTTP_PORT=99999")
    server.conf.write_text(f"{server.conf.read_text()}MAILDIR_SUB=Mail\n")
    made = server.values("DBPASS", "MAILDIR_SUB")
    server.goes_on("SKIP_CLAMD=y", "HTTP_PORT=8080")
    assert server.values("DBPASS", "MAILDIR_SUB") == made
    assert server.values("SKIP_CLAMD", "HTTP_PORT") == {"SKIP_CLAMD": "y", "HTTP_PORT": "8080"}


def test_a_file_that_was_there_stays(server: Server) -> None:
    server.conf.write_text(
        f"MAILCOW_HOSTNAME={NAME}\nDBPASS=aaaaaaaaaa\nSKIP_CLAMD=n\nIPV4_NETWORK=172.31.5\n"
    )
    note = server.goes_on("SKIP_CLAMD=y")
    assert note == "mailcow.conf was there already, and stays; answered otherwise: SKIP_CLAMD"
    note = server.goes_on("SKIP_CLAMD=y", "HTTP_PORT=8880")
    assert note.endswith("answered otherwise: SKIP_CLAMD, HTTP_PORT")
    assert server.values("SKIP_CLAMD", "HTTP_PORT") == {"SKIP_CLAMD": "n", "HTTP_PORT": ""}


@pytest.mark.parametrize("fixes", [(), (Allowed("config.values", "conf-switch-value"),)])
def test_a_fix_of_the_configuration_that_is_allowed_is_made(
    server: Server, fixes: tuple[Allowed, ...]
) -> None:
    server.conf.write_text(f"MAILCOW_HOSTNAME={NAME}\nSKIP_CLAMD=yes\nIPV4_NETWORK=172.31.5\n")
    configuration.run(server.begun(Given(choices=Choices(fixes=fixes))))
    assert server.values("SKIP_CLAMD") == {"SKIP_CLAMD": "y" if fixes else "yes"}


def test_a_fix_of_docker_that_is_allowed_is_made(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the stage makes by itself anyhow are not all that there are."""
    job = server.begun(Given(choices=Choices(fixes=(Allowed("docker.leftovers", "remove-leftovers"),))))
    left = [Judgement("fail", "a stack is left", fixes=(Fix("remove-leftovers", "t", "high", False, True),))]
    plan = Plan("docker.leftovers", None, "remove-leftovers", "t", (), "high", False, True, "c")
    made: list[Plan] = []

    def look(checks: Sequence[Check]) -> tuple[Finding, ...]:
        return tuple(join(one, left[0]) for one in checks if one.id == "docker.leftovers" and not made)

    offer = Offer(left[0].fixes[0], lambda: plan)
    monkeypatch.setattr(job, "look", look)
    monkeypatch.setattr(job, "change", made.append)
    monkeypatch.setattr(docker.by_itself, "offers", lambda session, check, subject: (offer,))
    monkeypatch.setattr(docker, "_await_engine", lambda job: None)
    monkeypatch.setattr(docker, "_lacks_ipv6", lambda job: False)
    monkeypatch.setattr(
        docker, "docker", SimpleNamespace(engine=lambda facts: Engine("answers", "/s", version="29"))
    )
    assert docker.run(job) == "Docker 29"
    assert made == [plan]


def test_a_fix_that_no_stage_would_make_is_refused(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text('[[fix]]\ncheck = "mail.admin-password"\nfix = "reset-admin"\n')
    with pytest.raises(Unfit, match=r'answers\.toml:3: .*password = "new" below the line \[admin\]'):
        read(str(answers), None)


def test_other_choices_have_their_stages_done_again(server: Server) -> None:
    server.goes_on("SKIP_CLAMD=y")
    given = Given(conf=("SKIP_CLAMD=y",), choices=Choices(branch="nightly", mtu=1400))
    standing = server.begun(given).standing
    waiting = [one.id for one in standing.stages if one.state == "waiting"]
    assert waiting == ["clone", "override"]
    assert standing.choices == given.choices


@pytest.mark.parametrize(("named", "where"), [(True, "/opt/mailcow-dockerized"), (False, "/srv/mailcow")])
def test_a_directory_that_is_named_counts(server: Server, named: bool, where: str) -> None:
    """It may be the usual one, where the install was begun elsewhere."""
    begun = server.begun()
    before = begun.standing._replace(directory="/srv/mailcow", settings=Settings("/srv/mailcow")._asdict())
    session = Session(RealHost(), Settings(), server.state, named=named)
    assert following.going_on.settings(session, before).directory == where
