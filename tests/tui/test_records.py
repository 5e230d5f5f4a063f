"""The records in a real terminal, on the demo machine: read, copied, waited for, and the mail domains."""

import json
import re
import time
from pathlib import Path

import pytest
from tui.tmux import SIZES, Terminal, wizard

COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|[34]8;[25])[0-9;]*m")
ONLY_16 = re.compile(r"\x1b\[[0-9;]*[34]8;[25]")
TO_DO = "Publish these two; your provider sets the PTR"


def open_dns(terminal: Terminal) -> None:
    """The step DNS, with all of its findings."""
    terminal.wait_for("Full name of the mail server")
    terminal.keys("Enter")
    terminal.wait_for("Operating system")
    terminal.keys("C-p")
    terminal.wait_for("Go to DNS")
    terminal.keys(*"to dns", "Enter")
    terminal.wait_for("t records", "Mail exchanger")
    terminal.wait_until_looked()


def open_records(terminal: Terminal) -> str:
    """The records, from the step DNS."""
    open_dns(terminal)
    terminal.keys("t")
    return terminal.wait_for(TO_DO, "▸ ✗ wrong", "w wait until right")


@SIZES
def test_each_record_is_listed_read_in_full_and_copied(tmp_path: Path, size: tuple[int, int]) -> None:
    with wizard(width=size[0], height=size[1], state=str(tmp_path)) as terminal:
        text = open_records(terminal)
        lines = [line.strip() for line in text.splitlines()]
        assert "The server  1 of 2 right" in lines
        assert "example.org  3 of 19 right" in lines
        needed = (
            "MX    10 mail",
            "autodiscover",
            "autoconfig",
            "v=spf1 mx ~all",
            "dkim._domainkey",
            "_dmarc",
            "SRV",
        )
        places = [next(n for n, line in enumerate(lines) if one in line) for one in needed]
        assert places == sorted(places)
        terminal.go_down("_dmarc.example.org")
        value = "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org"
        terminal.wait_for(f"\n {value}", "the zone's name server does not have it")
        terminal.keys("c")
        terminal.wait_for("Sent to the clipboard, where the terminal allows it", f"\n{value}\n")
        terminal.escape_to("w wait until right")
        terminal.keys("Enter")
        terminal.wait_for("_dmarc.example.org  TXT  recommended", f"\n{value}\n", "192.88.99.130", "has none")
        terminal.keys("c")
        terminal.wait_for("Sent to the clipboard")
        terminal.escape_to("w wait until right")
        terminal.go_down("_autodiscover._tcp")
        terminal.escape_to("t records")


@SIZES
def test_the_names_on_the_certificate_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    with wizard(width=size[0], height=size[1], state=str(tmp_path)) as terminal:
        open_records(terminal)
        terminal.keys("v")
        text = terminal.wait_for("What mailcow does for its certificate", "autoconfig.example.org  left out")
        assert "mail.example.org  asked for" in text
        assert "it has no address (A or AAAA)" in text
        terminal.escape_to("w wait until right")


@SIZES
def test_the_keys_of_the_list_are_explained(tmp_path: Path, size: tuple[int, int]) -> None:
    with wizard(width=size[0], height=size[1], state=str(tmp_path)) as terminal:
        open_records(terminal)
        terminal.keys("?")
        text = terminal.wait_for(
            "the record in full: what each name server has", "missing or wrong: mend this"
        )
        assert "leave the mail domain out" in text
        terminal.keys("?")
        terminal.wait_for("w wait until right")
        terminal.keys("F1")
        terminal.wait_for("the record in full: what each name server has")
        terminal.escape_to("w wait until right")


def test_what_is_not_known_yet_is_not_copied(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        open_records(terminal)
        terminal.go_down("dkim._domainkey")
        terminal.wait_for("(mailcow makes the key when the domain is added)")
        terminal.keys("c")
        terminal.wait_for("There is no value to copy yet: mailcow makes the key")
        terminal.keys("Down")
        terminal.wait_for("w wait until right")


def test_publishing_without_a_key_says_how(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        assert "f publish" not in open_records(terminal)
        terminal.keys("f")
        text = terminal.wait_for("Needs a key of your name servers: ./wizard", "--tsig FILE")
        assert f"./wizard--state-dir{tmp_path}--demodns--push--tsigFILE" in "".join(text.split())


@SIZES
def test_it_waits_counts_down_and_loses_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    with wizard(width=size[0], height=size[1], state=str(tmp_path)) as terminal:
        open_records(terminal)
        terminal.keys("w")
        marks = "zone ✗ others ✗✗✗✗ 4:5" if size[0] > 100 else "✗ │ ✗✗✗✗ 4:5"
        terminal.wait_for("Waiting  three are not right yet", marks, "✗ 1.1.1.1 ", "w stop waiting")
        terminal.wait_for("asks again in 2 s")
        terminal.wait_for("asks again in 4 s")  # it has asked
        terminal.escape_to("t goes on waiting")
        terminal.keys("t")
        terminal.wait_for("Waiting  three are not right yet", "asks again in")
        terminal.keys("w")
        terminal.wait_for(TO_DO, "w wait until right")


@pytest.mark.long
def test_waiting_writes_few_bytes_and_the_list_none(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        open_records(terminal)
        terminal.wait_for_silence(2.0)
        terminal.keys("w")
        terminal.wait_for("asks again in 2 s")
        before = terminal.written()
        time.sleep(10.0)
        assert 0 < terminal.written() - before < 8000


@SIZES
def test_a_domain_is_added_by_two_keys_and_left_out_again(tmp_path: Path, size: tuple[int, int]) -> None:
    def kept() -> list[str]:
        found: list[str] = json.loads((tmp_path / "answers.json").read_text())["domains"]
        return found

    with wizard(width=size[0], height=size[1], state=str(tmp_path)) as terminal:
        open_dns(terminal)
        terminal.keys("+")
        terminal.wait_for("New mail domain", "such as example.org")
        for typed, why in (("second", "a domain is needed"), ("..x", "two dots in a row")):
            terminal.keys(*typed)
            terminal.wait_for(why)
            terminal.keys("Enter")
            terminal.wait_for("New mail domain", why)
            terminal.keys("C-u")
        terminal.keys(*"example.org")
        terminal.wait_for("example.org is in the list already")
        terminal.keys("C-u")
        terminal.keys(*"second.example", "Enter")
        # The recording knows nothing of it, and says so.
        terminal.wait_for("the recording does not hold")
        assert kept() == ["example.org", "second.example"]
        terminal.keys("End")
        terminal.wait_for("▸ second.example", "- leave out")
        terminal.keys("-")
        terminal.wait_for("Look at second.example no more?", "y yes")
        terminal.keys("n")
        terminal.wait_for("- leave out")
        assert kept() == ["example.org", "second.example"]
        terminal.keys("-")
        terminal.wait_for("y yes")
        terminal.keys("y")
        terminal.wait_for(TO_DO)
        assert kept() == ["example.org"]
        terminal.keys("Home")
        terminal.go_down("example.org  3 of 19")
        terminal.keys("-")
        terminal.wait_for("One mail domain is needed")
        terminal.escape_to("t records")


def test_the_first_domain_left_out_is_not_asked_for_again(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        open_records(terminal)
        terminal.keys("+")
        terminal.wait_for("New mail domain")
        terminal.keys(*"second.example", "Enter")
        terminal.wait_for("the recording does not hold")
        terminal.go_down("example.org  ")
        terminal.keys("-")
        terminal.wait_for("Look at example.org no more?")
        terminal.keys("y")
        terminal.wait_for("▸ second.example")
        terminal.escape_to("t records")
        terminal.keys("C-p")
        terminal.wait_for("Go to Welcome")
        terminal.keys("Enter")
        text = terminal.wait_for("Full name of the mail server", "\n  second.example")
        assert "\n  example.org" not in text
        terminal.keys("Enter")
        terminal.wait_for("Operating system")
    assert json.loads((tmp_path / "answers.json").read_text())["domains"] == ["second.example"]


@pytest.mark.parametrize("size", [(40, 10), (20, 5)], ids=["40x10", "20x5"])
def test_in_little_room_every_record_is_reached(tmp_path: Path, size: tuple[int, int]) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        open_records(terminal)
        terminal.resize(*size)
        time.sleep(0.5)
        terminal.keys("Home", "End")
        terminal.wait_for(" ▸ – missing _carddavs"[: size[0] - 1])
        terminal.keys("Enter")
        terminal.wait_for("path=/SOGo/dav/")
        terminal.escape_to("▸ – missing")
        terminal.keys("w", "+")
        terminal.wait_for("New mail domain")
        terminal.resize(80, 24)
        terminal.wait_for("Waiting", "New mail domain")


@pytest.mark.parametrize(
    ("words", "variables"),
    [((), {}), (("--ascii",), {}), (("--no-color",), {}), ((), {"TERM": "linux"})],
    ids=["256", "ascii", "no-color", "linux"],
)
def test_states_are_read_on_every_terminal(
    tmp_path: Path, words: tuple[str, ...], variables: dict[str, str]
) -> None:
    term = variables.get("TERM", "xterm-256color")
    with wizard("--demo", *words, state=str(tmp_path), term=term) as terminal:
        open_dns(terminal)
        terminal.keys("t")
        terminal.wait_for(TO_DO)
        terminal.keys("w")
        text = terminal.wait_for("Waiting", "missing", "wrong", "1.1.1.1")
        drawn = terminal.text(escapes=True)
    assert bool(COLOUR.search(drawn)) is ("--no-color" not in words)
    assert not ONLY_16.search(drawn)
    assert text.isascii() is ("--ascii" in words or term == "linux")


def test_offline_the_screen_says_so(tmp_path: Path) -> None:
    with wizard("--demo", "--offline", state=str(tmp_path)) as terminal:
        terminal.wait_for("Full name of the mail server")
        terminal.keys("Enter")
        terminal.wait_for("Operating system")
        terminal.keys("t")
        terminal.wait_for("name servers are not asked with --offline", "example.org")
        terminal.keys("w")
        terminal.wait_for("nothing is known of any record yet")
