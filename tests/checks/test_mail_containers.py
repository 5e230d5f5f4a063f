"""mail.containers: all run for a while, and what it says of the one that does not."""

import json
from typing import Any

import pytest

from mailcow_wizard.checks.mail_containers import CHECKS, judge_containers
from mailcow_wizard.checks.mail_relay import judge_relay
from mailcow_wizard.facts.compose_files import OVERRIDES
from mailcow_wizard.facts.mail.containers import Box, Stack, frames, stack
from mailcow_wizard.facts.mail.installed import installed
from mailcow_wizard.facts.mail.relay import relay
from mailcow_wizard.facts.mail.services import services
from mailcow_wizard.facts.mail.set_up import is_set_up
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, Refused
from mailcow_wizard.host.network.conversation import Spoken
from mailcow_wizard.host.recording.scrub import scrub
from mailcow_wizard.host.replies import HttpReply, Process
from mailcow_wizard.model import Finding, Judgement, Settings
from tests.checks.mail_machine import DIRECTORY, MailMachine, container
from tests.fake_host import FakeHost
from tests.judged import look

DOVECOT = container("dovecot-mailcow")


def judged(*containers: object) -> Judgement:
    return judge_containers(MailMachine(containers).facts().get(stack))  # type: ignore[arg-type]


def test_all_run() -> None:
    found = judged(container("postfix-mailcow", 500.0, health="healthy"), DOVECOT)
    assert (found.status, found.certainty) == ("pass", "proved")
    assert found.summary == (
        "all 2 containers have been running for 8 min or longer, one of them says that it is healthy"
    )


def test_of_two_containers_of_one_service_each_counts() -> None:
    """As `docker compose up --scale` makes them."""
    gone = Box("a", "sogo-1", "sogo-mailcow", "exited", 90.0, exit_code=1)
    again = Box("b", "sogo-2", "sogo-mailcow", "running", 300.0, restarts=4)
    about = MailMachine((container("sogo-mailcow"),)).facts().get(stack).about
    found = judge_containers(Stack(about, (gone, again)))
    assert (found.status, found.summary.count("sogo-mailcow")) == ("fail", 2)


@pytest.mark.parametrize(
    ("broken", "status", "words"),
    [
        (
            container("postfix-mailcow", 5.0),
            "unknown",
            "not for long enough to be sure: postfix-mailcow has run",
        ),
        (container("postfix-mailcow", health="starting"), "unknown", "postfix-mailcow is still being tried"),
        (
            container("postfix-mailcow", 5.0, restarts=3),
            "fail",
            "was restarted 3 times, the last time 5 s ago",
        ),
        (container("postfix-mailcow", 2.0, "restarting", restarts=1), "fail", "was restarted once"),
        (container("postfix-mailcow", 90.0, "exited", exit=1), "fail", "stopped 90 s ago (exit code 1)"),
        (container("postfix-mailcow", 90.0, "exited", oom=True), "fail", "ended for want of memory"),
        (container("postfix-mailcow", state="created"), "fail", "was made and never started"),
        (container("postfix-mailcow", state="paused"), "fail", "is paused"),
        (
            container("postfix-mailcow", 300.0, restarts=4),
            "warn",
            "restarted 4 times, the last time 5 min ago",
        ),
        (container("postfix-mailcow", 90000.0, restarts=4), "pass", "all 2 containers"),
        (
            container("postfix-mailcow", health="healthy", log=((0, ""), (1, "no answer"), (0, ""))),
            "warn",
            "is healthy now, but 1 of its last 3 health checks failed: no answer",
        ),
        (
            container("postfix-mailcow", health="starting", log=((1, "no answer"), (1, "no answer"))),
            "unknown",
            "postfix-mailcow is still being tried",
        ),
        (
            container(
                "postfix-mailcow",
                state="created",
                error="Bind for 0.0.0.0:25 failed: port is already allocated",
            ),
            "fail",
            "was made and never started: a port that it needs is taken",
        ),
    ],
)
def test_one_struggles(broken: object, status: str, words: str) -> None:
    found = judged(broken, DOVECOT)
    assert (found.status, words in found.summary) == (status, True), found.summary


def test_what_somebody_stopped_is_started_first() -> None:
    """Docker itself starts again what ends on its own."""
    found = judged(container("postfix-mailcow", 90.0, "exited"), DOVECOT)
    assert found.summary == "postfix-mailcow stopped 90 s ago"
    assert [one.split(":")[0] for one in found.remedies] == ["Start it", "See its whole log"]


def test_a_cause_in_words() -> None:
    unbound = container("unbound-mailcow", health="unhealthy", log=((1, "3 of 3 pings failed"),))
    found = judged(unbound, DOVECOT, container("postfix-mailcow", state="created"))
    assert found.status == "fail"
    assert "unbound-mailcow runs and is not healthy: its health check pings" in found.summary
    # It may be healthy again by now.
    assert "did not answer" in found.summary
    # Skipping the test helps only where name servers can be asked.
    assert any("`check network.icmp` says whether SKIP_" in one for one in found.remedies)
    dovecot = container("dovecot-mailcow", 3.0, restarts=2, lines="starting\nulimit: nofile: cannot raise\n")
    found = judged(dovecot, container("postfix-mailcow"))
    assert "it may not open as many files as it needs" in found.summary
    assert any("ulimit: nofile" in one.value for one in found.evidence)


def test_a_service_without_a_container() -> None:
    found = judged(DOVECOT)
    assert (found.status, found.summary) == ("fail", "postfix-mailcow has no container")


def test_services_of_the_file() -> None:
    text = (
        "# services:\nservices:\n\n    a-mailcow: # one\n      image: x\n      environment:\n        B: c\n"
        "    b-mailcow:\n      profiles: [x]\n    c-mailcow:\n      deploy:\n        replicas: 0\n"
        "networks:\n  d:\n"
    )
    host = FakeHost({f"{DIRECTORY}/docker-compose.yml": text})
    assert services(Facts(host, Settings(directory=DIRECTORY))) == ("a-mailcow",)
    assert services(Facts(FakeHost(), Settings(directory=DIRECTORY))) is None


_BASE = "services:\n  a-mailcow:\n    image: a\n"


@pytest.mark.parametrize(
    ("written", "override", "meant"),
    [
        ("  b-mailcow: {image: b}\n", "", "a b"),
        ("  b-mailcow: &b {image: b, restart: always} # one\n  c-mailcow: *b\n", "", "a b c"),
        ("  'b-mailcow':\n    image: b\n  \"c-mailcow\" : {}\n", "", "a b c"),
        ("  b-mailcow: {\n    image: b,\n    environment: {C: d}\n  }\n  c-mailcow: {}\n", "", "a b c"),
        ("  b-mailcow: {image: b, profiles: [x]}\n  c-mailcow: {deploy: {replicas: 0}}\n", "", "a"),
        ("  b-mailcow:\n    deploy: {mode: replicated, replicas: 0}\n  c-mailcow: {scale: 1}\n", "", "a c"),
        ("  b-mailcow: {image: b, profiles: []}\n", "", "a b"),
        ("# x\n#  no: x\n  b-mailcow: {}\nvolumes:\n  c-mailcow: {}\n", "", "a b"),
        ("  <<: *more\n", "", None),
        ("  - b-mailcow\n", "", None),
        ("  b-mailcow: {}\n", "services:\n  b-mailcow: {deploy: {replicas: 0}}\n  c-mailcow: {}\n", "a c"),
        ("  b-mailcow: {}\n", "services:\n  b-mailcow: !reset null\n", "a"),
        ("  b-mailcow: {}\n", "networks:\n  x: {}\n", "a b"),
        ("  b-mailcow: {}\n", "services: {b-mailcow: {deploy: {replicas: 0}}}\n", None),
        ("  b-mailcow: {}\n", Denied("it may not be read"), None),
    ],
)
def test_each_way_to_write_a_service(written: str, override: Any, meant: str | None) -> None:
    files = {f"{DIRECTORY}/docker-compose.yml": _BASE + written}
    more = {f"{DIRECTORY}/docker-compose.override.yml": override} if override else {}
    found = services(Facts(FakeHost({**files, **more}), Settings(directory=DIRECTORY)))
    assert found == (tuple(f"{one}-mailcow" for one in meant.split()) if meant else None)


@pytest.mark.parametrize("before", range(len(OVERRIDES)))
def test_the_first_override_alone_counts(before: int) -> None:
    """As docker compose 2.26 does with all four side by side."""
    files = {f"{DIRECTORY}/docker-compose.yml": _BASE}
    for name in OVERRIDES[before:]:
        files[f"{DIRECTORY}/{name}"] = f"services:\n  of-{name}: {{image: a}}\n"
    found = services(Facts(FakeHost(files), Settings(directory=DIRECTORY)))
    assert found == ("a-mailcow", f"of-{OVERRIDES[before]}")


@pytest.mark.parametrize("text", [Denied("it may not be read"), "services: {a: {image: a}}", "services:\n"])
def test_a_file_that_does_not_tell_its_services(text: Any) -> None:
    """How many there should be is not known then: one that is missing would not be missed."""
    machine = MailMachine((DOVECOT,), files={f"{DIRECTORY}/docker-compose.yml": text})
    found = judge_containers(machine.facts().get(stack))
    assert (found.status, found.certainty) == ("unknown", "untested"), found.summary
    ill = MailMachine(
        (container("dovecot-mailcow", state="paused"),), files={f"{DIRECTORY}/docker-compose.yml": text}
    )
    assert judge_containers(ill.facts().get(stack)).status == "fail"


def test_before_the_install() -> None:
    """Nothing is judged, and the reason is said."""
    nothing = Facts(FakeHost(), Settings(directory=DIRECTORY))
    assert look(CHECKS[0], nothing).status == "skipped"
    assert "mailcow is not installed yet" in nothing.get(installed).skip
    configured = MailMachine()
    assert "was not started yet" in configured.facts().get(installed).skip
    # What an older mailcow left behind in another directory is not this one.
    label = {"com.docker.compose.project.working_dir": "/root/old"}
    left = MailMachine((container("nginx-mailcow", state="exited", labels=label),))
    assert "was not started yet" in left.facts().get(installed).skip
    # While it runs, it is what serves.
    moved = MailMachine((container("nginx-mailcow", labels=label),))
    assert not moved.facts().get(installed).skip


def test_taken_down() -> None:
    """The database is there, no container is: that is no install that is still to come."""

    class Down(MailMachine):
        def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
            if target == "/volumes":
                return HttpReply(200, b'{"Volumes": [{"Name": "mailcowdockerized_mysql-vol-1"}]}')
            return super().http(socket_path, target, timeout)

    found = judge_containers(Down().facts().get(stack))
    assert (found.status, "mailcow does not run" in found.summary) == ("fail", True)
    assert "docker compose up" in found.remedies[0]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (NoAnswer("it did not answer within 3 s"), "unknown"),
        (HttpReply(500, b"{}"), "unknown"),
        (HttpReply(200, b"["), "unknown"),
        (Denied("root may"), "unknown"),
        (Refused("nobody takes connections"), "fail"),
        (Missing("it is not there"), "fail"),
    ],
)
def test_a_docker_that_does_not_tell(said: Any, status: str) -> None:
    """One that has ended runs nothing; one that is silent may run everything."""

    class Busy(MailMachine):
        def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
            if isinstance(said, HostError):
                raise said
            return said  # type: ignore[no-any-return]

    data = {"/var/lib/docker/volumes/mailcowdockerized_mysql-vol-1/_data/x": "", "/usr/bin/dockerd": ""}
    found = look(CHECKS[0], Busy(files=data).facts())
    assert found.status == status, found.summary
    # Compose can start nothing where Docker does not run.
    assert ("See docker.daemon first" in "".join(found.remedies)) == (status == "fail")
    assert look(CHECKS[0], Busy().facts()).status in ("unknown", "skipped")

    class Left(Busy):
        """Containers go on though it may have ended (live-restore)."""

        def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
            words = ("/usr/bin/containerd-shim-runc-v2", "-namespace", "moby")
            return (Process(1300, "containerd-shim", "root", words, words[0], ""),)

    found = look(CHECKS[0], Left(files={**data, "/proc/1300/status": "NSpid:\t1300\n"}).facts())
    assert found.status == "unknown", found.summary


def test_the_ports_are_asked_though_docker_is_silent() -> None:
    """An open relay is one, whatever else is known."""

    class Mute(MailMachine):
        def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
            raise NoAnswer("it did not answer within 3 s")

    data = {"/var/lib/docker/volumes/mailcowdockerized_mysql-vol-1/_data/x": ""}
    taken = Spoken("open", "220 m", ("250 m", "250 Ok", "250 Ok", "250 Ok", "250 Ok", "250 Ok", "250 Ok"))
    found = judge_relay(Mute(spoken={"25": taken}, files=data).facts().get(relay))
    assert (found.status, found.severity) == ("fail", "blocks"), found.summary


def test_docker_that_makes_no_sense() -> None:
    class Odd(MailMachine):
        def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
            return HttpReply(200, b"[1, 2" if target.endswith("/json") else b"[{}]")

    found: Finding | Judgement = look(CHECKS[0], Odd((DOVECOT,)).facts())
    assert found.status in ("unknown", "skipped")


def test_frames() -> None:
    assert frames(b"\1\0\0\0\0\0\0\2ab\2\0\0\0\0\0\0\1c") == b"abc"
    assert frames(b"plain text") == b"plain text"
    assert frames(b"") == b""


def test_what_is_recorded() -> None:
    """State and log stay, environment and passwords do not."""
    said = container("postfix-mailcow", health="unhealthy", log=((1, "http://a:geheim@x/"),))["said"]
    said["Config"] = {"Env": ["DBPASS=geheim"], "Labels": {}}
    kept = scrub("http", ("/s", "/containers/x/json"), HttpReply(200, json.dumps(said).encode())).body
    assert b"geheim" not in kept
    assert json.loads(kept)["State"]["Status"] == "running"
    assert json.loads(kept)["RestartCount"] == 0
    line = b"DBPASS=geheim"
    log = b"\1\0\0\0\0\0\0\x0d" + line
    assert b"geheim" not in scrub("http", ("/s", "/containers/x/logs?tail=1"), HttpReply(200, log)).body


def test_at_a_glance() -> None:
    """What the wizard says at its first screen: mailcow's bridge is there, and its mailcow.conf."""
    assert is_set_up(MailMachine(files={"/sys/class/net/br-mailcow/mtu": "1500"}).facts())
    assert not is_set_up(MailMachine().facts())
    assert not is_set_up(Facts(FakeHost({"/sys/class/net/br-mailcow/mtu": "1500"})))


def test_a_number_without_end_is_not_readable() -> None:
    """JSON as Python reads it knows Infinity, and a recorded machine comes from a stranger."""
    machine = MailMachine((container("postfix-mailcow", 900.0, restarts=float("inf")),))
    with pytest.raises(HostError, match="is not readable"):
        machine.facts().get(stack)
