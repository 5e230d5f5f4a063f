"""A mailcow behind a reverse proxy: two real web servers, the inner one on loopback, each in its own way."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from lab import certificates as made
from lab.inside import CHECKOUT, needs, wait_until
from lab.mail_server import NAME
from lab.netns import Namespace, link
from lab.skip import or_skip

pytestmark = pytest.mark.real

ADDRESS, NEIGHBOUR = "192.88.99.10", "192.88.99.20"
CONF = (
    f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\nHTTP_BIND=127.0.0.1\nHTTP_PORT=8080\n"
    "HTTPS_BIND=127.0.0.1\nHTTPS_PORT=8443\nHTTP_REDIRECT=n\n"
)
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Place(NamedTuple):
    """A machine, and a directory with its certificates."""

    machine: Namespace
    files: Path

    @contextmanager
    def nginx(self, name: str, servers: str) -> Iterator[None]:
        """A web server, running."""
        files = self.files / name
        files.mkdir(exist_ok=True)
        temporary = "".join(f"{one}_temp_path {files}/{one};\n" for one in _TEMPORARY)
        (files / "nginx.conf").write_text(
            f"pid {files}/pid; error_log {files}/log; events {{}} http {{ access_log off;\n{temporary}"
            f"default_type text/html;\n{servers} }}\n"
        )
        argv = ["nginx", "-c", str(files / "nginx.conf"), "-p", str(files), "-g", "daemon off;"]
        started = self.machine.start(argv)
        try:
            assert wait_until((files / "pid").exists, 20)
            yield
        finally:
            started.terminate()
            started.wait(20)

    def found(self) -> dict[str, tuple[str, str]]:
        """Status and summary of each finding."""
        (self.files / "mailcow.conf").write_text(CONF)
        program = [sys.executable, "-m", "tests.real.mail_looks", str(self.files), ADDRESS]
        authority = str(self.files / "authority.pem")
        argv = ["env", "-C", str(CHECKOUT), *program, authority, "mail.ports", "mail.certificate"]
        ran = self.machine.run(argv, timeout=100)
        return {key: (row[0], row[1]) for key, row in json.loads(ran.stdout).items()}

    def pair(self, name: str, *names: str) -> str:
        """A certificate, as nginx wants it."""
        certificate, key = made.issued(self.files, name, *names)
        return f"ssl_certificate {certificate}; ssl_certificate_key {key};"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    files = tmp_path_factory.mktemp("front")
    files.chmod(0o755)
    with or_skip():
        needs("nginx", "ip")
        made.authority(files)
    with or_skip(), Namespace.create() as machine, Namespace.create() as other:
        link(machine, other, f"{ADDRESS}/24", f"{NEIGHBOUR}/24")
        found = Place(machine, files)
        inner = (
            f"server {{ listen 127.0.0.1:8443 ssl; {found.pair('inner', NAME)}\n"
            "location / { return 200 '<title>mailcow UI</title>'; } }\n"
            "server { listen 127.0.0.1:8080; location / { return 200 '<title>mailcow UI</title>'; } }\n"
        )
        with found.nginx("inner", inner):
            yield found


def front(pair: str, inside: str) -> str:
    """A proxy with this certificate, which answers so."""
    return (
        f"server {{ listen {ADDRESS}:80; return 301 https://$host$request_uri; }}\n"
        f"server {{ listen {ADDRESS}:443 ssl; {pair} location / {{ {inside} }} }}\n"
    )


def test_nobody_is_before_it(place: Place) -> None:
    found = place.found()
    assert found["mail.ports 8443"][0] == "pass", found
    assert found["mail.ports 443"][0] == "warn"
    assert f"nothing listens at {ADDRESS}:443, where a reverse proxy" in found["mail.ports 443"][1]
    assert found["mail.certificate"][0] == "pass", found


def test_it_leads_to_mailcow(place: Place) -> None:
    with place.nginx("good", front(place.pair("good", NAME), "proxy_pass http://127.0.0.1:8080;")):
        found = place.found()
    assert found["mail.ports 443"] == ("pass", f"the reverse proxy before mailcow answers at {ADDRESS}:443")
    assert found["mail.ports 80"][0] == "pass"
    # It has a certificate of its own, which is none of mailcow's.
    assert found["mail.certificate"][0] == "pass", found


@pytest.mark.parametrize(
    ("name", "inside", "words"),
    [
        ("astray", "proxy_pass http://127.0.0.1:1;", "502 Bad Gateway: the reverse proxy does not come"),
        ("other", "return 200 '<title>Welcome to nginx!</title>';", "another page than mailcow: Welcome to"),
        ("closed", "return 403;", "443 answers 403 Forbidden: mailcow's pages are not there"),
        ("away", "return 301 https://shop.example.org$request_uri;", "443 leads on to shop.example.org, and"),
    ],
)
def test_it_leads_elsewhere(place: Place, name: str, inside: str, words: str) -> None:
    with place.nginx(name, front(place.pair(name, NAME), inside)):
        found = place.found()
    assert (found["mail.ports 443"][0], words in found["mail.ports 443"][1]) == ("warn", True), found
    assert found["mail.ports 8443"][0] == "pass"


def test_its_certificate_is_for_another_name(place: Place) -> None:
    servers = front(place.pair("stranger", "www.example.net"), "proxy_pass http://127.0.0.1:8080;")
    with place.nginx("stranger", servers):
        found = place.found()
    said = found["mail.certificate"]
    assert (said[0], "on port 443 is for www.example.net" in said[1]) == ("warn", True), said
