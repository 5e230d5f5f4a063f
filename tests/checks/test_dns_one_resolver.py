"""Port 53 reaches this machine's own resolver alone: what that one says counts, and is not proved."""

import pytest
from dns_world import DOMAIN, NAME, OURS, OURS_V6, ZONE, World

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks import dns
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.dns.reverse import reverse_name
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Check, Finding, Settings
from tests.checks.test_dns_dkim import KEY

LOCAL = "192.0.2.99"
RIGHT = {
    (reverse_name(OURS), "PTR"): f"{NAME}.",
    (reverse_name(OURS_V6), "PTR"): f"{NAME}.",
    (DOMAIN, "TXT"): "v=spf1 mx -all",
    (f"_dmarc.{DOMAIN}", "TXT"): "v=DMARC1; p=reject",
    (
        f"dkim._domainkey.{DOMAIN}",
        "TXT",
    ): KEY,
    (f"autodiscover.{DOMAIN}", "CNAME"): f"{NAME}.",
    (f"autoconfig.{DOMAIN}", "CNAME"): f"{NAME}.",
}


class Alone(World):
    """All servers but the system's own are silent."""

    def __init__(self, records: dict[tuple[str, str], str]) -> None:
        super().__init__({**ZONE, **records})
        self.files["/etc/resolv.conf"] = f"nameserver {LOCAL}\n"
        others = (*need.ROOT_SERVERS_V4, *need.ROOT_SERVERS_V6, *need.PUBLIC_RESOLVERS, "192.0.2.54")
        self.servers = dict.fromkeys(others, "silence")


def check(which: Check, records: dict[tuple[str, str], str]) -> list[Finding]:
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6))
    found = runner.look(which, Facts(Alone(records), settings))
    return [runner.join(which, one) for one in found]


@pytest.mark.parametrize("which", dns.CHECKS, ids=lambda one: one.id)
def test_what_is_right_is_right_and_inferred(which: Check) -> None:
    for found in check(which, RIGHT):
        assert found.status in ("pass", "unknown"), found
        assert found.certainty != "proved" or found.id in NOT_ASKED, found
        if found.id in ("dns.a", "dns.ptr", "dns.mx", "dns.spf", "dns.dkim", "dns.dmarc"):
            assert (found.status, found.certainty) == ("pass", "inferred"), found


# Nothing that has to be asked: no TLSA record is compared, no signature is needed.
NOT_ASKED = ("dns.dnssec",)


def test_what_is_wrong_is_wrong() -> None:
    (found,) = check(
        next(one for one in dns.CHECKS if one.id == "dns.mx"), {(DOMAIN, "MX"): "10 mx.other.example."}
    )
    assert found.status == "fail"


def test_the_view_of_the_world_is_not_known() -> None:
    (found,) = check(next(one for one in dns.CHECKS if one.id == "dns.local-view"), RIGHT)
    assert found.status == "unknown"
    assert "no answer" in found.summary


@pytest.mark.parametrize(
    ("says", "status", "words"),
    [(OURS, "pass", "as the world does"), ("SERVFAIL", "unknown", "gives no answer")],
)
def test_a_resolver_that_is_named_is_this_machines_own(says: str, status: str, words: str) -> None:
    """`--resolver` takes the place of the public ones and of those of /etc/resolv.conf: it is asked once."""

    class Named(World):
        def _reply(self, asked: DnsQuestion) -> DnsReply:
            of_name = asked.servers == (LOCAL,) and (asked.name, asked.type) == (NAME, "A")
            self.servers = {LOCAL: says} if of_name and says == "SERVFAIL" else {}
            return super()._reply(asked)

    which = next(one for one in dns.CHECKS if one.id == "dns.local-view")
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS, OURS_V6), resolver=LOCAL)
    (found,) = runner.look(which, Facts(Named({**ZONE, **RIGHT}), settings))
    assert (found.status, words in found.summary) == (status, True), found.summary
