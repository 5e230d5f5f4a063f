"""What gets out: every verdict, from attempts of a few words."""

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

SERVERS = {
    "Google": ("gmail-smtp-in.l.google.com", "220 mx.google.com ESMTP abc - gsmtp"),
    "Outlook": (
        "outlook-com.olc.protection.outlook.com",
        "220 AM1.mail.protection.outlook.com Microsoft ESMTP",
    ),
    "GMX": ("mx00.emig.gmx.net", "220 gmx.net (mxgmx017) Nemesis ESMTP Service ready"),
    "web.de": ("mx-ha02.web.de", "220 web.de (mxweb012) Nemesis ESMTP Service ready"),
}
OPERATORS = {one.name: one for one in need.MAIL_OPERATORS}
CONTROL = Try(Probe("tcp", "192.0.2.9", 443), Probed("open", 0.01))


def servers(*outcomes: str, greeting: str | None = None, told_by: str = "") -> tuple[MailTry, ...]:
    """The operators in turn, each with an outcome; an open one greets as it does, or with `greeting`."""
    rows = []
    for place, (outcome, (name, (host, own))) in enumerate(zip(outcomes, SERVERS.items(), strict=False)):
        said = (own if greeting is None else greeting) if outcome == "open" else ""
        result = Probed(outcome, 0.1, said, told_by)
        rows.append(
            MailTry(OPERATORS[name], host, Try(Probe("greeting", f"192.0.2.{place + 1}", 25), result))
        )
    return tuple(rows)


def way(family: int = 4, **more: object) -> MailWay:
    return MailWay(family, True, controls=(CONTROL,))._replace(**more)


def other(outcome: str, port: int = 465, greeting: str = "", told_by: str = "") -> tuple[Try, ...]:
    return (Try(Probe("tcp", "192.0.2.77", port), Probed(outcome, 0.1, greeting, told_by)),)


FOUR = ("open",) * 4
MAIL = [
    ("free", way(servers=servers(*FOUR)), "pass", "Google, Outlook, GMX and web.de answer"),
    (
        "one is silent",
        way(servers=servers("open", "open", "open", "silent")),
        "pass",
        "Google, Outlook and GMX",
    ),
    ("most are silent", way(servers=servers("open", "silent", "silent", "silent")), "warn", "only 1 of 4"),
    ("dropped", way(servers=servers(*["silent"] * 4)), "fail", "most likely by the provider"),
    (
        "no port gets out",
        way(servers=servers(*["silent"] * 4), controls=(*other("silent", 443), *other("silent", 80))),
        "fail",
        "no connection gets out over IPv4 (ports tried: 25, 80 and 443)",
    ),
    (
        "dead IPv6",
        way(6, servers=servers(*["silent"] * 3), controls=other("silent", 443)),
        "warn",
        "no connection gets out over IPv6 (ports tried: 25 and 443)",
    ),
    (
        "another port is refused out there",
        way(6, servers=servers(*["silent"] * 3), controls=other("refused", 443)),
        "fail",
        "most likely by the provider: 3 mail servers are silent over IPv6, other ports are refused",
    ),
    (
        "a router refuses another port",
        way(6, servers=servers(*["silent"] * 3), controls=other("refused", 443, told_by="10.0.0.1")),
        "warn",
        "no connection gets out over IPv6",
    ),
    ("reset", way(servers=servers(*["refused"] * 4)), "fail", "refused over IPv4 by something on the way"),
    ("rejected", way(servers=servers(*["refused"] * 4, told_by="10.0.0.1")), "fail", "by 10.0.0.1"),
    ("own rule", way(servers=servers(*["blocked"] * 4)), "fail", "this machine's own firewall"),
    ("no route", way(servers=servers(*["no route"] * 4)), "fail", "this machine has no way there"),
    ("cut off", way(servers=servers(*["reset"] * 4)), "fail", "cut off at once"),
    ("not sent", way(servers=servers(*["failed"] * 4)), "unknown", "port 25 could not be tried"),
    (
        "one greets for all",
        way(servers=servers(*FOUR, greeting="220 filter.isp.net")),
        "fail",
        "in place of other",
    ),
    ("a neighbour does", way(servers=servers(*FOUR, greeting="220 mx.x.net"), near=True), "pass", "is free"),
    (
        "whose neighbour is not known",
        way(servers=servers(*FOUR, greeting="220 mx.x.net"), doubt="the resolver says SERVFAIL"),
        "unknown",
        "mx.x.net cannot be looked up: the resolver says SERVFAIL",
    ),
    ("masked", way(servers=servers(*FOUR, greeting="220 ****************")), "fail", "in place of other"),
    (
        "no mail server greets",
        way(servers=servers(*FOUR), decoys=other("open", 25, "220 x")),
        "fail",
        "even 192.0.2.77",
    ),
    ("nobody greets", way(servers=servers(*FOUR, greeting="")), "warn", "none says a word"),
    ("the only one does not greet", way(servers=servers("open", greeting="")), "unknown", "Google takes the"),
    ("one opens mute", way(servers=servers("open", "silent", greeting="")), "unknown", "could not be proved"),
    (
        "a bad name",
        way(servers=servers(*FOUR, greeting="554-gmx.net refused")),
        "warn",
        "refuse this machine's",
    ),
    ("465 only is blocked", way(servers=servers(*FOUR), submission=other("silent")), "warn", "port 465"),
    ("no names", way(trouble="no answer within 1 s"), "unknown", "could be looked up (no answer within 1 s)"),
    ("no server has IPv6", way(6), "unknown", "IPv6 address"),
    ("no IPv6", MailWay(6, False), "skipped", "no IPv6"),
    ("no IPv4", MailWay(4, False), "fail", "no way out over IPv4"),
]


@pytest.mark.parametrize(
    ("facts", "status", "words"), [one[1:] for one in MAIL], ids=[one[0] for one in MAIL]
)
def test_mail(facts: MailWay, status: str, words: str) -> None:
    (judged,) = judge_mail((facts,))
    assert judged.subject == f"v{facts.family}"
    assert judged.status == status
    assert words in judged.summary
    assert len(judged.summary) <= 200
    if status == "fail":
        assert judged.remedies


def test_a_relay_that_can_be_reached_is_named() -> None:
    blocked = way(servers=servers(*["silent"] * 4), submission=other("open"))
    assert "Port 465 gets out" in judge_mail((blocked,))[0].remedies[-1]
    said = judge_mail((blocked._replace(submission=other("silent")),))[0].remedies[-1]
    assert said.endswith("another port, such as 2525: port 465 does not get out of here either.")
    assert "on port 587 or 465." in judge_mail((blocked._replace(submission=()),))[0].remedies[-1]


def test_port_25_that_is_open_over_ipv4_needs_no_invoice() -> None:
    blocked = way(servers=servers(*["silent"] * 4)), way(6, servers=servers(*["silent"] * 4))
    assert "invoice" in judge_mail(blocked)[1].remedies[0]
    assert "over IPv6, too" in "".join(judge_mail((way(servers=servers(*FOUR)), blocked[1]))[1].remedies)


ROW = {one.subject: one for one in need.OUTGOING}


def reached(
    subject: str,
    *outcomes: str,
    trouble: str = "",
    needless: str = "",
    v6: str = "",
    silent: "tuple[int, ...]" = (),
) -> Reached:
    row = ROW[subject]
    kind = "udp" if row.protocol in ("udp", "ntp") else "tcp"
    tries = [Try(Probe(kind, "192.0.2.1", row.port), Probed(one, 0.1)) for one in outcomes]
    tries += [Try(Probe(kind, "2001:db8::1", row.port), Probed(v6, 0.1))] if v6 else []
    return Reached(
        row, Looked(row.host, ("192.0.2.1",), trouble=trouble, unanswered=silent), tuple(tries), needless
    )


GITHUB, RSYNC, FUZZY = "github.com:443/tcp", "rsync.sanesecurity.net:873/tcp", "fuzzy1.rspamd.com:11335/udp"
TIME = "pool.ntp.org:123/udp"
HUB, IP6, IP4 = "hub.docker.com:443/tcp", "ip6.mailcow.email:80/tcp", "ip4.mailcow.email:80/tcp"
OPEN = reached(HUB, "open")
HOSTS = [
    ("open", reached(GITHUB, "open"), "pass", "github.com answers on port 443 (IPv4)"),
    ("its port of others answers", reached(GITHUB, "silent"), "fail", "so it is this host"),
    ("its port of nobody answers", reached(RSYNC, "silent"), "warn", "may stop port 873"),
    ("not over IPv6", reached(GITHUB, "open", v6="silent"), "pass", "not over IPv6"),
    ("not over IPv4", reached(GITHUB, "silent", v6="open"), "warn", "not over IPv4"),
    ("own rule", reached(RSYNC, "blocked"), "warn", "this machine's own firewall"),
    ("no name", reached(GITHUB, trouble="there is no such name"), "fail", "cannot be looked up"),
    ("nobody tells", reached(GITHUB, trouble="late", silent=(4, 6)), "unknown", "be looked up: late"),
    (
        "told for IPv6 alone",
        reached(GITHUB, v6="open", silent=(4,)),
        "unknown",
        "over IPv6: github.com answers",
    ),
    ("told for IPv4 alone", reached(GITHUB, "open", silent=(6,)), "pass", "github.com answers"),
    ("no IPv4", reached(IP4), "warn", "the name has no IPv4 address"),
    ("nobody tells IPv4", reached(IP4, silent=(4,)), "unknown", "no resolver answers for its IPv4"),
    ("optional", reached("github.com:80/tcp", "silent"), "warn", "cannot be reached"),
    ("needless", reached(RSYNC, "silent", needless="SKIP_CLAMD"), "skipped", "SKIP_CLAMD=y"),
    ("not sent", reached(GITHUB, "failed"), "unknown", "github.com could not be tried on port 443"),
    ("a datagram not sent", reached(TIME, "failed"), "unknown", "could not be tried on port 123"),
    ("silent datagrams", reached(FUZZY, "silent"), "unknown", "answers no strangers"),
    ("silent time servers", reached(TIME, "silent"), "warn", "cannot be reached on UDP port 123"),
    ("time", reached(TIME, "silent", "open"), "pass", "answers on UDP port 123"),
    ("refused datagrams", reached(FUZZY, "refused"), "warn", "cannot be reached on UDP port 11335"),
    ("answered datagrams", reached(FUZZY, "open"), "pass", "answers on UDP port 11335"),
    ("IPv6 only", reached(IP6, v6="silent"), "skipped", "this machine has no IPv6"),
    ("found by name", reached("current.cvd.clamav.net:53/udp"), "pass", "is found by name"),
    ("through a proxy", reached(HUB, "silent")._replace(through="192.0.2.3:3128"), "pass", "proxy 192.0.2.3"),
]


@pytest.mark.parametrize(
    ("host", "status", "words"), [one[1:] for one in HOSTS], ids=[one[0] for one in HOSTS]
)
def test_hosts(host: Reached, status: str, words: str) -> None:
    judged = judge_hosts(Outward((host, OPEN), (4,) if host.row.family else (4, 6)))[0]
    assert judged.subject == host.row.subject
    assert judged.status == status
    assert words in judged.summary


@pytest.mark.parametrize(
    ("control", "words"),
    [
        ("open", "while other things are answered"),
        ("refused", "while other things are answered"),
        ("silent", "nor from anything else"),
    ],
)
def test_what_else_gets_out_over_ipv6_is_tried(control: str, words: str) -> None:
    """Few hosts have IPv6, all of them on port 80: their silence does not tell that all is silent."""
    tried = Try(Probe("tcp", "2001:db8::443", 443), Probed(control, 0.1))
    host = reached(IP6, v6="silent")._replace(tries=reached(IP6, v6="silent").tries[-1:])
    judged = judge_hosts(Outward((host, OPEN), (4, 6), controls=(tried,)))[0]
    assert (judged.status, words in judged.summary) == ("warn", True), judged.summary


def test_a_dead_resolver_of_this_machine_is_told_where_others_answered() -> None:
    rows = (reached(GITHUB, "open"), OPEN, reached("github.com:80/tcp", "open"), reached(RSYNC, "silent"))
    judged = judge_hosts(Outward(rows, (4,), "no answer within 1.2 s"))
    assert [one.status for one in judged] == ["warn", "warn", "pass", "warn"]
    assert "own resolver" not in judged[3].summary, "that it cannot be reached is worse"
    assert "own resolver gives no answer" in judged[0].summary


def test_where_programs_get_no_address_git_and_docker_fetch_nothing() -> None:
    """Containers ask mailcow's own resolver."""
    acme = reached("acme-v02.api.letsencrypt.org:443/tcp", "open")
    judged = judge_hosts(Outward((reached(GITHUB, "open"), OPEN, acme), (4,), "refused", (), True))
    assert [one.status for one in judged] == ["fail", "warn", "warn"]
    assert judged[0].evidence[-1].what == "getent ahosts github.com"


def test_names_that_nobody_tells_are_known_to_be_lost_where_no_program_gets_any() -> None:
    lost = [reached(one, silent=(4,), trouble="no resolver answers") for one in (GITHUB, RSYNC)]
    for nameless, status in ((True, "fail"), (False, "unknown")):
        judged = judge_hosts(Outward(tuple(lost), (4,), "late", (), nameless))
        assert [one.status for one in judged] == [status, "unknown"]


def test_every_host_of_the_documents_is_there() -> None:
    documented = """rsync.sanesecurity.net:873/tcp spamassassin.heinlein-support.de:443/tcp github.com:80/tcp
        github.com:443/tcp hub.docker.com:443/tcp asn-check.mailcow.email:443/tcp ip4.mailcow.email:80/tcp
        ip6.mailcow.email:80/tcp fuzzy.mailcow.email:80/tcp bazaar.abuse.ch:443/tcp urlhaus.abuse.ch:443/tcp
        fuzzy.mailcow.email:11445/udp fuzzy1.rspamd.com:11335/udp fuzzy2.rspamd.com:11335/udp"""
    in_code = """ghcr.io www.internic.net ip4.nevondo.com ip6.nevondo.com db.uk.clamav.net db.nl.clamav.net
        db.fr.clamav.net db.ch.clamav.net current.cvd.clamav.net www.spamassassin.heinlein-support.de
        api.github.com"""
    assert {one.subject for one in need.OUTGOING if one.source == "documented"} == set(documented.split())
    assert {one.host for one in need.OUTGOING if one.source == "code"} == set(in_code.split())
    assert len({one.subject for one in need.OUTGOING}) == len(need.OUTGOING)


def roots(
    udp: str, small: str, tcp: str, family: int = 4, resolver: bool = True, signed: bool = True
) -> Judgement:
    """One root server: `ok`, `other` (somebody else's word), or why there is no answer."""

    def heard(large: bool, transport: str, said: str) -> Heard:
        size = 1097 if said in ("ok", "other") else 0
        error = "" if size else said
        return Heard("198.41.0.4", large, transport, size, said == "ok", signed, error)

    rows = (heard(True, "udp", udp), heard(False, "udp", small), heard(True, "tcp", tcp))
    return judge_roots((Roots(family, True, rows, resolver),))[0]


ROOTS = [
    ("all", ("ok", "ok", "ok"), "pass", "UDP (1 of 1) and TCP (1 of 1), up to 1097 bytes"),
    ("no UDP", ("late", "late", "ok"), "fail", "over TCP they do; this machine's own resolver works"),
    ("no large UDP", ("late", "ok", "ok"), "fail", "long answers over UDP"),
    ("no TCP", ("ok", "ok", "late"), "fail", "but not over TCP: late"),
    ("nothing", ("late", "late", "refused"), "fail", "no root server answers"),
    ("somebody else", ("other", "other", "ok"), "fail", "in place of the root servers (UDP port 53)"),
    ("somebody else everywhere", ("other", "other", "other"), "fail", "(TCP and UDP port 53)"),
    ("own rule", ("blocked by this machine's firewall (EPERM)",) * 3, "fail", "this machine's own firewall"),
]


@pytest.mark.parametrize(
    ("said", "status", "words"), [one[1:] for one in ROOTS], ids=[one[0] for one in ROOTS]
)
def test_roots(said: tuple[str, str, str], status: str, words: str) -> None:
    judged = roots(*said)
    assert judged.status == status
    assert words in judged.summary
    expected = "fail" if "other" in said else "warn" if status == "fail" else status
    assert roots(*said, family=6).status == expected


def test_the_remedy_for_a_firewall_without_states_is_printed() -> None:
    assert "UDP from source port 53 to ports 1024-65535" in roots("late", "late", "ok").remedies[0]
    assert "signatures (DNSSEC) are taken out" in roots("ok", "ok", "ok", signed=False).summary
    assert judge_roots((Roots(6, False),))[0].status == "skipped"


def echoes(*outcomes: str, skipped: str = "", recursion: bool | None = None, family: int = 4) -> Judgement:
    targets = need.HEALTHCHECK_PINGS if family == 4 else need.IPV6_PINGS
    tries = tuple(Try(Probe("ping", to), Probed(one, 0.1)) for to, one in zip(targets, outcomes, strict=True))
    return judge_echoes((Echoes(family, True, tries, skipped, recursion),))[0]


SILENT = ("silent",) * 3
ECHOES = [
    (echoes("open", "open", "open"), "pass", "enough for the pings"),
    (echoes("open", "silent", "open"), "pass", "1 does not, which the healthcheck forgives"),
    (echoes("open", "silent", "silent"), "fail", "only 1 of 3"),
    (echoes(*SILENT, recursion=True), "fail", "the stack will not start"),
    (echoes(*SILENT, skipped="y"), "pass", "says that it does not matter"),
    (echoes(*SILENT, skipped="Y"), "fail", "none of 3"),
    (echoes(*["not allowed"] * 3), "unknown", "this user may not"),
    (echoes(*["failed"] * 3), "unknown", "echo requests could not be sent"),
    (echoes("open", "open", "failed"), "pass", "1 does not"),
    (echoes("open", "silent", family=6), "pass", "enough for the ping by which"),
    (echoes("silent", "silent", family=6), "warn", "ENABLE_IPV6=false"),
    (echoes("not allowed", "not allowed", family=6), "unknown", "this user may not"),
    (echoes("failed", "failed", family=6), "unknown", "echo requests could not be sent"),
]


@pytest.mark.parametrize("said", ["", "n", "Y"])
@pytest.mark.parametrize("recursion", [True, False, None])
def test_the_healthcheck_is_told_to_be_skipped_only_where_that_helps(
    said: str, recursion: bool | None
) -> None:
    remedies = " ".join(echoes(*SILENT, skipped=said, recursion=recursion).remedies)
    assert ("would not help" in remedies) == (recursion is False), remedies
    assert ("only a small y counts" in remedies) == (said == "Y" and recursion is not False), remedies


def test_answered_pings_promise_nothing_that_names_and_the_ping_command_decide() -> None:
    for judged in (echoes("open", "open", "open", recursion=False), echoes("open", "open", family=6)):
        assert judged.status == "pass"
        assert " will " not in judged.summary


@pytest.mark.parametrize(("judged", "status", "words"), ECHOES)
def test_echoes(judged: Judgement, status: str, words: str) -> None:
    assert judged.status == status
    assert words in judged.summary


DROPS = Met("dropped", "“icmp drop”", "nft list chain inet x o", "o", "nftables")
PASSES, UNCLEAR = Met("through"), Met("unknown", "“?”")


@pytest.mark.parametrize(
    ("own", "container", "status"),
    [
        (DROPS, PASSES, "warn"),
        (DROPS, DROPS, "fail"),
        (DROPS, UNCLEAR, "fail"),
        (DROPS, None, "fail"),
        (PASSES, PASSES, "fail"),
        (None, None, "fail"),
    ],
)
def test_rules_that_stop_this_machine_alone_stop_no_container(
    own: "Met | None", container: "Met | None", status: str
) -> None:
    """Containers' packets are passed on: they meet no rule for what this machine sends itself."""
    words = "containers pass other rules, which let them out"
    pings = (Try(Probe("ping", to), Probed("silent", 0.1), own, container) for to in need.HEALTHCHECK_PINGS)
    judged = judge_echoes((Echoes(4, True, tuple(pings)),))[0]
    assert (judged.status, words in judged.summary) == (status, status == "warn")
    asked = [Heard("198.41.0.4", True, one, 0, False, False, "late") for one in ("udp", "tcp")]
    rows = tuple(one._replace(met=own, container=container) for one in asked)
    judged = judge_roots((Roots(4, True, rows),))[0]
    assert (judged.status, words in judged.summary) == (status, status == "warn")
    # One that no rule stops is lost on the way.
    judged = judge_roots((Roots(4, True, (*rows, asked[0]._replace(met=PASSES, container=PASSES))),))[0]
    assert judged.status == "fail"


def test_the_healthcheck_is_only_to_be_skipped_where_names_are_found() -> None:
    assert "set SKIP_UNBOUND_HEALTHCHECK=y" in " ".join(echoes(*SILENT, recursion=True).remedies)
    assert "would not help" in " ".join(echoes(*SILENT, recursion=False).remedies)
    assert "only a small y counts" in " ".join(echoes(*SILENT, skipped="Y").remedies)
