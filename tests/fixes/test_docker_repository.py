"""Whether Docker's repository is one that the package manager reads."""

import pytest

from mailcow_wizard.fixes import docker_repository
from mailcow_wizard.host.errors import Denied
from tests.docker_machine import DockerHost, facts

_LINE = "deb [arch=amd64 signed-by=/x.asc] https://download.docker.com/linux/debian bookworm stable\n"
_STANZA = "Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: bookworm\n"
_SECTION = (
    "[docker-ce-stable]\nbaseurl=https://download.docker.com/linux/centos/9/x86_64/stable\nenabled={}\n"
)


@pytest.mark.parametrize(
    ("name", "text", "known"),
    [
        ("apt/sources.list", f"deb http://deb.debian.org/debian bookworm main\n\n{_LINE}", True),
        ("apt/sources.list.d/docker.list", _LINE, True),
        ("apt/sources.list.d/docker.list", f"# {_LINE}", False),
        ("apt/sources.list.d/docker.list.distUpgrade", _LINE, False),
        ("apt/sources.list.d/docker.list.save", _LINE, False),
        ("apt/sources.list.d/docker.sources", _STANZA, True),
        ("apt/sources.list.d/docker.sources", f"Enabled: no\n{_STANZA}", False),
        ("yum.repos.d/docker-ce.repo", _SECTION.format(1), True),
        ("yum.repos.d/docker-ce.repo", f"{_SECTION.format(0)}\n[more]\nenabled=1\n", False),
        ("yum.repos.d/docker-ce.repo.rpmsave", _SECTION.format(1), False),
    ],
)
def test_dockers_repository_is_known_where_it_is_read(name: str, text: str, known: bool) -> None:
    """A newer release of the system switches others' repositories off, and keeps their files."""
    host = DockerHost(files={f"/etc/{name}": text})
    assert docker_repository.is_configured(facts(host)) is known


def test_it_is_known_beside_a_file_that_is_not_ours_to_read() -> None:
    """One with credentials is root's alone."""
    files = {"/etc/apt/sources.list": Denied("no"), "/etc/apt/sources.list.d/docker.list": _LINE}
    assert docker_repository.is_configured(facts(DockerHost(files=files)))
