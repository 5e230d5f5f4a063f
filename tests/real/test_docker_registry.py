"""docker.registry against real TLS servers: in order, refusing, silent, in trouble, and a stranger's."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab.inside import CHECKOUT, needs
from lab.skip import or_skip

from mailcow_wizard.requirements_docker import REGISTRIES

pytestmark = pytest.mark.real

SERVER = str(CHECKOUT / "tests/lab/registry_answers.py")
PLACES = dict(zip(REGISTRIES, ("127.0.7.1", "127.0.7.2", "127.0.7.3"), strict=True))
_ENTER = """set -e
ip link set lo up
mount --bind "$1" /etc/hosts
mount --bind "$2" /etc/resolv.conf
shift 2
exec "$@"
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority (ca.pem), a certificate of its own for all registries, and one that nobody signed."""
    place = tmp_path_factory.mktemp("authority")
    names = ",".join(f"DNS:{one}" for one in REGISTRIES)
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    for name, subject, more in (
        ("ca", "/CN=lab", ["-addext", "keyUsage=critical,keyCertSign"]),
        ("good", "/CN=good", ["-addext", f"subjectAltName={names}", "-CA", "ca.pem", "-CAkey", "ca.key"]),
        ("stranger", "/CN=stranger", ["-addext", f"subjectAltName={names}"]),
    ):
        argv = [*new, "-subj", subject, *more, "-keyout", f"{name}.key", "-out", f"{name}.pem"]
        with or_skip():
            needs("openssl", "unshare", "ip")
        done = subprocess.run(argv, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"openssl: {done.stderr.strip()[-200:]}")
    return place


def look(authority: Path, tmp_path: Path, **manners: tuple[str, int] | None) -> dict[str, dict[str, Any]]:
    """The findings by host. Manners: certificate and status, by the first part of the host's name."""
    served, hosts = {}, ["127.0.0.1 localhost"]
    for host, address in PLACES.items():
        kind = manners.get(host.partition(".")[0].partition("-")[0], ("good", 401))
        if kind is None:
            continue
        hosts.append(f"{address} {host}")
        if kind[0]:
            served[address] = [str(authority / f"{kind[0]}.pem"), str(authority / f"{kind[0]}.key"), kind[1]]
    (tmp_path / "hosts").write_text("\n".join(hosts) + "\n")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.7.9\n")
    wizard = [sys.executable, "-m", "mailcow_wizard", "check", "docker.registry", "--json"]
    argv = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "enter"]
    argv += [
        str(tmp_path / "hosts"),
        str(tmp_path / "resolv.conf"),
        sys.executable,
        SERVER,
        json.dumps(served),
    ]
    env = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(CHECKOUT),
        "SSL_CERT_FILE": str(authority / "ca.pem"),
    }
    done = subprocess.run(
        [*argv, *wizard, "--state-dir", str(tmp_path / "state"), "--resolver", "127.0.7.9"],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return {one["subject"]: one for one in json.loads(done.stdout)["checks"]}


def test_registries_that_answer(authority: Path, tmp_path: Path) -> None:
    seen = look(authority, tmp_path, ghcr=("good", 200), auth=("good", 404))
    assert {one["status"] for one in seen.values()} == {"pass"}
    assert list(seen) == list(REGISTRIES)


def test_registries_that_do_not(authority: Path, tmp_path: Path) -> None:
    seen = look(authority, tmp_path, ghcr=("stranger", 200), registry=("", 0), auth=("good", 503))
    assert [one["status"] for one in seen.values()] == ["fail"] * 3
    assert "certificate that is not trusted" in seen["ghcr.io"]["summary"]
    assert "connection refused" in seen["registry-1.docker.io"]["summary"].lower()
    assert "HTTP 503" in seen["auth.docker.io"]["summary"]


def test_silence_proves_nothing_and_a_name_without_address_does(authority: Path, tmp_path: Path) -> None:
    seen = look(authority, tmp_path, ghcr=("good", 0), registry=None, auth=("good", 429))
    assert seen["ghcr.io"]["status"] == "unknown"
    assert seen["registry-1.docker.io"]["status"] in ("fail", "unknown")
    assert "address" in seen["registry-1.docker.io"]["summary"]
    assert seen["auth.docker.io"]["status"] == "warn"
