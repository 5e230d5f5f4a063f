"""What is stored in English, told in German: each sentence is known again, and what is none stays."""

import itertools
import random
import re
import time
from collections.abc import Container, Iterator
from pathlib import Path

import catalogues
import pytest
from catalogues import PARTS
from changes import Place

from mailcow_wizard import language
from mailcow_wizard.engine.findings import from_fields, of_finding, retold_finding
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.install import spoken
from mailcow_wizard.install.standing import Choices, Progress, Stand, fresh
from mailcow_wizard.model import Command, Evidence, Finding, Fix, Manual, Proof, Settings
from mailcow_wizard.retelling import _Form, _form, _named, retold, stored

PLACE = re.compile(r"\{(\w+)(:[^}]*)?[^}]*\}")
# Not `IPv{family}`, nor `mail.{name}`.
ADDED = re.compile(r"(?<=[a-z)}])(?<!IPv)\{(\w+)[^}]*\}(?![A-Za-z])")
# Of 4600 texts; the others cannot be told from one that is as long, or hold little of their own.
MOST_UNKNOWN = 32
# `none` is a sentence, too, and `{ports}{v6} {did} by {by}` holds little of its own.
MOST_UNKNOWN_SHORT = 2


@pytest.fixture
def german() -> None:
    """German is spoken."""
    language.use("de")


def test_every_sentence_is_known_again(german: None) -> None:
    unknown = {}
    for part in PARTS:
        for sentence, words in catalogues.read("de", part).items():
            told = zip((sentence.text, sentence.plural), words, strict=False)
            for english, wanted in told if not sentence.context else ():
                if retold(_with_values(english)) != _with_values(wanted):
                    unknown[english] = retold(_with_values(english))
    assert len(unknown) <= MOST_UNKNOWN, unknown


def test_what_a_provider_does_is_told_whole(german: None) -> None:
    relay = "Send through a relay (smarthost) on port 587 or 465 instead"
    kept = (
        "This server is at Google Cloud. Google Cloud blocks outgoing port 25 for good. "
        f"{relay}. Such rules change; its support knows those of today."
    )
    assert "Google Cloud sperrt den ausgehenden Port 25 endgültig. Stattdessen" in retold(kept)


def test_a_sentence_whose_addition_is_empty_is_known_again(german: None) -> None:
    """`port {port} is free{moved}`: nothing was moved, as a rule."""
    unknown, asked = {}, 0
    for part in PARTS:
        for sentence, words in catalogues.read("de", part).items():
            told = zip((sentence.text, sentence.plural), words, strict=False)
            for english, wanted in told if not sentence.context else ():
                empty = {place[1] for place in ADDED.finditer(english)}
                said, right = _with_values(english, empty), _with_values(wanted, empty)
                asked += bool(empty)
                if empty and retold(said) != right:
                    unknown[english] = retold(said)
    assert asked > 60
    assert len(unknown) <= MOST_UNKNOWN_SHORT, unknown


def test_every_translation_is_stored_as_english(german: None) -> None:
    """What it becomes is told the same again; what is the same in both languages stays."""
    lost = {}
    for part in PARTS:
        for sentence, words in catalogues.read("de", part).items():
            for told in words if not sentence.context else ():
                english = stored(_with_values(told))
                same = english == _with_values(told) and told not in (sentence.text, sentence.plural)
                if same or retold(english) != _with_values(told):
                    lost[told] = english
    assert len(lost) <= MOST_UNKNOWN, lost


def test_what_others_wrote_is_told_in_time(german: None) -> None:
    """Words as the wizard has them, too, are parts of ever more of its sentences."""
    words = "is has and to in at , ; : ( ) not port 25 mailcow the a of does answer no from this server"
    some = random.Random(1).choices(words.split(), k=200)
    began = time.process_time()
    assert retold(" ".join(some))
    assert time.process_time() - began < 4


def test_a_sentence_whose_words_come_again_and_again_is_taken_apart_in_time(german: None) -> None:
    forms = [one for one in map(_taken_apart, _sentences()) if len(one.pieces) > 7]
    assert forms
    began = time.process_time()
    for form in forms:
        first, *between, last = form.pieces
        text = f"{first}x{between[-1]}{'y'.join(['', *between[:-1]]) * 20}z{last}"
        assert len(list(itertools.islice(form.ways(text), 8))) <= 8
    assert time.process_time() - began < 8


def _sentences() -> Iterator[str]:
    for part in PARTS:
        yield from (one.text for one in catalogues.read("de", part))


def _taken_apart(text: str) -> _Form:
    return _form(_named(text), "")


def _with_values(form: str, empty: Container[str] = ()) -> str:
    """What has a format is a number, and so is `n`."""

    def value(name: str, number: bool) -> str:
        return "" if name in empty else "7" if number else f"{name}-1"

    return PLACE.sub(lambda place: value(place[1], bool(place[2]) or place[1] == "n"), form)


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (
            "this blocks the install: system.memory: only 1.5 GiB",
            "das verhindert die Installation: system.memory: nur 1,5 GiB",
        ),
        (
            "192.0.2.1:110 offers no STLS; also: 192.0.2.1:110 lets programs log in without encryption",
            "192.0.2.1:110 bietet kein STLS an; außerdem: "
            "192.0.2.1:110 lässt Programme sich ohne Verschlüsselung anmelden",
        ),
        (
            "192.0.2.1:110 offers no STLS; also: 192.0.2.1:110 offers no STLS; 2 more",
            "192.0.2.1:110 bietet kein STLS an; außerdem: 192.0.2.1:110 bietet kein STLS an; 2 weitere",
        ),
        ("12 findings, none blocks, 3 to read", "12 Befunde, keiner verhindert etwas, 3 zu lesen"),
        (
            "3 of 18 images, about 3 min left, 12.5 MB/s, so far known: 1.2 MB of 3.0 GB",
            "3 von 18 Images, noch etwa 3 min, 12,5 MB/s, bisher bekannt: 1,2 MB von 3,0 GB",
        ),
        (
            "1.1.1.1, 8.8.8.8 and 9.9.9.9 answer: enough for the pings of mailcow's unbound healthcheck",
            "1.1.1.1, 8.8.8.8 und 9.9.9.9 antworten: genug für die Pings von mailcows unbound-Healthcheck",
        ),
        ("ghcr.io answers on port 443 (IPv4 and IPv6)", "ghcr.io antwortet auf Port 443 (IPv4 und IPv6)"),
        ("port 25 is free", "Port 25 ist frei"),
        (
            "the clock is within 1 ms of 4 time servers",
            "die Uhr weicht höchstens 1 ms von 4 Zeitservern ab",
        ),
        (
            "port 993 was reached from 198.51.100.7 2 days ago (IPv4)",
            "Port 993 wurde erreicht von 198.51.100.7 vor 2 Tagen (IPv4)",
        ),
        (
            "7 of 18 run; waits for acme, php-fpm, postfix-tlspol",
            "7 von 18 laufen; wartet auf acme, php-fpm, postfix-tlspol",
        ),
        (
            "sh failed with exit code 7; what was changed was taken back",
            "sh scheiterte mit Exit-Code 7; was geändert war, wurde zurückgenommen",
        ),
        (
            "This server is at IONOS. IONOS blocks port 25 of new servers: ask its support by telephone or "
            "chat to open outgoing port 25 for this contract. See also the firewall policy in the Cloud "
            "Panel, Network. Such rules change; its support knows those of today.",
            "Dieser Server steht bei IONOS. IONOS sperrt Port 25 neuer Server: den Support per Telefon oder "
            "Chat bitten, den ausgehenden Port 25 für diesen Vertrag zu öffnen. Siehe auch die "
            "Firewall-Richtlinie im Cloud Panel, Network. Solche Regeln ändern sich; die heutigen "
            "kennt der Support.",
        ),
        (
            "In robot.hetzner.com open Server, this server, IPs; click the field beside 192.0.2.1 and enter "
            "mail.example.org. (Of a cloud server: Hetzner Console, this server, Networking, Edit reverse "
            "DNS.) Where its panel looks different, its support knows the place.",
            "In robot.hetzner.com Server, diesen Server, IPs öffnen; auf das Feld neben 192.0.2.1 klicken "
            "und mail.example.org eingeben. (Bei einem Cloud-Server: Hetzner Console, dieser Server, "
            "Networking, Edit reverse DNS.) Sieht die Oberfläche anders aus, kennt der Support die Stelle.",
        ),
        ("6,416 bytes", "6.416 Bytes"),
        ("/x is larger than 1,048,576 bytes", "/x ist größer als 1.048.576 Bytes"),
        ("Open them: ufw allow 110,143,993,995/tcp", "Sie öffnen: ufw allow 110,143,993,995/tcp"),
        (
            "postfix: starting (waits for the database)",
            "postfix: startet (wartet auf die Datenbank)",
        ),
    ],
)
def test_what_is_put_together_is_told_in_pieces(german: None, kept: str, told: str) -> None:
    assert retold(kept) == told


@pytest.mark.parametrize(
    "said",
    [
        "",
        "E: Unable to locate package docker-ce, no candidate",
        "fatal: unable to access 'https://example.org/': Could not resolve host (example.org)",
        "{name} is {0.x}",
        "socat is listening for 25",
        "(" * 3000,
        ": ".join(["a b"] * 600),
        " (a" * 500 + ")" * 500,
    ],
)
def test_what_is_no_sentence_of_ours_stays(german: None, said: str) -> None:
    assert retold(said) == said


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("test message through port 25", "Testnachricht durch Port 25"),
        ("from elsewhere: nc -vz -w 5 SERVER 25", "von anderswo: nc -vz -w 5 SERVER 25"),
        ("docker port postfix-mailcow", "docker port postfix-mailcow"),
        ("ss -Hltnp 'sport = :25'", "ss -Hltnp 'sport = :25'"),
    ],
)
def test_what_evidence_was_asked_by_is_told_unless_it_is_a_command(
    german: None, asked: str, told: str
) -> None:
    evidence = (Evidence(asked, "yes"),)
    fields = retold_finding(of_finding(FINDING._replace(evidence=evidence)))
    assert fields["evidence"][0]["what"] == told


def test_english_is_told_as_it_is() -> None:
    assert retold("the disk is full") == "the disk is full"


FINDING = Finding(
    *("system.memory", None, "system", "Memory", "fail", "blocks", "proved"),
    "only 1.5 GiB",
    *("at least 6 GiB", "1.5 GiB", "", "https://docs.mailcow.email/"),
    evidence=(Evidence("free -m", "Mem: 1536"),),
    remedies=("See ./wizard check network",),
    fixes=(Fix("add-swap", "Write what belongs to mailcow.conf", "low", True, True),),
)


def test_an_install_is_told(german: None) -> None:
    standing = fresh("r", "2026-01-01T00:00:00Z", "mail.example.org", Settings()._asdict(), Choices())
    stages = (Stand("preconditions", "done", "12 findings, none blocks"), *standing.stages[1:])
    kept = standing._replace(
        stages=stages,
        error="stopped in Images; done: Preconditions, Download",
        remedies=("See ./wizard check network",),
        notes=("only 1.5 GiB (system.memory)",),
        findings=(of_finding(FINDING),),
    )
    told = spoken.standing(kept)
    assert told.stages[0].note == "12 Befunde, keiner verhindert etwas"
    assert told.error == ("angehalten in Images; erledigt: Voraussetzungen, Download")
    assert told.remedies == ("Siehe ./wizard check network",)
    assert told.notes == ("nur 1,5 GiB (system.memory)",)
    finding = from_fields(retold_finding(of_finding(FINDING)))
    assert (finding.title, finding.summary) == ("Arbeitsspeicher", "nur 1,5 GiB")
    assert (finding.id, finding.status, finding.evidence) == (FINDING.id, FINDING.status, FINDING.evidence)
    assert finding.fixes[0].title == "Schreiben, was zu mailcow.conf gehört"
    assert told.findings[0]["summary"] == "nur 1,5 GiB"
    progress = Progress("up", "3 of 5 run; waits for unbound, mysql", 3, 5)
    assert spoken.progress(progress).text == "3 von 5 laufen; wartet auf unbound, mysql"


def test_a_change_is_kept_in_english_and_told(tmp_path: Path, german: None) -> None:
    place = Place(tmp_path / "place")
    plan = place.plan._replace(
        title=language._("Let {names} open at most {most} files", names="dovecot", most=1024),
        consequence=language._("mailcow's web interface knows its version."),
        steps=(
            Command(("true",), proofs=(Proof(("false",), language._("the disk is full")),)),
            Manual(language._("See ./wizard check network")),
        ),
    )
    journal = Journal(place.session().state)
    change = journal.add(plan, {}, "2026-01-02T03:04:05Z", {})
    kept = "".join(
        (place.state / "changes" / change / name).read_text() for name in ("change.json", "steps.json")
    )
    for english in (
        "Let dovecot open at most 1024 files",
        "mailcow's web interface knows",
        "the disk is full",
        "See ./wizard check",
    ):
        assert english in kept
    assert journal.plan(change) == plan
    assert journal.get(change).title == "dovecot höchstens 1024 Dateien öffnen lassen"
    assert journal.get(change).steps[1]["text"] == "Siehe ./wizard check network"
    language.use("en")
    assert journal.get(change).title == "Let dovecot open at most 1024 files"
    assert journal.plan(change).steps[1] == Manual("See ./wizard check network")


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("preconditions: == Preconditions", "preconditions: == Voraussetzungen"),
        (
            "preconditions: fail system.memory: only 1.5 GiB",
            "preconditions: Fehler system.memory: nur 1,5 GiB",
        ),
        ("verify: pass mail.relay: port 25 is free", "verify: ok mail.relay: Port 25 ist frei"),
        (
            "preconditions: warn system.swap: port 25 is free",
            "preconditions: Warnung system.swap: Port 25 ist frei",
        ),
        ("verify: unknown mail.relay: port 25 is free", "verify: unklar mail.relay: Port 25 ist frei"),
        ("up: watchdog: created", "up: watchdog: erstellt"),
        ("up: unbound: healthy", "up: unbound: gesund"),
        ("up: mysql: running", "up: mysql: läuft"),
        ("up: $ docker compose up -d", "up: $ docker compose up -d"),
        ("up:   the disk is full", "up:   the disk is full"),
        ("up: - Free some space.", "up: - Free some space."),
        ("verify: - Run this check again.", "verify: - Diese Prüfung wiederholen."),
        ("pull: done: 18 images, 3.0 GB fetched now", "pull: erledigt: 18 Images, 3,0 GB jetzt geholt"),
        ("begin: mailcow-wizard 1.0, run x", "begin: mailcow-wizard 1.0, run x"),
    ],
)
def test_the_log_is_told_and_commands_are_not(german: None, kept: str, told: str) -> None:
    assert spoken.line(kept) == told
