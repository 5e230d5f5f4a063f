"""A server, its provider's router, and the outside, in three namespaces: real packets, real rules.

    with outside() as world:
        with world.rule("meta nfproto ipv4 tcp dport 25 drop"):
            world.server.run([...])

The outside has root servers at their real addresses (knot, a signed root that holds every name), mail servers
of four operators that greet with names of their own, the hosts that mailcow talks to, which speak TLS with a
certificate of an authority that the server has on its list, the public resolvers.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mailcow_wizard import requirements_dns
from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts.network.mirrors import mirrors
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.model import Settings

from . import certificates
from .inside import LabError, end, needs, wait_until
from .netns import Namespace, link

SERVER_V4, SERVER_V6 = "192.88.99.10", "2d00:113::10"
RESOLVER = "192.88.99.153"
WEB, WEB_V6 = "192.88.99.161", "2d00:113:1::161"
REFUSER = "192.88.99.154"
SILENT = "192.88.99.155"
INTERCEPTOR = "192.88.99.199"
MAILS = {
    "gmail.com": ("mx.google.com", "74.125.1.26", "2607:f8b0::26"),
    "outlook.com": ("mail.protection.outlook.com", "52.101.1.26", "2a01:111::26"),
    "gmx.net": ("mx00.gmx.net", "212.227.1.26", ""),
    "web.de": ("mx-ha.web.de", "213.165.1.26", "2001:8d8::26"),
}
RELAY = "74.125.1.109"
_PINGED = (*need.HEALTHCHECK_PINGS, *need.IPV6_PINGS)
_ROOTS = (*requirements_dns.ROOT_SERVERS_V4, *requirements_dns.ROOT_SERVERS_V6)
_HTTPS = 443
_PROGRAM = Path(__file__).with_name("far_side.py")


class World:
    """The three places, and rules of the provider's router."""

    def __init__(self, server: Namespace, router: Namespace, far: Namespace, home: Path) -> None:
        self.server, self.router, self.far, self.home = server, router, far, home
        self.shelf = home / "web"
        self._names: subprocess.Popen[bytes] | None = None

    @contextmanager
    def rule(self, *rules: str, where: Namespace | None = None, hook: str = "forward") -> Iterator[None]:
        """Rules of nft for packets that pass (or of another hook of another place), for a while."""
        place = where or self.router
        kind = (
            "nat hook prerouting priority dstnat"
            if hook == "prerouting"
            else f"filter hook {hook} priority 0"
        )
        text = "\n".join(rules)
        ruleset = f"table inet fault {{\nchain c {{\ntype {kind};\n{text}\n}}\n}}\n"
        place.run(["nft", "-f", "-"], text=ruleset)
        try:
            yield
        finally:
            place.run(["nft", "delete", "table", "inet", "fault"])

    def serve_names(self, env: Mapping[str, str] | None = None) -> None:
        """Starts the name server, which signs its zone now, by the clock that this environment makes it see.
        Raises LabError."""
        for one in ("journal", "timers"):
            shutil.rmtree(self.home / "db" / one, ignore_errors=True)
        self._names = self.far.start(["knotd", "-c", str(self.home / "knot.conf")], env)
        ready = ["kdig", "+short", "+time=1", "+retry=0", f"@{RESOLVER}", "gmail.com", "MX"]
        if not wait_until(lambda: "google" in self.far.run(ready, check=False).stdout, 60.0):
            raise LabError("the name server outside did not start in time")

    def end_names(self) -> None:
        """Nobody answers for names any more."""
        if self._names:
            end(self._names)

    @property
    def anchor(self) -> str:
        """The DS record of the root, whose key signs all that is here."""
        said = self.far.run(["keymgr", "-c", str(self.home / "knot.conf"), ".", "ds"]).stdout
        return next(line.partition(" DS ")[2] for line in said.splitlines() if line.split()[4] == "2")

    @contextmanager
    def published(self, type: str, value: str, name: str = "mail.example.org") -> Iterator[None]:
        """A record that is there for a while."""
        self._zone("zone-set", ".", f"{name}.", "300", type, value)
        try:
            yield
        finally:
            self._zone("zone-unset", ".", f"{name}.", type)

    def _zone(self, *words: str) -> None:
        for one in (("zone-begin", "."), words, ("zone-commit", ".")):
            self._knotc(*one)

    def _knotc(self, *words: str) -> None:
        self.far.run(["knotc", "-b", "-c", str(self.home / "knot.conf"), *words])

    def publish(self, name: str, address: str) -> None:
        """The name has this IPv4 address alone, until the name server starts anew."""
        if self.far.run(["kdig", "+short", f"@{RESOLVER}", name, "A"]).stdout.strip():
            self._zone("zone-unset", ".", f"{name}.", "A")
        self._zone("zone-set", ".", f"{name}.", "300", "A", address)

    @contextmanager
    def changed(
        self, do: Sequence[str], undo: Sequence[str], where: Namespace | None = None
    ) -> Iterator[None]:
        """Commands in the server's place (or another), and those that take them back."""
        place = where or self.server
        try:
            for line in do:
                place.run(line.split())
            yield
        finally:
            for line in undo:
                place.run(line.split(), check=False)


@contextmanager
def outside() -> Iterator[World]:
    """Starts it all; raises LabError where it cannot be."""
    needs("ip", "nft", "ping", "knotd", "keymgr", "kdig")
    home = Path(tempfile.mkdtemp(prefix="wizard-outside-"))
    home.chmod(0o755)
    try:
        with Namespace.create() as server, Namespace.create() as router, Namespace.create() as far:
            private = Path("/etc/netns") / server.name
            try:
                private.mkdir(parents=True)
                (private / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
                (private / "hosts").write_text("127.0.0.1 localhost\n")
                _cables(server, router, far)
                _far_addresses(far)
                world = World(server, router, far, home)
                _vouch(world.shelf, private / "ssl/certs")
                _start(world)
                # A fresh interface waits a second or two before its IPv6 address may be used.
                if not wait_until(lambda: _reaches(server, need.IPV6_PINGS[0]), 30.0):
                    raise LabError("IPv6 does not pass between the namespaces")
                yield world
            finally:
                shutil.rmtree(private, ignore_errors=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _vouch(shelf: Path, listed: Path) -> None:
    """An authority, which is on the server's list, and the certificate of all hosts."""
    shelf.mkdir()
    listed.mkdir(parents=True)
    shutil.copy(certificates.authority(shelf), listed / "ca-certificates.crt")
    certificates.issued(shelf, "hosts", *dict.fromkeys(one.host for one in need.OUTGOING))


def _cables(server: Namespace, router: Namespace, far: Namespace) -> None:
    link(server, router, f"{SERVER_V4}/25", "192.88.99.1/25", f"{SERVER_V6}/64", "2d00:113::1/64")
    link(router, far, "198.51.100.1/30", "198.51.100.2/30", "2d00:113:ff::1/64", "2d00:113:ff::2/64")
    for line in ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"):
        router.run(["sh", "-c", f"echo 1 > {line}"])
    for place, v4, v6 in (
        (server, "192.88.99.1", "2d00:113::1"),
        (router, "198.51.100.2", "2d00:113:ff::2"),
        (far, "198.51.100.1", "2d00:113:ff::1"),
    ):
        place.run(["ip", "route", "add", "default", "via", v4])
        place.run(["ip", "-6", "route", "add", "default", "via", v6])


def _far_addresses(far: Namespace) -> None:
    mails = [address for _, *both in MAILS.values() for address in both if address]
    for one in (*_ROOTS, *_PINGED, *mails, RESOLVER, WEB, WEB_V6, REFUSER, SILENT, INTERCEPTOR, RELAY):
        nodad = ["nodad"] if ":" in one else []
        far.run(["ip", "addr", "add", f"{one}/{128 if ':' in one else 32}", "dev", "lo", *nodad])


def _start(world: World) -> None:
    far = world.far
    _knot(world.home)
    lines = [
        f"greet {INTERCEPTOR} 25 220 filter.provider.net ESMTP",
        f"refuse {REFUSER}",
        f"accept {RELAY} 465",
    ]
    for name, *both in MAILS.values():
        lines += [f"greet {address} 25 220 {name} ESMTP ready" for address in both if address]
    for port in sorted({one.port for one in need.OUTGOING if one.protocol == "tcp"}):
        for address in (WEB, WEB_V6):
            secure = f"secure {address} {port} {world.shelf}/hosts.pem {world.shelf}/hosts.key"
            lines += [secure if port == _HTTPS else f"accept {address} {port}"]
        lines += [f"accept {SILENT} {port}"]
    lines += [
        f"sink {WEB} {port}" for port in sorted({one.port for one in need.OUTGOING if one.protocol == "udp"})
    ]
    lines += [f"time {WEB} 123", *(f"accept {one} 443" for one in _PINGED)]
    far.start([sys.executable, str(_PROGRAM), *lines])
    world.serve_names()
    listening = ["ss", "-Hltn", f"src {INTERCEPTOR}:25"]
    if not wait_until(lambda: "LISTEN" in far.run(listening, check=False).stdout, 60.0):
        raise LabError("the hosts outside did not start in time")


def _reaches(server: Namespace, address: str) -> bool:
    return server.run(["ping", "-c1", "-W1", address], check=False).returncode == 0


def _knot(home: Path) -> None:
    """Sets up one server for all names: a signed root without any delegation."""
    rows = ["@ SOA a.root-servers.net. nstld.root-servers.net. 1 1800 900 604800 60"]
    both = zip(requirements_dns.ROOT_SERVERS_V4, requirements_dns.ROOT_SERVERS_V6, strict=True)
    for letter, (v4, v6) in zip("abcdefghijklm", both, strict=True):
        name = f"{letter}.root-servers.net."
        rows += [f"@ NS {name}", f"{name} A {v4}", f"{name} AAAA {v6}"]
    for domain, (name, v4, v6) in MAILS.items():
        rows += [f"{domain}. MX 10 {name}.", f"{name}. A {v4}", *([f"{name}. AAAA {v6}"] if v6 else [])]
    own = Facts(RealHost(), Settings())
    hosts = (
        *(one.host for one in need.OUTGOING if one.protocol != "txt"),
        *(one.host for one in mirrors(own)),
    )
    for one in dict.fromkeys(hosts):
        rows += [f"{one}. AAAA {WEB_V6}"] if "ip6." in one else [f"{one}. A {WEB}"]
    rows += ['current.cvd.clamav.net. TXT "1.4.2:62"', f"smtp.gmail.com. A {RELAY}"]
    rows += [f"mail.example.org. A {SERVER_V4}", f"hub.docker.com. AAAA {WEB_V6}"]
    (home / "root.zone").write_text("$ORIGIN .\n$TTL 300\n" + "\n".join(rows) + "\n")
    (home / "db").mkdir()
    config = home / "knot.conf"
    config.write_text(
        f"server:\n  rundir: {home}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
        + "".join(f"  listen: {one}@53\n" for one in (*_ROOTS, RESOLVER))
        + f"database:\n  storage: {home}/db\nlog:\n  - target: {home}/log\n    any: warning\n"
        + "policy:\n  - id: hand\n    manual: on\n    single-type-signing: on\n"
        + "    algorithm: ecdsap256sha256\n"
        + f"zone:\n  - domain: .\n    file: {home}/root.zone\n    zonefile-sync: -1\n"
        + "    dnssec-signing: on\n    dnssec-policy: hand\n"
    )
    # Old enough for a name server whose clock is behind.
    old = ["publish=-1y", "ready=-1y", "active=-1y"]
    keys = ["generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes", *old]
    made = subprocess.run(["keymgr", "-c", str(config), ".", *keys], capture_output=True, text=True)
    if made.returncode:
        raise LabError(f"keymgr: {made.stderr.strip()[-300:]}")
