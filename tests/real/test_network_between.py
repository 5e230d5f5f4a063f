"""Somebody in between takes connections, or ends those to some names: real packets, real TLS."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import certificates, outside
from lab.inside import wait_until
from lab.outside import INTERCEPTOR, SILENT, WEB, World
from lab.skip import or_skip

from mailcow_wizard import requirements_network as need
from tests.real.network_looks import look


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with or_skip(), outside.outside() as made:
        yield made


_SPEAKS = """
import socket, ssl, struct, sys
address, certificate, key, unwanted, swallowed, *others = sys.argv[1:]
context, other = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in "ab")
context.load_cert_chain(certificate, key)
if others:
    other.load_cert_chain(*others[1:])
    which = {others[0]: other}
    context.sni_callback = lambda link, name, _: setattr(link, "context", which.get(name, context))
kept = []
one = socket.create_server((address, 8443), backlog=512)
while True:
    link, _ = one.accept()
    try:
        if unwanted and unwanted.encode() in link.recv(4096, socket.MSG_PEEK):
            if swallowed:
                kept.append(link)
                continue
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.close()
            continue
        with context.wrap_socket(link, server_side=True) as spoken:
            spoken.recv(1000)
            spoken.sendall(b"HTTP/1.1 302 Found\\r\\nLocation: /login\\r\\n\\r\\n")
    except OSError:
        pass
"""


@contextmanager
def in_between(
    world: World,
    certificate: tuple[Path, Path],
    *rules: str,
    unwanted: str = "",
    swallowed: bool = False,
    other: tuple[str | Path, ...] = (),
) -> Iterator[None]:
    """Somebody speaks TLS with this certificate, and by these rules of the provider's gets the connections;
    those in which it reads the unwanted name are reset, or never answered. `other`: a name that it shows
    another certificate for."""
    words = (INTERCEPTOR, *map(str, certificate), unwanted, "yes" if swallowed else "", *map(str, other))
    process = world.far.start([sys.executable, "-c", _SPEAKS, *words])
    listening = ["ss", "-Hltn", f"src {INTERCEPTOR}:8443"]
    assert wait_until(lambda: "LISTEN" in world.far.run(listening).stdout, 30)
    try:
        with world.rule(*rules, hook="prerouting"):
            yield
    finally:
        process.kill()
        process.wait()


PORTAL = (
    f"ip daddr != 0.0.0.0 tcp dport 443 dnat ip to {INTERCEPTOR}:8443",
    f"ip daddr != 0.0.0.0 tcp dport 80 dnat ip to {WEB}",
)
FILTER = f"ip daddr {WEB} tcp dport 443 dnat ip to {INTERCEPTOR}:8443"
GITHUB, RSYNC, HUB, PLAIN = (
    f"outbound-hosts {one}/tcp"
    for one in ("github.com:443", "rsync.sanesecurity.net:873", "hub.docker.com:443", "github.com:80")
)


def test_who_takes_every_connection_is_not_the_host(world: World) -> None:
    ports = "tcp dport { 80, 443, 873 }"
    with world.rule(f"ip daddr != 0.0.0.0 {ports} dnat ip to {SILENT}", hook="prerouting"):
        silent = look(world, "outbound-hosts", record="yes")
    assert {silent.status(one) for one in (GITHUB, RSYNC)} == {"unknown"}
    assert "somebody in between takes every connection" in silent.summary(RSYNC)
    assert silent.replayed
    assert silent.seconds < 4.2
    with in_between(world, certificates.issued(world.shelf, "portal", "portal.example"), *PORTAL):
        seen = look(world, "outbound-hosts")
        assert (seen.status(GITHUB), seen.status(HUB)) == ("fail", "warn")
        assert "it is not github.com that answers on port 443" in seen.summary(GITHUB)
        # Who has the host's certificate is the host, or leads to it.
        assert seen.status(RSYNC) == "pass"
    with in_between(world, certificates.issued(world.shelf, "real", "github.com", "hub.docker.com"), *PORTAL):
        seen = look(world, "outbound-hosts")
        assert {seen.status(one) for one in (GITHUB, HUB, RSYNC)} == {"pass"}
        assert "whether github.com answers on port 80 is not known" in seen.summary(PLAIN)


def test_a_filter_that_goes_by_names_lets_connections_open(world: World) -> None:
    pair = certificates.issued(world.shelf, "web", "ghcr.io", "registry-1.docker.io", "auth.docker.io")
    with in_between(world, pair, FILTER, unwanted="github.com"):
        seen = look(world, "outbound-hosts", record="yes")
    assert seen.status(GITHUB) == "fail"
    assert "port 443 of github.com opens, but no encryption comes about" in seen.summary(GITHUB)
    assert "reset" in seen.summary(GITHUB)
    assert seen.status("outbound-hosts ghcr.io:443/tcp") == "pass"
    # What this machine has no certificate of is somebody else, who looks into what is encrypted.
    acme = "outbound-hosts acme-v02.api.letsencrypt.org:443/tcp"
    assert seen.status(acme) == "fail"
    assert "shows no certificate that this machine trusts" in seen.summary(acme)
    # TLS says nothing of what is asked for without it.
    assert seen.status(PLAIN) == "pass"
    assert seen.replayed


def test_a_name_that_is_never_answered_is_not_known_to_be_there(world: World) -> None:
    pair = certificates.issued(world.shelf, "few", "ghcr.io", "registry-1.docker.io", "auth.docker.io")
    with in_between(world, pair, FILTER, unwanted="github.com", swallowed=True):
        seen = look(world, "outbound-hosts", record="yes")
    assert seen.status(GITHUB) == "unknown"
    assert "nothing comes back once TLS has named it, while other hosts answer" in seen.summary(GITHUB)
    assert (seen.status("outbound-hosts ghcr.io:443/tcp"), seen.status(PLAIN)) == ("pass", "pass")
    assert seen.replayed
    assert seen.seconds < 4.2


def test_where_nobody_answers_over_tls_an_open_port_proves_nothing(world: World) -> None:
    """Nobody takes every connection; those that TLS is spoken in are never answered."""
    with world.rule(f"ip daddr {WEB} tcp dport 443 dnat ip to {SILENT}", hook="prerouting"):
        seen = look(world, "outbound-hosts", record="yes")
    assert (seen.status(GITHUB), seen.status(PLAIN), seen.status(RSYNC)) == ("unknown", "pass", "pass")
    assert "when encryption (TLS) begins no host answers there" in seen.summary(GITHUB)
    assert seen.status("outbound-hosts api.github.com:443/tcp") == "unknown"
    assert seen.replayed
    assert seen.seconds < 4.2


def test_whom_the_environment_alone_names_is_not_trusted(world: World, tmp_path: Path) -> None:
    """Docker and git do not ask a shell whom to trust."""
    trusting = ("env", f"SSL_CERT_FILE={certificates.authority(tmp_path, 'Private')}")
    pair = certificates.issued(tmp_path, "web", *(one.host for one in need.OUTGOING))
    with in_between(world, pair, FILTER):
        seen = look(world, "outbound-hosts", user=trusting)
    assert seen.status(GITHUB) == "fail"
    assert "Private Authority, whom this machine does not trust" in seen.summary(GITHUB)


@pytest.mark.parametrize("several", [True, False])
def test_whom_this_machine_lacks_is_told_from_who_looks_into_everything(
    world: World, tmp_path: Path, several: bool
) -> None:
    """Hosts are certified by several authorities; who looks into what is encrypted signs for all alike."""
    (tmp_path / "more").mkdir()
    certificates.authority(tmp_path, "First")
    certificates.authority(tmp_path / "more", "Second")
    names = ("github.com", "ghcr.io", "registry-1.docker.io", "acme-v02.api.letsencrypt.org")
    pair = certificates.issued(tmp_path, "web", *names)
    other = certificates.issued(tmp_path / "more", "web", *names)
    more = ("ghcr.io", *other) if several else ()
    with in_between(world, pair, FILTER, other=more):
        seen = look(world, "outbound-hosts", record="yes")
    one = seen.checks[GITHUB]
    assert (one["status"], "First Authority" in one["summary"]) == ("fail", True), one["summary"]
    assert ("list of authorities does not have" in one["summary"]) is several
    assert ("Somebody on the way" in one["remedies"][0]) is not several
    assert seen.replayed


@pytest.mark.parametrize(("taken", "status"), [(3, "unknown"), (2, "unknown"), (1, "pass")])
def test_one_of_nobodys_addresses_may_be_somebodys_or_lost(world: World, taken: int, status: str) -> None:
    nobody = need.NOBODYS_ADDRESSES[4]
    rules = [f"ip daddr {one} tcp dport 873 dnat ip to {WEB}" for one in nobody[:taken]]
    rules += [f"ip daddr {one} drop" for one in nobody[taken:]]
    with world.rule(*rules, hook="prerouting"):
        seen = look(world, "outbound-hosts")
    assert seen.status(RSYNC) == status, seen.summary(RSYNC)
    # TLS tells who it is.
    assert seen.status(GITHUB) == "pass"
