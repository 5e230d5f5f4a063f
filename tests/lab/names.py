"""A small internet of names in one network namespace: root servers at their real addresses, top-level
domains, two name servers that can disagree, validating resolvers as 1.1.1.1, 8.8.8.8, 9.9.9.9 and the
system's. Real knot and unbound, DNSSEC from the root down. No packet leaves the namespace.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mailcow_wizard.requirements_dns import PUBLIC_RESOLVERS, ROOT_SERVERS_V4, ROOT_SERVERS_V6

from . import zones
from .inside import LabError, needs, wait_until
from .netns import Namespace

RESOLVER = "192.88.99.153"
_UPPER = (*ROOT_SERVERS_V4, *ROOT_SERVERS_V6, "192.88.99.129", "2d00:113:1::129")
_NS1, _NS2 = ("192.88.99.130", "2d00:113:1::130"), ("192.88.99.131", "2d00:113:1::131")
_LAME = ("192.88.99.132",)
_RESOLVERS = (RESOLVER, *PUBLIC_RESOLVERS)
_KEYS = ("generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes")
UPDATE_KEY = "hmac-sha256:lab-key:bGFiLWtleS1vZi10aGUtdGVzdC1pbnRlcm5ldC0wMDE="


class _Server:
    """One knotd with its zones."""

    def __init__(
        self, home: Path, addresses: Sequence[str], texts: dict[str, str], signed: Sequence[str]
    ) -> None:
        self.home = home
        self.signed = signed
        self.config = home / "knot.conf"
        (home / "db").mkdir(parents=True, exist_ok=True)
        for zone, text in texts.items():
            self.path(zone).write_text(f"$ORIGIN {_dotted(zone)}\n$TTL 300\n{text}")
        algorithm, name, secret = UPDATE_KEY.split(":")
        self.config.write_text(
            f"server:\n  rundir: {home}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
            + "".join(f"  listen: {one}@53\n" for one in addresses)
            + f"database:\n  storage: {home}/db\nlog:\n  - target: {home}/log\n    any: warning\n"
            + f"key:\n  - id: {name}\n    algorithm: {algorithm}\n    secret: {secret}\n"
            + f"acl:\n  - id: update\n    action: [update, transfer]\n    key: {name}\n"
            + "policy:\n  - id: hand\n    manual: on\n    single-type-signing: on\n"
            + "    algorithm: ecdsap256sha256\n"
            + "zone:\n"
            + "".join(self._zone(zone) for zone in texts)
        )

    def path(self, zone: str) -> Path:
        return self.home / f"{'root' if zone == '.' else zone}.zone"

    def _zone(self, zone: str) -> str:
        signing = "    dnssec-signing: on\n    dnssec-policy: hand\n" if zone in self.signed else ""
        return (
            f"  - domain: {_dotted(zone)}\n    file: {self.path(zone)}\n    acl: update\n"
            "    zonefile-sync: -1\n    zonefile-load: difference-no-serial\n    journal-content: all\n"
            f"{signing}"
        )

    def make_keys(self) -> None:
        for zone in self.signed:
            _run("keymgr", "-c", self.config, _dotted(zone), *_KEYS)

    def digest(self, zone: str) -> str:
        """The zone's DS record, SHA-256."""
        lines = _run("keymgr", "-c", self.config, _dotted(zone), "ds").splitlines()
        return next(line.partition(" DS ")[2] for line in lines if line.split()[4] == "2")


class Names:
    """The running internet; `run` runs a program in it as on the server."""

    def __init__(self, namespace: Namespace, home: Path) -> None:
        self.namespace = namespace
        self._home = home
        self._lower = (home / "ns1", home / "ns2")

    def run(
        self, argv: Sequence[str], timeout: float = 60.0, check: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command on the server to its end."""
        return self.namespace.run(argv, timeout=timeout, check=check)

    def put(self, name: str, type: str, *values: str, only: int | None = None, flush: bool = True) -> None:
        """Replaces a record at both name servers, or at one (0 or 1); no values take it away."""
        zone = next(one for one in self._enclosing(name) if one in zones.LOWER)
        for place, home in enumerate(self._lower):
            if only in (None, place):
                knotc = ("knotc", "-b", "-c", home / "knot.conf")
                _run(*knotc, "zone-begin", _dotted(zone))
                subprocess.run(
                    [*map(str, knotc), "zone-unset", zone, _dotted(name), type], capture_output=True
                )
                for value in values:
                    _run(*knotc, "zone-set", _dotted(zone), _dotted(name), "300", type, value)
                _run(*knotc, "zone-commit", _dotted(zone))
        if flush:
            self.forget()

    @contextmanager
    def changed(
        self,
        name: str,
        type: str,
        *values: str,
        before: Sequence[str],
        only: int | None = None,
        flush: bool = True,
    ) -> Iterator[None]:
        """A record that is another for a while, and then `before` again."""
        self.put(name, type, *values, only=only, flush=flush)
        try:
            yield
        finally:
            self.put(name, type, *before)

    def forget(self) -> None:
        """Empties the resolvers' caches."""
        for what in (("flush_zone", "."), ("flush_infra", "all")):
            _run("unbound-control", "-c", self._home / "unbound.conf", *what)

    def _enclosing(self, name: str) -> Iterator[str]:
        while name:
            yield name
            name = name.partition(".")[2]


@contextmanager
def internet_of_names() -> Iterator[Names]:
    """Starts it all; raises LabError where it cannot be."""
    needs("ip", "knotd", "keymgr", "knotc", "unbound", "unbound-control")
    home = Path(tempfile.mkdtemp(prefix="wizard-names-"))
    home.chmod(0o755)
    try:
        with Namespace.create() as namespace:
            private = Path("/etc/netns") / namespace.name
            try:
                _addresses(namespace)
                private.mkdir(parents=True)
                (private / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
                (private / "hosts").write_text("127.0.0.1 localhost\n127.0.1.1 mail.example.org mail\n")
                _start(namespace, home)
                yield Names(namespace, home)
            finally:
                shutil.rmtree(private, ignore_errors=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _addresses(namespace: Namespace) -> None:
    """Every address of the small internet on `lo`, and a way out with the server's own as source."""
    own = (zones.SERVER_V4, zones.SERVER_V6)
    batch = "".join(
        f"addr add {one}/{128 if ':' in one else 32} dev lo{' nodad' if ':' in one else ''}\n"
        for one in (*own, *_UPPER, *_NS1, *_NS2, *_LAME, *_RESOLVERS)
    )
    batch += f"route add default dev lo src {own[0]}\n-6 route add default dev lo src {own[1]}\n"
    for line in batch.splitlines():
        namespace.run(["ip", *line.split()])


def _start(namespace: Namespace, home: Path) -> None:
    ns1 = _Server(home / "ns1", _NS1, zones.LOWER, zones.SIGNED_LOWER)
    ns1.make_keys()
    shutil.copytree(home / "ns1" / "db", home / "ns2" / "db")
    ns2 = _Server(home / "ns2", _NS2, zones.LOWER, zones.SIGNED_LOWER)
    lame = _Server(home / "lame", _LAME, {}, ())
    upper = _Server(home / "upper", _UPPER, {".": _root(), **zones.UPPER}, (".", *zones.SIGNED_UPPER))
    upper.make_keys()
    for zone in (*zones.SIGNED_LOWER, *zones.SIGNED_UPPER):
        owner = ns1 if zone in zones.SIGNED_LOWER else upper
        digest = owner.digest(zone)
        if zone == zones.BOGUS:
            digest = digest.rpartition(" ")[0] + " " + "0" * 64
        parent = zone.partition(".")[2] if zone in zones.SIGNED_LOWER else "."
        with upper.path(parent).open("a") as file:
            file.write(f"{_dotted(zone)} DS {digest}\n")
    for server in (upper, ns1, ns2, lame):
        namespace.start(["knotd", "-c", str(server.config)])
    _until(lambda: all(_soa(namespace, one, zone) for one, zone in _SERVED), "the name servers")
    _start_resolvers(namespace, home, upper.digest("."))


_SERVED = ((ROOT_SERVERS_V4[0], "org"), (_NS1[0], "example.org"), (_NS2[0], "example.org"))


def _start_resolvers(namespace: Namespace, home: Path, anchor: str) -> None:
    hints = "".join(
        f". 518400 NS {letter}.root-servers.net.\n{letter}.root-servers.net. 518400 A {v4}\n"
        for letter, v4 in zip("abcdefghijklm", ROOT_SERVERS_V4, strict=True)
    )
    (home / "root.hints").write_text(hints)
    (home / "root.ds").write_text(f". DS {anchor}\n")
    interfaces = "".join(f"  interface: {one}\n" for one in _RESOLVERS)
    (home / "unbound.conf").write_text(
        f'server:\n{interfaces}  directory: "{home}"\n  chroot: ""\n  username: ""\n'
        f'  pidfile: "{home}/unbound.pid"\n  use-syslog: no\n  num-threads: 1\n'
        "  access-control: 0.0.0.0/0 allow\n  access-control: ::/0 allow\n"
        '  root-hints: root.hints\n  trust-anchor-file: root.ds\n  module-config: "validator iterator"\n'
        f'  local-zone: "{zones.REVERSE_V4}." nodefault\n  ede: yes\n  do-not-query-localhost: no\n'
        f"remote-control:\n  control-enable: yes\n  control-interface: {home}/unbound.ctl\n"
    )
    namespace.start(["unbound", "-d", "-c", str(home / "unbound.conf")])
    _until(lambda: _soa(namespace, RESOLVER, "example.org", "+rec"), "the resolver")


def _root() -> str:
    tops = "".join(f"{one} NS ns1.tld.net.\n" for one in zones.UPPER)
    letters = zip("abcdefghijklm", ROOT_SERVERS_V4, ROOT_SERVERS_V6, strict=True)
    roots = "".join(
        f"@ NS {one}.root-servers.net.\n{one}.root-servers.net. A {v4}\n{one}.root-servers.net. AAAA {v6}\n"
        for one, v4, v6 in letters
    )
    soa = "@ SOA a.root-servers.net. nstld.root-servers.net. 1 1800 900 604800 60\n"
    return f"{soa}{roots}{tops}ns1.tld.net. A 192.88.99.129\nns1.tld.net. AAAA 2d00:113:1::129\n"


def _soa(namespace: Namespace, server: str, zone: str, *more: str) -> bool:
    asked = namespace.run(
        ["kdig", "+short", "+time=1", "+retry=0", *more, f"@{server}", zone, "SOA"], check=False
    )
    return "hostmaster" in asked.stdout


def _until(ready: object, what: str) -> None:
    if not wait_until(ready, 60.0):  # type: ignore[arg-type]
        raise LabError(f"{what} did not start in time")


def _dotted(name: str) -> str:
    return name if name.endswith(".") else f"{name}."


def _run(*words: object) -> str:
    done = subprocess.run([str(one) for one in words], capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"{words[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout
