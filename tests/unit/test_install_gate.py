"""What an install says where something blocks it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_host import FakeHost

from mailcow_wizard.checks.network_places import judge_subnet
from mailcow_wizard.engine.given import Allowed, Choices
from mailcow_wizard.engine.runner import join
from mailcow_wizard.engine.selection import select
from mailcow_wizard.facts.network.subnet import subnet
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install import by_itself, docker, gate, preconditions
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.stages import mends
from mailcow_wizard.model import Acknowledgement, Check, Finding, Fix, Judgement, Settings
from mailcow_wizard.tui.install_words import outlook_lines

NEWER = Fix("install-docker", "Bring Docker to a newer version", "medium", True, True)
OLD = Judgement("fail", "Docker 20.10.24 runs here; mailcow needs 24.0.0 or newer", fixes=(NEWER,))


class Old(Job):
    """A job on a machine whose Docker is too old, and cannot be brought to a newer version."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.session = cast(Any, None)
        self.standing = cast(Any, SimpleNamespace(choices=Choices()))

    def look(self, checks: tuple[Check, ...]) -> tuple[Finding, ...]:
        return tuple(join(one, OLD if one.id == "docker.engine" else Judgement("pass", "")) for one in checks)

    def tell(self, text: str) -> None:
        self.told.append(text)

    def may_stop(self) -> None:
        pass


def refuse() -> None:
    raise HostError("its key is another one")


def test_a_fix_that_is_not_possible_is_no_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    offer = SimpleNamespace(fix=NEWER, plan=refuse)
    monkeypatch.setattr(by_itself, "offers", lambda *_unused: (offer,))
    changed: list[Job] = []
    monkeypatch.setattr(docker, "_lacks_ipv6", lambda job: bool(changed.append(job)))
    with pytest.raises(Failed) as raised:
        docker.run(Old())
    assert raised.value.remedies[0] == (
        "Bring Docker to a newer version is not possible here: its key is another one"
    )
    assert changed == [], "Docker is not restarted for settings where the install ends here"


def test_a_fix_that_was_not_tried_is_one() -> None:
    (check,) = select(("docker.engine",))
    lines = gate.remedies(join(check, OLD))
    assert lines[0] == "./wizard fix docker.engine install-docker: Bring Docker to a newer version"


class Taken(Old):
    """A job on a machine with a VPN over mailcow's network."""

    def __init__(self, files: dict[str, str], *conf: str) -> None:
        super().__init__()
        vpn = "Iface\nwg0\t000116AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        self._host = FakeHost(files={"/proc/net/route": vpn, "/proc/net/fib_trie": "", **files})
        self._settings = Settings(conf=conf)

    def facts(self) -> Facts:
        return Facts(self._host, self._settings)


CONF = {"/opt/mailcow-dockerized/mailcow.conf": "IPV4_NETWORK=172.22.1\n"}


@pytest.mark.parametrize(
    ("job", "left", "remedy"),
    [
        (Taken({}), True, "Nothing to do where the wizard installs mailcow"),
        (Taken(CONF), False, "Set IPV4_NETWORK=172.22.2 in mailcow.conf, before"),
        (
            Taken({}, "IPV4_NETWORK=172.22.1"),
            False,
            "Set IPV4_NETWORK=172.22.2 in the settings for the install",
        ),
    ],
    ids=["nobody has chosen", "mailcow.conf has it", "answered"],
)
def test_a_network_that_the_install_chooses_does_not_stop_it(job: Taken, left: bool, remedy: str) -> None:
    (check,) = select(("network.subnet",))
    finding = join(check, judge_subnet(job.facts().get(subnet)))
    assert gate.blocking((finding,)) == (finding,)
    assert mends(finding) is left
    rest = preconditions._without_network(job, (finding,))
    assert rest == (() if left else (finding,))
    assert job.told == ([f"{finding.summary}; the containers get 172.22.2.0/24"] if left else []), (
        "what becomes of it is told"
    )
    assert finding.remedies[0].startswith(remedy)


def test_what_will_stop_it_stands_before_its_plan() -> None:
    """Not what a later stage looks at or settles, what it may mend, or what somebody has accepted."""
    job = Taken({})
    accepted = Acknowledgement("a relay", "root", "2026-11-30", None)
    found = [
        join(one, OLD._replace(summary=one.id))
        for one in select(("ports.smtp", "docker.engine", "network.outbound-25", "system.tools"))
    ]
    found = [one._replace(acknowledged=accepted if "outbound" in one.id else None) for one in found]
    found.append(join(select(("network.subnet",))[0], judge_subnet(job.facts().get(subnet))))
    stops = gate.foreseen(found, ())
    assert [one.id for one in stops] == ["ports.smtp"]
    assert gate.foreseen(found, (Allowed("ports.smtp", "stop-service"),)) == ()
    lines = [f"{one.label}: {one.text}" for one in outlook_lines((), 80, stops * 6)]
    assert lines[:5] == ["In the way: ports.smtp", *[": ports.smtp"] * 3, ": and 2 more"]
    assert "stops at stage 1" in lines[5]
    assert outlook_lines((), 80) == []


def test_a_fix_that_is_allowed_and_not_on_offer_is_named() -> None:
    """An answer of which nothing comes is not passed over without a word."""
    job = Old()
    some = select(("docker.engine", "docker.compose"))
    fixes = (Allowed("docker.engine", "start-docker"), Allowed("docker.compose", "install-compose"))
    assert by_itself.allowed(job, some, job.look(some), fixes) == (job.look(some), 0)
    assert job.told == ["docker.engine: start-docker is allowed, and not on offer here"]
