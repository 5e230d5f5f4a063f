"""Where packages come from, read of the package tools' own files."""

from collections.abc import Mapping

import pytest

from mailcow_wizard.facts.network.mirrors import Mirror, mirrors, of_apk, of_apt, of_dnf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Settings
from tests.fake_host import FakeHost

LIST = """
# deb http://old.example.org/debian bookworm main
deb http://deb.debian.org/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://mirror.example.net:8443/debian bookworm main
deb-src http://sources.example.org/debian bookworm main
deb cdrom:[Debian 12]/ bookworm main
deb mirror+file:/etc/apt/mirrors.txt bookworm main
deb https://user:secret@private.example.org/debian bookworm main
"""
SOURCES = """Types: deb
URIs: http://deb.debian.org/debian
  http://second.example.org/debian
# http://comment.example.org/
Suites: bookworm

Enabled: no
Types: deb
URIs: http://off.example.org/debian

Types: deb
URIs: file:/srv/debian
"""
REPO = """[baseos]
name=Alma
mirrorlist=https://mirrors.almalinux.org/mirrorlist/$releasever/baseos
# baseurl=https://repo.almalinux.org/almalinux/$releasever/
enabled=1

[debug]
baseurl = http://debug.example.org/
enabled = 0

[two]
baseurl=http://a.example.org/x, https://b.example.org/y
[odd]
baseurl=https://$stream.example.org/
"""
APK = "http://dl-cdn.alpinelinux.org/alpine/v3.20/main\n@edge https://edge.example.org/x\n#http://c.example.org/\n/media/cdrom\n"


def test_what_the_files_name() -> None:
    debian = Mirror("deb.debian.org", 80)
    private = Mirror("private.example.org", 443)
    assert of_apt(LIST) == (debian, Mirror("mirror.example.net", 8443), private)
    assert of_apt(SOURCES) == (debian, Mirror("second.example.org", 80))
    assert of_dnf(REPO) == (
        Mirror("mirrors.almalinux.org", 443),
        Mirror("a.example.org", 80),
        Mirror("b.example.org", 443),
    )
    assert of_apk(APK) == (Mirror("dl-cdn.alpinelinux.org", 80), Mirror("edge.example.org", 443))


@pytest.mark.parametrize(
    "text",
    ["", "deb http:///x", "deb http://-a-/x", "deb http://a..b/", "deb http://x:99999/", "URIs:\n\n \n"],
)
def test_what_names_nothing(text: str) -> None:
    assert of_apt(text) == of_dnf(text) == of_apk(text) == ()


DEBIAN = {"/etc/os-release": "ID=debian\n", "/etc/apt/sources.list": LIST, "/etc/apt/sources.list.d/": ""}
TOOLS = ("git", "openssl", "curl", "awk", "sha1sum", "grep", "cut", "jq", "cp", "sed")


def found(more: Mapping[str, str], tools: tuple[str, ...], **variables: str) -> tuple[Mirror, ...]:
    return mirrors(Facts(FakeHost({**DEBIAN, **more}, tools=tools, variables=variables), Settings()))


def test_only_what_the_installation_needs() -> None:
    assert len(found({}, TOOLS)) == 3
    assert len(found({}, ("docker",))) == 3
    assert found({}, (*TOOLS, "docker")) == ()
    # Who fetches through a proxy asks that.
    assert found({"/etc/apt/apt.conf.d/90proxy": 'Acquire::http::Proxy "http://p:3128";\n'}, TOOLS) == ()
    nested = 'Acquire {\n  http {\n    Proxy "http://p:3128";\n  };\n};\n'
    assert found({"/etc/apt/apt.conf": nested}, TOOLS) == ()
    assert found({}, TOOLS, http_proxy="http://p:3128") == ()
    assert len(found({"/etc/apt/apt.conf.d/20x": 'Acquire::Retries "3"; // proxy\n'}, TOOLS)) == 3
    many = "".join(f"deb http://m{n}.example.org/debian bookworm main\n" for n in range(20))
    assert len(found({"/etc/apt/sources.list": many}, TOOLS)) == 6
