"""docker.registry against real TLS servers: in order, refusing, silent, in trouble, and a stranger's."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab import certificates, engine
from lab.inside import CHECKOUT, needs
from lab.skip import or_skip

from mailcow_wizard.fixes.docker_proxy import NAMES
from mailcow_wizard.requirements_docker import REGISTRIES

pytestmark = pytest.mark.real

SERVER = str(CHECKOUT / "tests/lab/registry_answers.py")
PLACES = dict(zip(REGISTRIES, ("127.0.7.1", "127.0.7.2", "127.0.7.3"), strict=True))
_ENTER = """set -e
ip link set lo up
mount --bind "$1" /etc/hosts
mount --bind "$2" /etc/resolv.conf
if [ -n "$3" ]; then
    unshare --mount --propagation private sh -c "mount --bind $3/hosts /etc/hosts; exec tinyproxy -c $3/conf"
    until grep -q :22B8 /proc/net/tcp; do sleep 0.05; done
fi
shift 3
exec "$@"
"""
PROXY = "127.0.8.8"
_TINYPROXY = """Listen {listen}
Port 8888
User root
Group root
Timeout 20
ConnectPort 443
LogFile "{place}/log"
LogLevel Connect
PidFile "{place}/pid"
BasicAuth joe s3cret
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority (ca.pem), a certificate of its own for all registries, and one that nobody signed."""
    place = tmp_path_factory.mktemp("authority")
    names = ",".join(f"DNS:{one}" for one in REGISTRIES)
    new = ["openssl", "req", "-x509", *certificates.NEW_KEY, "-days", "2"]
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


def look(
    authority: Path,
    tmp_path: Path,
    proxy: str = "",
    check: str = "docker.registry",
    **manners: tuple[str, int] | None,
) -> dict[str, dict[str, Any]]:
    """The findings by host. Manners: certificate and status, by the first part of the host's name.

    `proxy`: the URL that https_proxy names; without it the registries can be reached directly.
    """
    served, hosts = {}, ["127.0.0.1 localhost"]
    for host, address in PLACES.items():
        kind = manners.get(host.partition(".")[0].partition("-")[0], ("good", 401))
        if kind is None:
            continue
        hosts.append(f"{address} {host}")
        if kind[0]:
            served[address] = [str(authority / f"{kind[0]}.pem"), str(authority / f"{kind[0]}.key"), kind[1]]
    place = tmp_path / "proxy" if proxy else None
    if place is not None:
        place.mkdir()
        (place / "hosts").write_text("\n".join(hosts) + "\n")
        (place / "conf").write_text(_TINYPROXY.format(listen=PROXY, place=place))
        hosts = ["127.0.0.1 localhost"]
    (tmp_path / "hosts").write_text("\n".join(hosts) + "\n")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.7.9\n")
    wizard = [sys.executable, "-m", "mailcow_wizard", "check", check, "--json"]
    argv = [*certificates.trusting(authority / "ca.pem"), "unshare", "--net", "sh", "-c", _ENTER, "enter"]
    argv += [
        str(tmp_path / "hosts"),
        str(tmp_path / "resolv.conf"),
        str(place or ""),
        sys.executable,
        SERVER,
        json.dumps(served),
    ]
    env = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(CHECKOUT),
    }
    if proxy:
        env["https_proxy"] = proxy
    try:
        done = subprocess.run(
            [*argv, *wizard, "--state-dir", str(tmp_path / "state"), "--resolver", "127.0.7.9"],
            env=env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        _end_proxy(place)
    assert done.stdout, done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    return {one["subject"]: one for one in json.loads(done.stdout)["checks"]}


def _end_proxy(place: Path | None) -> None:
    """A daemon, which outlives what started it."""
    if place is not None and (place / "pid").exists():
        os.kill(int((place / "pid").read_text()), signal.SIGTERM)


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


def test_silence_of_a_registry_or_of_the_resolvers_proves_nothing(authority: Path, tmp_path: Path) -> None:
    seen = look(authority, tmp_path, ghcr=("good", 0), registry=None, auth=("good", 429))
    assert seen["ghcr.io"]["status"] == "unknown"
    assert seen["registry-1.docker.io"]["status"] == "unknown"
    assert (
        "the address of registry-1.docker.io could not be looked up"
        in seen["registry-1.docker.io"]["summary"]
    )
    assert seen["auth.docker.io"]["status"] == "warn"


def test_registries_behind_a_proxy(authority: Path, tmp_path: Path) -> None:
    with or_skip():
        needs("tinyproxy")
    seen = look(authority, tmp_path, f"http://joe:s3cret@{PROXY}:8888", auth=("good", 503))
    told = (tmp_path / "proxy/log").read_text()
    for host in REGISTRIES:
        assert f"CONNECT {host}:443" in told
        assert f"through the proxy {PROXY}:8888" in seen[host]["summary"]
    assert [seen[host]["status"] for host in REGISTRIES] == ["pass", "pass", "fail"]


@pytest.mark.parametrize(
    ("who", "port", "words"),
    [("joe:wr0ng@", 8888, "refuses with HTTP 401"), ("", 8888, "HTTP 407"), ("", 8889, "connection refused")],
)
def test_proxies_that_lead_nowhere(authority: Path, tmp_path: Path, who: str, port: int, words: str) -> None:
    with or_skip():
        needs("tinyproxy")
    seen = look(authority, tmp_path, f"http://{who}{PROXY}:{port}")
    for one in seen.values():
        assert one["status"] == "fail"
        assert words in one["summary"]
        assert "wr0ng" not in json.dumps(one)


def test_what_this_machine_asks_itself_may_go_through_the_proxy(authority: Path, tmp_path: Path) -> None:
    with or_skip():
        needs("tinyproxy")
    seen = look(authority, tmp_path, f"http://joe:s3cret@{PROXY}:8888", "network.outbound-hosts")
    found = seen["ghcr.io:443/tcp"]
    assert (found["status"], found["summary"]) == (
        "pass", f"ghcr.io answers through the proxy {PROXY}:8888 alone"
    )  # fmt: skip
    assert seen["github.com:443/tcp"]["status"] == "unknown"


def test_what_a_real_engine_says_of_its_proxy_and_takes_for_one(tmp_path: Path) -> None:
    """It hides who goes through it; its file has the keys that the fix writes, and takes no others."""
    option = f"--https-proxy=http://joe:s3cret@{PROXY}:8888"
    with or_skip(), engine.started(engine.SUITES[0], option) as docker:
        said = docker.run(["docker", "info", "--format", "{{.HTTPSProxy}}"], check=True).stdout.strip()
        assert said == f"http://xxxxx:xxxxx@{PROXY}:8888"
        for proxies, code in ((dict.fromkeys(NAMES.values(), f"http://{PROXY}:1"), 0), ({"https": "x"}, 1)):
            (tmp_path / "daemon.json").write_text(json.dumps({"proxies": proxies}))
            validate = ["dockerd", "--validate", "--config-file", str(tmp_path / "daemon.json")]
            assert docker.run(validate).returncode == code
