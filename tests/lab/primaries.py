"""Two primaries that take dynamic updates, BIND and knot, in the small internet of names: each with a zone of
its own, a key for every algorithm, one that may change MX records only, one that may change nothing, and a
second zone that nobody may change.
"""

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .inside import LabError, end, needs, wait_until
from .names import Names

ALGORITHMS = ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-md5")
MX_ONLY, STRANGER = "mx-only", "stranger"
SECRETS = {
    name: base64.b64encode(f"{name}-of-the-small-internet-0123456789".encode()).decode()
    for name in (*ALGORITHMS, MX_ONLY, STRANGER)
}
_ADDRESSES = {"bind": "192.88.99.140", "knot": "192.88.99.142"}
SECONDARY = "192.88.99.144"


def algorithm_of(key: str) -> str:
    """The algorithm of a key; those that are not called by it have SHA-256."""
    return key if key in ALGORITHMS else "hmac-sha256"


def statement(key: str, secret: str = "") -> str:
    """A key as a file of BIND's."""
    said = secret or SECRETS[key]
    return f'key "{key}" {{\n\talgorithm {algorithm_of(key)};\n\tsecret "{said}";\n}};\n'


def line(key: str, secret: str = "") -> str:
    """A key as nsupdate and knsupdate take it."""
    return f"{algorithm_of(key)}:{key}:{secret or SECRETS[key]}\n"


class Primary:
    """A running server; `zone` may be changed by most keys, `closed` by none."""

    def __init__(self, kind: str, names: Names, home: Path) -> None:
        self.kind = kind
        self.names = names
        self.home = home
        self.address = _ADDRESSES[kind]
        self.zone = f"{kind}.example.net"
        self.closed = f"closed-{kind}.example.net"
        self.process: subprocess.Popen[bytes]

    def ask(self, name: str, type: str, at: str = "") -> list[str]:
        """What it has, or another server, in the zone file's form, sorted."""
        asked = ["kdig", "+short", "+norec", "+time=2", "+retry=1", f"@{at or self.address}", name, type]
        lines = self.names.run(asked, check=True).stdout.split("\n")
        return sorted(one for one in lines if one and not one.startswith(";"))

    def transfer(self, zone: str = "") -> list[str]:
        """All records of the zone but its SOA, sorted."""
        asked = [
            *("kdig", "+noall", "+answer", "+noidn", f"@{self.address}", zone or self.zone, "AXFR"),
            *("-y", line("hmac-sha256").strip()),
        ]
        rows = self.names.run(asked, check=True).stdout.splitlines()
        found = sorted({" ".join(one.split()) for one in rows if one and not one.startswith(";")})
        assert found
        return [one for one in found if " SOA " not in one and " TSIG " not in one]

    def key_file(self, place: Path, text: str) -> str:
        """A file that holds a key, of its owner alone."""
        path = place / "update.key"
        path.write_text(text)
        path.chmod(0o600)
        return str(path)


@contextmanager
def primary(kind: str, names: Names, records: str = "", secondary: bool = False) -> Iterator[Primary]:
    """Starts one; `records` are lines of its zone. With `secondary` knot has the zone too, as BIND's pupil.

    Raises LabError.
    """
    needs("named" if kind == "bind" else "knotd", "kdig", "knotd")
    home = Path(tempfile.mkdtemp(prefix="wizard-primary-"))
    home.chmod(0o755)
    server = Primary(kind, names, home)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for address in (server.address, SECONDARY):
            names.namespace.run(["ip", "addr", "replace", f"{address}/32", "dev", "lo"])
        for zone in (server.zone, server.closed):
            servers = (f"ns.{zone}", f"ns2.{zone}") if secondary and zone == server.zone else (f"ns.{zone}",)
            _delegate(server, zone, servers)
            (home / f"{zone}.zone").write_text(_zone(server, zone, servers, records))
        started.append(names.namespace.start(_bind(server) if kind == "bind" else _knot(server)))
        server.process = started[0]
        if secondary:
            started.append(names.namespace.start(_pupil(server)))
        _until(server, server.address)
        if secondary:
            _until(server, SECONDARY)
        names.forget()
        yield server
    finally:
        for process in reversed(started):
            end(process)
        shutil.rmtree(home, ignore_errors=True)


def _delegate(server: Primary, zone: str, servers: Sequence[str]) -> None:
    server.names.put(zone, "NS", *(f"{one}." for one in servers))
    for name, address in zip(servers, (server.address, SECONDARY), strict=False):
        server.names.put(name, "A", address)


def _zone(server: Primary, zone: str, servers: Sequence[str], records: str) -> str:
    own = "".join(f"@ NS {one}.\n" for one in servers)
    glue = zip(servers, (server.address, SECONDARY), strict=False)
    own += "".join(f"{name}. A {address}\n" for name, address in glue)
    soa = f"@ SOA ns.{zone}. hostmaster.{zone}. 1 3600 900 604800 60\n"
    return f"$ORIGIN {zone}.\n$TTL 300\n{soa}{own}{records if zone == server.zone else ''}"


def _bind(server: Primary) -> list[str]:
    grants = "".join(f"grant {one} zonesub ANY; " for one in ALGORITHMS)
    config = server.home / "named.conf"
    config.write_text(
        "".join(statement(one) for one in SECRETS)
        + f'options {{ directory "{server.home}"; pid-file none; session-keyfile none; recursion no;\n'
        f"  listen-on {{ {server.address}; }}; listen-on-v6 {{ none; }}; dnssec-validation no;\n"
        f"  notify explicit; also-notify {{ {SECONDARY}; }}; notify-source {server.address};\n"
        f"  notify-delay 0; query-source address {server.address}; }};\ncontrols {{ }};\n"
        f'zone "{server.zone}" {{ type primary; file "{server.zone}.zone";\n'
        f"  update-policy {{ {grants} grant {MX_ONLY} zonesub MX; }}; }};\n"
        f'zone "{server.closed}" {{ type primary; file "{server.closed}.zone"; }};\n'
    )
    return ["named", "-f", "-n", "1", "-c", str(config)]


def _knot(server: Primary) -> list[str]:
    keys = "".join(
        f"  - id: {one}\n    algorithm: {algorithm_of(one)}\n    secret: {secret}\n"
        for one, secret in SECRETS.items()
    )
    config = server.home / "knot.conf"
    config.write_text(
        f"server:\n  rundir: {server.home}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
        f"  listen: {server.address}@53\ndatabase:\n  storage: {server.home}/db\n"
        f"remote:\n  - id: pupil\n    address: {SECONDARY}\n    via: {server.address}\n"
        f"log:\n  - target: {server.home}/log\n    any: warning\nkey:\n{keys}acl:\n"
        f"  - id: all\n    action: [update, transfer]\n    key: [{', '.join(ALGORITHMS)}]\n"
        f"  - id: mx\n    action: update\n    key: {MX_ONLY}\n    update-type: [MX]\n"
        f"  - id: pupil\n    address: {SECONDARY}\n    action: transfer\n"
        f"zone:\n  - domain: {server.zone}.\n    file: {server.home}/{server.zone}.zone\n"
        "    acl: [all, mx, pupil]\n    zonefile-sync: -1\n    notify: pupil\n"
        f"  - domain: {server.closed}.\n    file: {server.home}/{server.closed}.zone\n"
    )
    (server.home / "db").mkdir()
    return ["knotd", "-c", str(config)]


def _pupil(server: Primary) -> list[str]:
    home = server.home / "pupil"
    (home / "db").mkdir(parents=True)
    config = home / "knot.conf"
    config.write_text(
        f"server:\n  rundir: {home}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
        f"  listen: {SECONDARY}@53\ndatabase:\n  storage: {home}/db\n"
        f"remote:\n  - id: primary\n    address: {server.address}\n    via: {SECONDARY}\n"
        f"acl:\n  - id: notify\n    address: {server.address}\n    action: notify\n"
        f"zone:\n  - domain: {server.zone}.\n    master: primary\n    acl: notify\n    zonefile-sync: -1\n"
    )
    return ["knotd", "-c", str(config)]


def _until(server: Primary, address: str) -> None:
    def ready() -> bool:
        asked = ["kdig", "+short", "+norec", "+time=1", "+retry=0", f"@{address}", server.zone, "SOA"]
        return "hostmaster" in server.names.run(asked).stdout

    if not wait_until(ready, 60.0):
        raise LabError(f"{server.kind} at {address} did not start in time")
