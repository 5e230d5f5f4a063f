"""Registries that answer through a proxy alone: what the check says, and what Docker is told."""

import errno
import json
from collections.abc import Mapping
from typing import Any

import pytest

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks import docker as checks
from mailcow_wizard.engine import runner
from mailcow_wizard.fixes import Offer, docker
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.model import Command, Edit
from tests.docker_machine import JSON, DockerHost, facts, units

CHECK = next(one for one in checks.CHECKS if one.id == "docker.registry")
PROXY = "http://proxy.example.net:3128"
REFUSED = {f"{one}/v2/": HostError(f"{one}: connection refused") for one in need.REGISTRIES}
THROUGH = {f"{PROXY} {one}/v2/": HttpReply(401, b"{}") for one in need.REGISTRIES}


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({}, "fail", "connection refused"),
        ({"variables": {"https_proxy": PROXY}}, "fail", "and Docker does not know it"),
        ({"variables": {"HTTPS_PROXY": PROXY}}, "fail", "and Docker does not know it"),
        ({"variables": {"http_proxy": PROXY}}, "fail", "connection refused"),
        (
            {"files": {"/etc/environment": f'PATH="/bin"\nhttps_proxy="{PROXY}" # ours\n'}},
            "fail",
            "does not know",
        ),
        ({"info": {"HttpsProxy": PROXY}}, "pass", "through the proxy proxy.example.net:3128"),
        (
            {"info": {"HttpsProxy": "http://xxxxx:xxxxx@proxy.example.net:3128"}},
            "unknown",
            "goes through a proxy",
        ),
        ({"variables": {"https_proxy": "socks5h://192.0.2.1:1080"}}, "fail", "connection refused"),
        ({"said": HostError("none"), "variables": {"https_proxy": PROXY}}, "pass", "through the proxy"),
    ],
)
def test_registries_through_a_proxy_alone(more: dict[str, Any], status: str, words: str) -> None:
    rows = runner.look(CHECK, facts(DockerHost(pages={**REFUSED, **THROUGH}, **more)))
    assert [(one.status, words in one.summary) for one in rows] == [(status, True)] * 3, rows


class Unasked(DockerHost):
    """As a recording is that is older than the question."""

    def variable(self, name: str) -> str:
        if "proxy" in name.lower():
            raise NotRecorded(f"variable {name}")
        return super().variable(name)


def test_an_old_recording_is_judged_as_before() -> None:
    rows = runner.look(CHECK, facts(Unasked(pages=REFUSED)))
    assert [(one.status, "connection refused" in one.summary) for one in rows] == [("fail", True)] * 3


def test_where_registries_answer_no_proxy_is_asked() -> None:
    pages = {f"{one}/v2/": HttpReply(401, b"") for one in need.REGISTRIES}
    dead = {f"{PROXY} {one}/v2/": AssertionError("asked") for one in need.REGISTRIES}
    host = DockerHost(pages={**pages, **dead}, variables={"https_proxy": PROXY})  # type: ignore[dict-item]
    assert {one.status for one in runner.look(CHECK, facts(host))} == {"pass"}


def behind(proxy: str = PROXY, files: Mapping[str, str] | None = None, **more: Any) -> DockerHost:
    """A Docker that reaches no registry, on a machine that does through a proxy."""
    pages = {f"{one}/v2/": HostError("refused") for one in need.REGISTRIES}
    through = {f"{proxy} {one}/v2/": HttpReply(401, b"") for one in need.REGISTRIES}
    named = {"https_proxy": proxy, "http_proxy": proxy, "no_proxy": "localhost,.example.org"}
    return DockerHost(
        pages={**pages, **through},
        variables=named,
        commands=units(),
        files={"/run/systemd/system": "", **(files or {})},
        **more,
    )


def offered(host: DockerHost) -> tuple[Offer, ...]:
    """What can be done about the first registry."""
    known = facts(host)
    return docker.offers(CHECK.id, runner.look(CHECK, known)[0], known)


@pytest.mark.parametrize("before", [None, '{"log-driver": "local"}'])
def test_docker_is_told_of_the_proxy(before: str | None) -> None:
    made = offered(behind(files={JSON: before} if before else None))[0].plan()
    (edit,) = (one for one in made.steps if isinstance(one, Edit) and one.path == JSON)
    assert json.loads(edit.after or b"") == {
        **json.loads(before or "{}"),
        "proxies": {"http-proxy": PROXY, "https-proxy": PROXY, "no-proxy": "localhost,.example.org"},
    }
    first = next(one for one in made.steps if isinstance(one, Command))
    assert first.argv == ("dockerd", "--validate", "--config-file", f"{JSON}.mailcow-wizard")
    assert (made.fix, made.reversible) == ("docker-proxy", True)


@pytest.mark.parametrize(
    "host",
    [
        behind("http://joe:s3cret@proxy.example.net:3128"),
        behind(version="20.10.24"),
        behind(info={"HttpsProxy": PROXY}),
        behind(files={JSON: '{"proxies": {"http-proxy": "http://192.0.2.1:1"}}'}),
    ],
    ids=["a password", "an old engine", "it has one", "it was told"],
)
def test_docker_is_not_told_of_the_proxy(host: DockerHost) -> None:
    assert offered(host) == ()


@pytest.mark.parametrize(
    ("error", "status"),
    [(OSError(errno.EMFILE, "Too many open files"), "unknown"), (KeyError("x"), "crashed")],
)
def test_what_goes_wrong_in_the_wizard_is_no_registrys_fault(error: Exception, status: str) -> None:
    class Short(DockerHost):
        def fetch(self, *words: Any, **more: Any) -> HttpReply:
            raise error

    (found,) = runner.look(CHECK, facts(Short()))
    assert found.status == status, found.summary


def test_no_password_of_another_variable_gets_into_dockers_file() -> None:
    host = behind()
    host.variables["http_proxy"] = "http://joe:s3cret@proxy.example.net:3128"
    assert offered(host) == ()
