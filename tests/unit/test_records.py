"""The table for faces: read, asked again in part, what is to be published, the mail domains."""

from pathlib import Path
from typing import Any

import pytest
from dns_world import DOMAIN, NAME, OURS, RESOLVER, ZONE, Rows, World

from mailcow_wizard.engine import records, watching
from mailcow_wizard.engine.session import Answers, Session
from mailcow_wizard.facts.dns.push import push
from mailcow_wizard.facts.dns.standing import Standing
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Settings
from mailcow_wizard.names import NotAName
from mailcow_wizard.tui import record_words as words

SPF, DMARC = "v=spf1 mx a -all", "v=DMARC1; p=reject"
ALL: Rows = {
    (DOMAIN, "TXT"): SPF,
    (f"_dmarc.{DOMAIN}", "TXT"): DMARC,
    (f"autodiscover.{DOMAIN}", "CNAME"): f"{NAME}.",
    (f"autoconfig.{DOMAIN}", "CNAME"): f"{NAME}.",
    ("25.100.51.198.in-addr.arpa", "PTR"): f"{NAME}.",
}


def session(
    place: Path, published: Rows, domains: tuple[str, ...] = (DOMAIN,), offline: bool = False
) -> Session:
    """A session on a server with one address, in a world of these records."""
    settings = Settings(hostname=NAME, domains=domains, addresses=(OURS,), resolver=RESOLVER, offline=offline)
    return Session(World(published), settings, StateDirectory(str(place)))


def titles(rows: tuple[Row, ...]) -> list[str]:
    """Rows in few words."""
    return [f"{one.expected.type} {one.expected.name}" for one in rows]


def test_nothing_is_published_and_what_to_publish_is_in_the_order_of_need(tmp_path: Path) -> None:
    none = {key: one for key, one in ZONE.items() if key[1] == "NS" or key[0].startswith("ns.")}
    rows = records.read(session(tmp_path, none)).rows
    assert records.nothing_published(rows)
    assert titles(records.to_publish(rows)) == [
        f"A {NAME}",
        f"MX {DOMAIN}",
        f"CNAME autodiscover.{DOMAIN}",
        f"CNAME autoconfig.{DOMAIN}",
        f"TXT {DOMAIN}",
        f"TXT _dmarc.{DOMAIN}",
    ]
    assert titles(records.for_provider(rows)) == ["PTR 25.100.51.198.in-addr.arpa"]
    assert words.to_do(rows) == "Nothing is there yet: publish these six, from the top down"
    assert {words.status(one) for one in rows if one.expected.level == "optional"} == {"skipped"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "All that mail needs is there and right"),
        ({(DOMAIN, "TXT"): ()}, "Publish one"),
        ({(DOMAIN, "TXT"): "site-verification=abc"}, "Publish one"),
        ({(DOMAIN, "MX"): "10 elsewhere.example."}, "Correct one"),
        (
            {(DOMAIN, "TXT"): (), (f"_dmarc.{DOMAIN}", "TXT"): (), (DOMAIN, "MX"): "10 elsewhere.example."},
            "Publish these two and correct one",
        ),
        (
            {(DOMAIN, "TXT"): "v=spf1 mx include:silent.test -all", ("silent.test", "TXT"): "silence"},
            "One could not be asked: whether it is right is not known",
        ),
        (
            {("25.100.51.198.in-addr.arpa", "PTR"): "static.example.net."},
            "Your provider has to set the server's name (PTR)",
        ),
    ],
)
def test_what_is_to_be_done_is_said_in_a_sentence(tmp_path: Path, changed: Rows, said: str) -> None:
    world = {**ZONE, **ALL, **changed}
    world.pop((NAME, "AAAA"))
    assert words.to_do(records.read(session(tmp_path, world)).rows) == said


def test_some_rows_are_asked_again_without_the_rest(tmp_path: Path) -> None:
    here = session(tmp_path, {**ZONE, **ALL, (DOMAIN, "MX"): "10 elsewhere.example."})
    found = records.read(here)
    world = here.host
    assert isinstance(world, World)
    world.records[DOMAIN, "MX"] = (f"10 {NAME}.",)
    world.records[f"autoconfig.{DOMAIN}", "CNAME"] = ("elsewhere.example.",)
    world.rounds.clear()
    some = tuple(one for one in found.rows if one.expected.type in ("MX", "CNAME"))
    again = records.read_again(here, found, some)
    assert [(one.expected, one.state.kind) for one in again] == [
        (one.expected, "wrong" if one.expected.name.startswith("autoconfig") else "right") for one in some
    ]
    asked = {(one.name, one.type) for each in world.rounds for one in each}
    assert asked == {
        (DOMAIN, "MX"),
        *((f"{one}.{DOMAIN}", type) for one in ("autodiscover", "autoconfig") for type in ("A", "AAAA")),
    }


def test_every_row_asked_again_is_the_row_of_the_table(tmp_path: Path) -> None:
    here = session(tmp_path, {**ZONE, **ALL, (f"_imaps._tcp.{DOMAIN}", "SRV"): f"0 1 993 {NAME}."})
    found = records.read(here)
    again = records.read_again(here, found, found.rows)
    assert {(one.expected, one.state, one.value) for one in again} == {
        (one.expected, one.state, one.value) for one in found.rows
    }


@pytest.mark.parametrize(
    ("text", "state", "value", "note"),
    [
        ("v=spf1 mx -all", "right", "v=spf1 mx -all", ""),
        ("v=spf1 -all", "wrong", "v=spf1 mx -all", ""),
        ("v=spf1 ip4:192.0.2.9 ~all", "wrong", "v=spf1 ip4:192.0.2.9 mx ~all", ""),
        ("v=spf1 mx +all", "wrong", SPF, "lets everybody send"),
        ("v=spf1 mx ip4:0.0.0.0/1 -all", "wrong", SPF, "Take that word away"),
        ("v=spf1 include:none.example.net mx -all", "wrong", SPF, "is not valid"),
        ("v=spf1 include:silent.test mx -all", "could not ask", None, "is not known"),
        ("v=spf1 mx include:silent.test -all", "could not ask", None, "lets everybody send is not known"),
    ],
)
def test_an_spf_record_is_right_where_it_lets_this_server_send_and_not_everybody(
    tmp_path: Path, text: str, state: str, value: str | None, note: str
) -> None:
    silent = {("silent.test", "TXT"): "silence"}
    here = session(tmp_path, {**ZONE, **ALL, **silent, (DOMAIN, "TXT"): text})
    found = records.read(here)
    (row,) = (one for one in found.rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert (row.state.kind, row.value) == (state, text if value is None else value)
    assert note in row.expected.note
    if state == "could not ask":
        assert f"could not ask: whether the SPF record of {DOMAIN}" in words.sentence(row, 0)
        assert words.what(row) == f"{DOMAIN}  TXT  recommended"
    if state == "wrong":
        assert words.to_do(found.rows) != "All that mail needs is there and right"
        assert records.read_again(here, found, (row,))[0].state.kind == "wrong"
        assert isinstance(here.host, World)
        here.host.records[DOMAIN, "TXT"] = (SPF,)
        assert records.read_again(here, found, (row,))[0].state.kind == "right"


@pytest.mark.parametrize(
    ("before", "now", "state"),
    [
        ((), "v=spf1 mx +all", "wrong"),
        ((), "v=spf1 -all", "wrong"),
        ("v=spf1 -all", "v=spf1 ip4:192.0.2.9 -all", "wrong"),
        ((), "v=spf1 include:silent.test mx -all", "could not ask"),
        ("v=spf1 include:silent.test mx -all", "v=spf1 include:silent.test mx -all", "could not ask"),
        ("v=spf1 include:silent.test mx -all", SPF, "right"),
    ],
)
def test_an_spf_record_that_is_waited_for_is_evaluated(
    tmp_path: Path, before: Any, now: str, state: str
) -> None:
    silent = {("silent.test", "TXT"): "silence"}
    here = session(tmp_path, {**ZONE, **ALL, **silent, (DOMAIN, "TXT"): before})
    found = records.read(here)
    (row,) = (one for one in found.rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert isinstance(here.host, World)
    here.host.records[DOMAIN, "TXT"] = (now,)
    (again,) = records.read_again(here, found, (row,))
    assert (again.state.kind, watching.key(again)) == (state, watching.key(row))
    assert ("is not known" in again.expected.note) == (state == "could not ask")
    if state == "could not ask":
        assert f"could not ask: whether the SPF record of {DOMAIN}" in words.sentence(again, 0)


def test_an_spf_record_that_came_meanwhile_is_corrected_and_not_replaced(tmp_path: Path) -> None:
    """Whom it names may go on to send: the same is told as when all is read again."""
    other = {("of.hoster.example", "TXT"): "v=spf1 ip4:192.0.2.9 -all"}
    here = session(tmp_path, {**ZONE, **ALL, **other, (DOMAIN, "TXT"): ()})
    found = records.read(here)
    (row,) = (one for one in found.rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert isinstance(here.host, World)
    here.host.records[DOMAIN, "TXT"] = ("v=spf1 include:of.hoster.example -all",)
    answers = records.read_again(here, found, (row,))
    (again,) = watching.taken(watching.begin((row,), 0.0), answers, 1.0).rows
    assert (again.state.kind, again.value) == ("wrong", "v=spf1 include:of.hoster.example mx -all")


def test_an_address_that_was_not_named_leaves_the_spf_record_open(tmp_path: Path) -> None:
    """As its check has it: mailcow sends over IPv6, too, and from where was not said."""
    here = session(tmp_path, {**ZONE, **ALL, (NAME, "AAAA"): ()})
    assert isinstance(here.host, World)
    here.host.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=true\n"
    rows = records.read(here).rows
    states = {one.expected.type: one.state.kind for one in rows if not one.expected.domain}
    assert states == {"A": "right", "AAAA": "could not ask", "PTR": "right"}
    (sender,) = (one for one in rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert sender.state.kind == "could not ask"
    here.host.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\n"
    rows = records.read(here).rows
    (sender,) = (one for one in rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert sender.state.kind == "right"


class Unseen(World):
    """Behind NAT, and nobody outside says with which address."""

    def source_address(self, destination: str) -> str:
        if ":" in destination:
            raise HostError("Network is unreachable")
        return "10.0.0.5"


@pytest.mark.parametrize("there", [OURS, ()])
def test_an_address_that_is_not_known_is_not_right(tmp_path: Path, there: Any) -> None:
    settings = Settings(hostname=NAME, domains=(DOMAIN,), resolver=RESOLVER)
    world = Unseen({**ZONE, **ALL, (NAME, "A"): there, (NAME, "AAAA"): ()})
    here = Session(world, settings, StateDirectory(str(tmp_path)))
    found = records.read(here)
    row = found.rows[0]
    assert (row.expected.type, row.state.kind, row.value) == ("A", "could not ask", "")
    assert "the public IPv4 address of this server is not known" in words.sentence(row, 0)
    (sender,) = (one for one in found.rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert (sender.state.kind, sender.value) == ("could not ask", SPF)
    again = records.read_again(here, found, (row, sender))
    assert [one.state.kind for one in again] == ["could not ask"] * 2
    said = "Two could not be asked: whether they are right is not known"
    assert words.to_do(found.rows) == said
    assert [one.type for one in found.facts.get(push).left if one.check == "dns.a"] == ["A"]


def test_as_many_as_are_shown_as_not_asked_are_counted(tmp_path: Path) -> None:
    dmarc, optional = (f"_dmarc.{DOMAIN}", "TXT"), (f"_imaps._tcp.{DOMAIN}", "SRV")
    world = {**ZONE, **ALL, (NAME, "AAAA"): (), dmarc: "silence", optional: "silence"}
    found = records.read(session(tmp_path, world))
    unknown = [
        (one.expected.type, one.expected.level) for one in found.rows if one.state.kind == "could not ask"
    ]
    assert unknown == [("TXT", "recommended"), ("SRV", "optional")]
    assert words.to_do(found.rows) == "Two could not be asked: whether they are right is not known"


@pytest.mark.parametrize("exchanger", [(), "10 elsewhere.example."])
@pytest.mark.parametrize("text", [SPF, f"v=spf1 mx:{DOMAIN}. -all", "v=spf1 mx:%{d} -all"])
def test_an_spf_record_that_names_what_is_not_right_yet_stays(
    tmp_path: Path, text: str, exchanger: Any
) -> None:
    """However it is written: with the dot of the root, or by a macro."""
    published = {**ZONE, **ALL, (DOMAIN, "MX"): exchanger, (DOMAIN, "TXT"): text}
    rows = records.read(session(tmp_path, published)).rows
    (row,) = (one for one in rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert row.state.kind == "right"


def test_an_spf_record_of_a_server_that_has_no_other_record_yet_stays(tmp_path: Path) -> None:
    text = f"v=spf1 mx a a:{NAME} -all"  # three look-ups that find nothing, of two that may
    none = {(DOMAIN, "MX"): (), (DOMAIN, "A"): (), (NAME, "A"): (), (DOMAIN, "TXT"): text}
    rows = records.read(session(tmp_path, {**ZONE, **ALL, **none})).rows
    (row,) = (one for one in rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert row.state.kind == "right"


@pytest.mark.parametrize("exchanger", [(), "10 elsewhere.example."])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("v=spf1 -all", f"v=spf1 ip4:{OURS} -all"),
        ("v=spf1 ip4:192.0.2.9 ~all", f"v=spf1 ip4:192.0.2.9 ip4:{OURS} ~all"),
        ("v=spf1 mx +all", SPF),
        ("v=spf1 mx ip4:0.0.0.0/1 -all", SPF),
        (f"v=spf1 -ip4:{OURS} mx -all", SPF),
        ("v=spf1 mx include:none.example.net -all", SPF),
        ("v=spf1 a include:of.hoster.example ~all", f"v=spf1 a include:of.hoster.example ip4:{OURS} ~all"),
        ("v=spf1 redirect=of.hoster.example", f"v=spf1 ip4:{OURS} redirect=of.hoster.example"),
        ("v=spf1 ptr:hoster.example -all", f"v=spf1 ptr:hoster.example ip4:{OURS} -all"),
    ],
)
def test_what_an_spf_record_says_by_itself_waits_for_no_other_record(
    tmp_path: Path, text: str, value: str, exchanger: Any
) -> None:
    others = {("of.hoster.example", "TXT"): "v=spf1 ip4:192.0.2.9 -all"}
    published = {**ZONE, **ALL, **others, (DOMAIN, "MX"): exchanger, (DOMAIN, "TXT"): text}
    rows = records.read(session(tmp_path, published)).rows
    (row,) = (one for one in rows if (one.expected.name, one.expected.type) == (DOMAIN, "TXT"))
    assert (row.state.kind, row.value) == ("wrong", value)


def test_a_zone_that_was_not_there_is_looked_for_again(tmp_path: Path) -> None:
    here = session(tmp_path, {})
    found = records.read(here)
    assert {one.state.kind for one in found.rows} <= {"could not ask", "missing"}
    world = here.host
    assert isinstance(world, World)
    world.records |= {key: (one,) if isinstance(one, str) else one for key, one in ZONE.items()}
    again = records.read_again(here, found, found.rows[:1])
    assert again[0].state.kind == "right"


def test_offline_nobody_is_asked(tmp_path: Path) -> None:
    here = session(tmp_path, ZONE, offline=True)
    with pytest.raises(HostError, match="--offline"):
        records.read(here)
    assert isinstance(here.host, World)
    assert here.host.rounds == []


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "a name is needed"),
        ("example", "a domain is needed"),
        ("a b.example", "only letters"),
        ("192.0.2.1", "that is an address"),
        ("Example.ORG.", "in the list already"),
        ("x..example", "two dots"),
    ],
)
def test_a_domain_that_cannot_be_one_is_refused_with_the_reason(typed: str, why: str) -> None:
    with pytest.raises(NotAName, match=why):
        records.added((DOMAIN,), typed)


def test_domains_are_added_and_kept(tmp_path: Path) -> None:
    here = session(tmp_path, ZONE, domains=())
    assert records.mail_domains(here) == (DOMAIN,)
    records.keep_domains(here, records.added(records.mail_domains(here), " Bücher.Example "))
    assert here.answers == Answers(NAME, (DOMAIN, "xn--bcher-kva.example"))
    later = Session(here.host, Settings(), StateDirectory(str(tmp_path)))
    assert records.mail_domains(later) == (DOMAIN, "xn--bcher-kva.example")


def test_going_to_a_step_leaves_the_names_of_the_command_line(tmp_path: Path) -> None:
    here = session(tmp_path, ZONE, domains=(DOMAIN, "second.example"))
    here.keep(here.answers._replace(step="dns"), named=False)
    assert here.settings.domains == (DOMAIN, "second.example")
    assert here.settings.hostname == NAME


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (59, "59 s"), (60, "1:00"), (3725, "1:02:05")])
def test_times_left_are_short(seconds: int, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(("second", "right"), [("right", 2), ("silent", 2), ("missing", 1), ("wrong", 1)])
def test_of_a_server_that_is_asked_at_several_addresses_those_count_that_answer(
    second: Any, right: int
) -> None:
    zone: list[tuple[str, Any]] = [("ns1", "right"), ("ns2", "right"), ("ns2", second), ("ns3", "silent")]
    stand = [Standing(str(number), name, "zone", stands, (), 0) for number, (name, stands) in enumerate(zone)]
    assert words._of_zone(stand) == f"{right} of 3 name servers"


def test_texts_of_name_servers_are_harmless(tmp_path: Path) -> None:
    evil = "v=spf1 \x1b]0;x\x07 -all"
    rows = records.read(session(tmp_path, {**ZONE, **ALL, (DOMAIN, "TXT"): evil})).rows
    spf = next(one for one in rows if one.expected.type == "TXT" and one.expected.name == DOMAIN)
    shown = words.value(spf) + words.published(spf) + words.sentence(spf, 0)
    assert shown.isprintable()
