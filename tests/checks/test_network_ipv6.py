"""IPv6 that works, is missing, or is half there, and router advertisements: every verdict."""

import pytest

from mailcow_wizard.checks.network_ipv6 import judge_advertisements, judge_ipv6
from mailcow_wizard.facts.network.ipv6 import Advertised, Advertisements, Ipv6
from mailcow_wizard.facts.network.outward import Try
from mailcow_wizard.facts.network.routes import Address6, Default6
from mailcow_wizard.host.replies import Probe, Probed

V6 = "2d00:113::10"
LASTING = Address6(V6, "eth0", False, False, False)
ROUTE = Default6("eth0", False, "2d00:113::1")
PING = Try(Probe("ping", "2606:4700:4700::1111"), Probed("open", 0.01))
NO_PING = PING._replace(result=Probed("silent", 2.0))
WEB = Try(Probe("tcp", "2606:4700:4700::1111", 443), Probed("open", 0.01))
NO_WEB = WEB._replace(result=Probed("silent", 2.0))
UNSENT_PING = PING._replace(result=Probed("not allowed", 0.0))
HELD_PING = PING._replace(result=Probed("blocked", 0.0))
UNSENT_WEB = WEB._replace(result=Probed("failed", 0.0, text="Too many open files"))
GOOD = Ipv6(True, (LASTING,), (ROUTE,), V6, (PING,), (WEB,), True, "", "mail.example.org", ())
IPV6 = [
    (GOOD, "pass", "IPv6 works, and mailcow will find that"),
    (GOOD._replace(configured="true"), "pass", "mailcow uses it"),
    (GOOD._replace(configured="false"), "warn", "until its next update: update.sh sets it to true"),
    (GOOD._replace(configured="false", has_ping=False), "pass", "mailcow has ENABLE_IPV6=false"),
    (GOOD._replace(configured="false", pings=(NO_PING,)), "pass", "mailcow has ENABLE_IPV6=false"),
    (GOOD._replace(has_ping=False), "warn", "no command `ping`"),
    (GOOD._replace(has_ping=False, configured="true"), "warn", "until its next update"),
    (GOOD._replace(pings=(NO_PING,), configured="true"), "warn", "nobody answers a ping over it, so update"),
    (GOOD._replace(pings=(UNSENT_PING,), configured="true"), "pass", "mailcow uses it"),
    (GOOD._replace(defaults=()), "warn", "no default route: mailcow will take it for missing"),
    *(
        (GOOD._replace(default_shown=False, configured=said), status, words)
        for said, status, words in (
            ("", "warn", "no default route: mailcow will take it for missing"),
            ("true", "warn", "until its next update"),
            ("false", "pass", "mailcow has ENABLE_IPV6=false"),
        )
    ),
    (GOOD._replace(pings=(NO_PING,)), "warn", "take it for missing"),
    (GOOD._replace(pings=(PING._replace(result=Probed("not allowed", 0.0)),)), "pass", "root can tell"),
    (GOOD._replace(pings=(NO_PING,), connections=(NO_WEB,)), "warn", "IPv6 leads nowhere"),
    (GOOD._replace(pings=(NO_PING,), connections=(NO_WEB,), published=(V6,)), "fail", "has an AAAA record"),
    (
        GOOD._replace(pings=(NO_PING,), connections=(NO_WEB,), configured="true"),
        "fail",
        "ENABLE_IPV6=true, but",
    ),
    (
        GOOD._replace(pings=(NO_PING,), connections=(NO_WEB,), configured="false"),
        "pass",
        "mailcow does without (ENABLE_IPV6=false)",
    ),
    *(  # a connection that a rule drops on its way out is silent
        (GOOD._replace(pings=(HELD_PING,), connections=(NO_WEB,), published=known, configured=said), *result)
        for known, said, result in (
            ((), "true", ("warn", "over IPv6 this machine's own firewall does not let it out; whether")),
            ((V6,), "true", ("warn", "update.sh will take IPv6 for missing")),
            ((), "", ("warn", "mailcow will find none and set ENABLE_IPV6=false")),
            ((V6,), "", ("fail", "has an AAAA record")),
            ((), "false", ("pass", "mailcow does without")),
        )
    ),
    (
        GOOD._replace(pings=(HELD_PING,), connections=(WEB,), configured="true"),
        "warn",
        "until its next update",
    ),
    *(
        (
            GOOD._replace(pings=(UNSENT_PING,), connections=(UNSENT_WEB,), **more),
            "unknown",
            "could not be tried",
        )
        for more in ({}, {"published": (V6,)}, {"configured": "true"})
    ),
    (GOOD._replace(pings=(UNSENT_PING,), connections=(NO_WEB,)), "warn", "nothing comes back"),
    (GOOD._replace(own="", defaults=()), "warn", "no default route"),
    (GOOD._replace(own="", addresses=()), "warn", "but no address"),
    (GOOD._replace(own="", addresses=(), defaults=()), "pass", "this machine has no IPv6"),
    (GOOD._replace(enabled=False, own=""), "pass", "switched off in this machine's kernel"),
    (GOOD._replace(own="", addresses=(), defaults=(), published=None), "unknown", "no resolver tells"),
    (GOOD._replace(own="", defaults=(), configured="false", published=None), "unknown", "no resolver tells"),
    (GOOD._replace(own="", defaults=(), published=None), "warn", "no default route"),
    (GOOD._replace(published=None), "pass", "IPv6 works"),
    (GOOD._replace(enabled=False, own="", published=(V6,)), "fail", "has an AAAA record"),
]


@pytest.mark.parametrize(("facts", "status", "words"), IPV6)
def test_ipv6(facts: Ipv6, status: str, words: str) -> None:
    judged = judge_ipv6(facts)
    assert judged.status == status
    assert words in judged.summary


TOLD = Advertised(ROUTE._replace(advertised=True), 1, 0)
ADVERTISEMENTS = [
    (Advertisements((), (), None), "pass", "there is no default route"),
    (Advertisements((Advertised(ROUTE, 1, 0),), (), None), "pass", "is fixed"),
    (Advertisements((TOLD,), (), None), "warn", "will vanish when Docker turns forwarding on"),
    (Advertisements((TOLD,), (), False), "pass", "ENABLE_IPV6=false"),
    (Advertisements((TOLD._replace(accept=2),), (), True), "pass", "stays"),
    (Advertisements((TOLD._replace(forwarding=1),), (), True), "fail", "will run out"),
    (Advertisements((TOLD._replace(accept=None),), (), True), "unknown", "could not be read"),
    (Advertisements((TOLD._replace(accept=2, forwarding=None),), (), True), "unknown", "not be read"),
    (Advertisements((), ("eth0",), True), "fail", "is gone"),
    (
        Advertisements((), (), True, ("eth0",)),
        "unknown",
        "takes the one that a router advertises",
    ),
]


@pytest.mark.parametrize(("facts", "status", "words"), ADVERTISEMENTS)
def test_advertisements(facts: Advertisements, status: str, words: str) -> None:
    judged = judge_advertisements(facts)
    assert judged.status == status
    assert words in judged.summary


def test_an_interface_with_a_dot_is_written_with_slashes() -> None:
    route = TOLD.route._replace(interface="eth0.100")
    judged = judge_advertisements(Advertisements((TOLD._replace(route=route),), (), None))
    assert "net/ipv6/conf/eth0.100/accept_ra=2" in judged.remedies[0]
