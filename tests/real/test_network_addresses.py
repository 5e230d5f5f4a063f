"""Under which addresses packets leave: broken and mended on real interfaces."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.inside import CHECKOUT, wait_until
from lab.provider import SERVER, SERVER_V6, Provider, provider
from lab.skip import or_skip

pytestmark = [pytest.mark.real, pytest.mark.slow]

SECOND = "192.88.99.11"
WIZARD = (sys.executable, "-m", "mailcow_wizard", "check", "network.addresses", "--json")


@pytest.fixture
def world() -> Iterator[Provider]:
    with or_skip(), provider() as made:
        yield made


def addresses(world: Provider, place: Path, *conf: str) -> dict[str, Any]:
    """What the check says, with these lines in mailcow.conf."""
    (place / "mailcow.conf").write_text("\n".join(("MAILCOW_HOSTNAME=mail.example.org", *conf, "")))
    argv = ["env", f"PYTHONPATH={CHECKOUT}", *WIZARD, "--dir", str(place), "--state-dir", str(place)]
    done = world.server.run(argv, check=False)
    found: dict[str, Any] = json.loads(done.stdout)["checks"][0]
    return found


def device(world: Provider) -> str:
    return world.server.run(["ip", "-o", "route", "show", "default"]).stdout.split()[4]


def masqueraded(world: Provider, name: str) -> str:
    """The source that the kernel gives what it masquerades, which a log of conntrack would show."""
    chain = f"type nat hook postrouting priority srcnat; oifname {name} masquerade;"
    world.server.run(["nft", "-f", "-"], text=f"table ip m {{ chain p {{ {chain} }}; }}")
    try:
        script = (
            "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
            "s.sendto(b'x', ('192.88.99.1', 9999)); "
            "print([line for line in open('/proc/net/nf_conntrack') if 'dport=9999' in line][0])"
        )
        said = world.server.run([sys.executable, "-c", script]).stdout
    finally:
        world.server.run(["nft", "delete", "table", "ip", "m"])
    return said.split(" dst=")[2].split()[0]


def test_an_address_that_the_provider_shares(world: Provider, tmp_path: Path) -> None:
    own = device(world)
    assert addresses(world, tmp_path)["status"] == "pass"
    world.server.run(["ip", "addr", "add", "100.64.7.9/24", "dev", own])
    world.server.run(["ip", "route", "add", "100.64.7.1", "dev", own])
    carrier = ["default", "via", "100.64.7.1", "dev", own, "src", "100.64.7.9"]
    world.server.run(["ip", "route", "replace", *carrier])
    found = addresses(world, tmp_path)
    assert (found["status"], found["severity"]) == ("fail", "breaks")
    assert "100.64.7.9 is shared with other customers of the provider (CGNAT)" in found["summary"]
    # The neighbouring networks are not the carrier's.
    world.server.run(["ip", "addr", "add", "100.128.7.9/24", "dev", own])
    world.server.run(["ip", "route", "replace", *carrier[:-1], "100.128.7.9"])
    found = addresses(world, tmp_path)
    assert found["status"] == "pass"
    assert "100.128.7.9" in found["summary"]
    world.server.run(["ip", "route", "replace", "default", "via", "192.88.99.1", "src", SERVER])
    found = addresses(world, tmp_path)
    assert found["status"] == "pass"
    assert f"mail leaves with {SERVER}" in found["summary"]


def test_several_addresses_and_which_one_mail_leaves_with(world: Provider, tmp_path: Path) -> None:
    found = addresses(world, tmp_path)
    assert f"packets leave with {SERVER} and {SERVER_V6}" in found["summary"]
    world.server.run(["ip", "addr", "add", f"{SECOND}/25", "dev", device(world)])
    found = addresses(world, tmp_path)
    assert found["status"] == "pass"
    assert f"mail leaves with {SERVER} and {SERVER_V6}; this machine has {SECOND} too" in found["summary"]
    assert any("SNAT_TO_SOURCE" in one for one in found["remedies"])
    assert any("SMTP_PORT=ADDRESS:25" in one for one in found["remedies"])
    found = addresses(world, tmp_path, f"SNAT_TO_SOURCE={SECOND}")
    assert found["status"] == "pass"
    assert f"SNAT_TO_SOURCE makes it {SECOND}" in found["summary"]
    own = device(world)
    # Masquerading asks the interface for an address, whichever the route names.
    world.server.run(["ip", "route", "replace", "default", "via", "192.88.99.1", "src", SECOND])
    found = addresses(world, tmp_path)
    assert f"mail leaves with {SERVER}, and this machine's own packets with {SECOND}" in found["summary"]
    assert masqueraded(world, own) == SERVER
    world.server.run(["ip", "route", "replace", "default", "via", "192.88.99.1"])
    # An address that is gone is none to send with.
    world.server.run(["ip", "addr", "del", f"{SECOND}/25", "dev", device(world)])
    found = addresses(world, tmp_path, f"SNAT_TO_SOURCE={SECOND}")
    assert found["status"] == "fail"
    assert SECOND in found["summary"]
    assert addresses(world, tmp_path)["status"] == "pass"


def test_privacy_addresses(world: Provider, tmp_path: Path) -> None:
    own = device(world)
    knob = f"/proc/sys/net/ipv6/conf/{own}/use_tempaddr"
    world.server.run(["sh", "-c", f"echo 2 > {knob}"])
    # The kernel makes temporary ones beside an address that it manages.
    world.server.run(["ip", "addr", "add", "2d00:113::77/64", "dev", own, "mngtmpaddr", "nodad"])

    def temporary() -> list[str]:
        said = world.server.run(
            ["ip", "-o", "-6", "addr", "show", "dev", own, "temporary", "-tentative"]
        ).stdout
        return [line.split()[3].partition("/")[0] for line in said.splitlines()]

    assert wait_until(lambda: bool(temporary()), 20.0)
    found = addresses(world, tmp_path)
    assert found["status"] == "warn"
    assert f"IPv6 packets leave with {temporary()[0]}, a privacy address" in found["summary"]
    assert any(f"the same for {own}" in one and "SNAT6_TO_SOURCE" in one for one in found["remedies"])
    # As it says: mailcow's mail leaves with another one; or the switch off, and what is there already goes.
    found = addresses(world, tmp_path, f"SNAT6_TO_SOURCE={SERVER_V6}")
    assert found["status"] == "pass"
    assert f"SNAT6_TO_SOURCE makes it {SERVER_V6}" in found["summary"]
    assert addresses(world, tmp_path)["status"] == "warn"
    world.server.run(["sh", "-c", f"echo 0 > {knob}"])
    assert addresses(world, tmp_path)["status"] == "pass"


def test_an_address_that_was_named_is_no_way_out(world: Provider, tmp_path: Path) -> None:
    named = (*WIZARD, "--address", SERVER, "--state-dir", str(tmp_path))
    for route, status in (((), "pass"), (("ip", "route", "flush", "default"), "fail")):
        if route:
            world.server.run(list(route), check=True)
        done = world.server.run(["env", f"PYTHONPATH={CHECKOUT}", *named], check=False)
        found = json.loads(done.stdout)["checks"][0]
        assert found["status"] == status, found["summary"]
    assert "no way out over IPv4" in found["summary"]
