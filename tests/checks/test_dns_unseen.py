"""The public address of one family is not known: what the other one says is not the whole."""

import pytest
from dns_world import DOMAIN, NAME, RESOLVER, ZONE, Rows, World

from mailcow_wizard.checks import dns, reputation
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.addresses import ASKED
from mailcow_wizard.facts.dns.certificate import certificate
from mailcow_wizard.facts.dns.reverse import reverse_name
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.model import Judgement, Settings

CHECKS = {one.id: one for one in (*dns.CHECKS, *reputation.CHECKS)}
V4, V6 = "45.33.32.1", "2a01:4f8:1:2::25"
PRIVATE, LOCAL_V6 = "10.0.0.5", "fd00::5"
RIGHT: Rows = {
    **ZONE,
    (NAME, "A"): V4,
    (NAME, "AAAA"): V6,
    (reverse_name(V4), "PTR"): f"{NAME}.",
    (reverse_name(V6), "PTR"): f"{NAME}.",
    (DOMAIN, "TXT"): f"v=spf1 ip4:{V4} ip6:{V6} -all",
}


class Silent(World):
    """A machine with an own address of each family; outside nobody says which one is seen."""

    def __init__(self, records: Rows, v4: str, v6: str, enabled: str) -> None:
        asked = (*ASKED[4], *ASKED[6])
        super().__init__(
            {**RIGHT, **records}, {one: NoAnswer(f"{one} did not answer within 1.9 s") for one in asked}
        )
        self._own = {4: v4, 6: v6}
        said = f"ENABLE_IPV6={enabled}\n" if enabled else ""
        self.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\n{said}"

    def source_address(self, destination: str) -> str:
        own = self._own[6 if ":" in destination else 4]
        if not own:
            raise HostError("no route to host")
        return own


def facts(
    v4: str, v6: str, enabled: str = "", records: Rows | None = None, named: tuple[str, ...] = ()
) -> Facts:
    settings = Settings(hostname=NAME, domains=(DOMAIN,), resolver=RESOLVER, addresses=named)
    return Facts(Silent(records or {}, v4, v6, enabled), settings)


def look(id: str, known: Facts) -> dict[str | None, Judgement]:
    return {one.subject: one for one in runner.look(CHECKS[id], known)}


@pytest.mark.parametrize(
    ("v4", "v6", "enabled", "unseen"),
    [
        (PRIVATE, V6, "", "IPv4"),
        (V4, LOCAL_V6, "true", "IPv6"),
        (V4, LOCAL_V6, "", "IPv6"),
        (V4, LOCAL_V6, "false", ""),
        (V4, "", "true", ""),
        (V4, V6, "true", ""),
    ],
)
def test_the_other_family_is_not_the_whole(v4: str, v6: str, enabled: str, unseen: str) -> None:
    for id in ("dns.ptr", "reputation.blocklists"):
        found = look(id, facts(v4, v6, enabled))
        assert (None in found) is bool(unseen), id
        assert len(found) > bool(unseen), "what is known is judged all the same"
        if unseen:
            assert found[None].status == "unknown"
            assert f"the public {unseen} address of this server is not known" in found[None].summary
            assert found[None].remedies
    spf = look("dns.spf", facts(v4, v6, enabled))[DOMAIN]
    assert spf.status == ("unknown" if unseen else "pass"), spf.summary
    assert unseen in spf.summary


def test_a_record_that_is_wrong_for_what_is_known_is_wrong() -> None:
    spf = {(DOMAIN, "TXT"): "v=spf1 -all"}
    assert look("dns.spf", facts(PRIVATE, V6, records=spf))[DOMAIN].status == "fail"


NO_AAAA: Rows = {(NAME, "AAAA"): ()}


@pytest.mark.parametrize(
    ("v6", "enabled", "records", "named", "status"),
    [
        (LOCAL_V6, "true", {}, (), "unknown"),
        (LOCAL_V6, "", {}, (), "unknown"),
        (LOCAL_V6, "", NO_AAAA, (), "unknown"),
        (LOCAL_V6, "false", NO_AAAA, (), "pass"),
        (LOCAL_V6, "false", {}, (), "fail"),
        ("", "true", NO_AAAA, (), "pass"),
        ("", "", NO_AAAA, (), "pass"),
        ("", "true", {}, (), "fail"),
        (V6, "true", {}, (V4,), "unknown"),
        (V6, "false", {}, (V4,), "fail"),
        (V6, "", NO_AAAA, (V4,), "pass"),
        (V6, "true", {}, (V4, V6), "pass"),
        (V6, "true", NO_AAAA, (V4, V6), "warn"),
    ],
)
def test_the_ipv6_address(v6: str, enabled: str, records: Rows, named: tuple[str, ...], status: str) -> None:
    known = facts(V4, v6, enabled, records, named)
    found = look("dns.aaaa", known)[NAME]
    assert found.status == status, found.summary
    assert found.remedies or status == "pass"
    fates = {one.name: one.fate for one in known.get(certificate).verdicts}
    doubtful = "left out" if enabled == "false" else "open"
    assert fates[NAME] == ("asked for" if status == "pass" or records else doubtful)


@pytest.mark.parametrize(
    ("line", "named", "status"),
    [
        (f"{V4} {NAME}\n", (), "unknown"),
        (f"{V4} {NAME}\n", (V4, V6), "pass"),
        (f"127.0.1.1 {NAME}\n", (), "pass"),
        (f"{PRIVATE} {NAME}\n", (), "pass"),
        (f"{V4} {NAME}\n2001:db8::99 {NAME}\n", (), "warn"),
    ],
)
def test_an_address_in_hosts_is_nobody_elses_before_ours_is_known(
    line: str, named: tuple[str, ...], status: str
) -> None:
    known = facts(PRIVATE, V6, named=named)
    known.host.files["/etc/hosts"] = line  # type: ignore[attr-defined]
    found = look("dns.local-view", known)[None]
    assert found.status == status, found.summary
    if status == "warn":
        assert "calls mail.example.org 2001:db8::99, an address of somebody else" in found.summary
