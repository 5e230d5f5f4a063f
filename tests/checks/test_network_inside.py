"""What gets out of this machine, and would not out of mailcow's containers, which ask for it later."""

from collections.abc import Callable

import pytest

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_hosts import judge_hosts
from mailcow_wizard.checks.network_mail import judge_mail
from mailcow_wizard.checks.network_names import judge_echoes, judge_roots
from mailcow_wizard.facts.firewall.leaving import Met
from mailcow_wizard.facts.network.echoes import Echoes
from mailcow_wizard.facts.network.mail_ways import MailTry, MailWay
from mailcow_wizard.facts.network.names import Looked
from mailcow_wizard.facts.network.outward import Outward, Reached, Try
from mailcow_wizard.facts.network.roots import Heard, Roots
from mailcow_wizard.host.replies import Probe, Probed
from mailcow_wizard.model import Judgement

PASSES = Met("through")
GREETING = "220 mx.google.com ESMTP abc - gsmtp"


def _hosts(container: Met, by_machine: bool = False) -> Judgement:
    rows = (one for one in need.OUTGOING if one.protocol == "tcp" and one.level == "required")
    row = next(one for one in rows if one.by_machine is by_machine)
    tried = Try(Probe("tcp", "192.0.2.7", row.port), Probed("open", 0.1), PASSES, container)
    reached = Reached(row, Looked(row.host, ("192.0.2.7",)), (tried,))
    return judge_hosts(Outward((reached,), (4,)))[0]


def _mail(container: Met, own: Met = PASSES) -> Judgement:
    google = next(one for one in need.MAIL_OPERATORS if one.name == "Google")
    tried = Try(Probe("greeting", "192.0.2.1", 25), Probed("open", 0.1, GREETING), own, container)
    control = Try(Probe("tcp", "192.0.2.9", 443), Probed("open", 0.01))
    server = MailTry(google, "gmail-smtp-in.l.google.com", tried)
    return judge_mail((MailWay(4, True, servers=(server,), controls=(control,)),))[0]


def _roots(container: Met) -> Judgement:
    asked = tuple(
        Heard("198.41.0.4", large, transport, 1097, True, True, "", PASSES, container)
        for large, transport in ((True, "udp"), (False, "udp"), (True, "tcp"))
    )
    return judge_roots((Roots(4, True, asked),))[0]


def _echoes(container: Met) -> Judgement:
    answered = (
        Try(Probe("ping", to), Probed("open", 0.1), PASSES, container) for to in need.HEALTHCHECK_PINGS
    )
    return judge_echoes((Echoes(4, True, tuple(answered)),))[0]


STOPPED = {
    "dropped": Met("dropped", "“oifname eth0 drop”", "nft list chain inet x f", "f", "nftables"),
    "refused": Met("refused", "“oifname eth0 reject”", "nft list chain inet x f", "f", "nftables"),
    "unanswered": Met("unanswered", unmasked="172.22.1.4"),
}


@pytest.mark.parametrize("judge", [_hosts, _mail, _roots, _echoes])
def test_what_would_not_get_out_of_containers(judge: Callable[[Met], Judgement]) -> None:
    assert judge(PASSES).status == "pass"
    for met in STOPPED.values():
        found = judge(met)
        assert (found.status, found.certainty) == ("fail", "inferred"), found.summary
        assert found.stops == "here"
        assert "mailcow's containers send there" in found.summary
        assert found.remedies
    found = judge(Met("unknown", "“?”", "nft list chain inet x f", "f", "nftables"))
    assert (found.status, found.certainty) == ("unknown", "untested"), found.summary
    found = judge(Met("unknown", unmasked="172.22.1.4"))
    assert (found.status, "whether answers come back is not known" in found.summary) == ("unknown", True)


@pytest.mark.parametrize("met", [*STOPPED.values(), Met("unknown", "“?”", "", "f", "nftables")])
def test_what_no_container_asks_is_not_held_back_by_rules_for_them(met: Met) -> None:
    assert _hosts(met, by_machine=True).status == "pass"


def test_pings_of_containers_do_not_matter_where_mailcow_sends_none() -> None:
    answered = [
        Try(Probe("ping", to), Probed("open", 0.1), PASSES, STOPPED["dropped"])
        for to in need.HEALTHCHECK_PINGS
    ]
    for skipped, status in (("", "fail"), ("n", "fail"), ("y", "pass")):
        assert judge_echoes((Echoes(4, True, tuple(answered), skipped),))[0].status == status


def test_datagrams_that_a_rule_of_this_machine_stops() -> None:
    """Silence says nothing of them, the rule does."""
    row = next(one for one in need.OUTGOING if one.protocol == "udp")
    for own, status in ((PASSES, "unknown"), (STOPPED["dropped"], "warn")):
        tried = Try(Probe("udp", "192.0.2.7", row.port), Probed("silent", 0.1), own)
        reached = Reached(row, Looked(row.host, ("192.0.2.7",)), (tried,))
        assert judge_hosts(Outward((reached,), (4,)))[0].status == status


def test_mail_that_a_rule_sends_elsewhere() -> None:
    """Whoever greets there is not whom the mail is for."""
    turned = Met(
        "sent elsewhere", "“dnat to 10.0.0.9”", "nft list chain ip x o", "o", "nftables", elsewhere="10.0.0.9"
    )
    found = _mail(PASSES, own=turned)
    assert (found.status, found.stops) == ("fail", "here")
    assert "sends port 25 to 10.0.0.9" in found.summary


def test_signatures_that_are_taken_out_on_the_way() -> None:
    heard = (Heard("198.41.0.4", True, one, 1097, True, False, "") for one in ("udp", "tcp"))
    found = judge_roots((Roots(4, True, tuple(heard)),))[0]
    assert (found.status, "signatures (DNSSEC) are taken out" in found.summary) == ("fail", True)


def test_no_way_out_over_ipv4_at_all() -> None:
    for found in (judge_roots((Roots(4, False),))[0], judge_echoes((Echoes(4, False),))[0]):
        assert (found.status, found.summary) == ("fail", "this machine has no way out over IPv4")
