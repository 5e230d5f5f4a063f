"""The records in the lab's small internet: published one by one, seen at each server, until all is right."""

import json
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.inside import CHECKOUT
from lab.names import Names, internet_of_names
from lab.primaries import SECRETS, primary, statement
from lab.skip import or_skip
from tui.tmux import PATIENCE, SIZES, WIZARD, Terminal

from mailcow_wizard.fixes.dns_records import TSIG_VARIABLE

pytestmark = [pytest.mark.real, pytest.mark.slow]
NAME, DOMAIN, ADDRESS = "mail.empty.example", "empty.example", "192.88.99.10"
ADDRESS_V6 = "2d00:113::10"
REVERSE = "10.99.88.192.in-addr.arpa"
NEEDED: tuple[tuple[str, str, str], ...] = (
    (NAME, "A", ADDRESS),
    (DOMAIN, "MX", f"10 {NAME}."),
    (f"autodiscover.{DOMAIN}", "CNAME", f"{NAME}."),
    (f"autoconfig.{DOMAIN}", "CNAME", f"{NAME}."),
    (DOMAIN, "TXT", '"v=spf1 mx a -all"'),
    (f"_dmarc.{DOMAIN}", "TXT", f'"v=DMARC1; p=quarantine; rua=mailto:postmaster@{DOMAIN}"'),
    (REVERSE, "PTR", f"{NAME}."),
)


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    """The small internet."""
    with or_skip(), internet_of_names() as found:
        yield found


@pytest.fixture
def empty(names: Names) -> Iterator[Names]:
    """With a domain that has no records; they are taken away again."""
    yield names
    for name, type, _ in NEEDED:
        names.put(name, type, *(("mail.example.org.",) if type == "PTR" else ()))


@contextmanager
def records(
    names: Names,
    state: Path,
    size: tuple[int, int],
    hostname: str = NAME,
    domains: tuple[str, ...] = (DOMAIN,),
    before: tuple[str, ...] = (),
) -> Iterator[Terminal]:
    """The wizard on the server, with its records open."""
    state.chmod(0o700)
    answers = {"hostname": hostname, "domains": domains, "step": "dns"}
    (state / "answers.json").write_text(json.dumps(answers))
    terminal = Terminal(*size)
    # One address, where one is published: of IPv6 the tests would only wait twice.
    addresses = ("--address", ADDRESS, *(() if hostname == NAME else ("--address", ADDRESS_V6)))
    enter = ("ip", "netns", "exec", names.namespace.name, *before)
    words = (*enter, *WIZARD, *addresses, "--state-dir", str(state))
    terminal.start(shlex.join(words), {"TERM": "xterm-256color", "PYTHONPATH": CHECKOUT, "LC_ALL": "C.UTF-8"})
    try:
        terminal.wait_for("Full name of the mail server")
        terminal.keys("Enter")
        terminal.wait_for("t records")
        terminal.keys("t")
        terminal.wait_for("w wait until right")
        yield terminal
    finally:
        terminal.close()


def line_of(terminal: Terminal, *words: str) -> str:
    """The line that has all of these words."""
    lines = terminal.text().splitlines()
    return next((one for one in lines if all(word in one for word in words)), "")


def wait_for_line(terminal: Terminal, words: tuple[str, ...], *wanted: str) -> str:
    """Waits until a line shows one of what is wanted."""
    end = time.monotonic() + PATIENCE
    while not any(one in (line := line_of(terminal, *words)) for one in wanted):
        if time.monotonic() > end:
            pytest.fail(f"{words} never showed {wanted!r}:\n{terminal.text()}")
        time.sleep(0.1)
    return line


@SIZES
def test_records_turn_right_server_by_server_and_it_goes_on_by_itself(
    empty: Names, tmp_path: Path, size: tuple[int, int]
) -> None:
    with records(empty, tmp_path, size) as terminal:
        terminal.wait_for("Nothing is there yet: publish these six, from the top down", "▸ ✗ missing")
        terminal.wait_for("none of the zone's 2 name servers has it")
        terminal.keys("w")
        terminal.wait_for("Waiting  seven are not right yet", "w stop waiting")
        wait_for_line(terminal, (f"{DOMAIN} ", " MX "), "✗✗✗✗")
        empty.put(DOMAIN, "MX", f"10 {NAME}.", only=0, flush=False)
        line = wait_for_line(terminal, (f"{DOMAIN} ", " MX "), "✓✗✓✗")
        assert "… not everywhere" in line
        empty.put(DOMAIN, "MX", f"10 {NAME}.", only=1, flush=False)
        wait_for_line(terminal, (f"{DOMAIN} ", " MX "), "✓ right")
        terminal.wait_for("Waiting  six are not right yet")
        for one in NEEDED:
            empty.put(*one)
        terminal.wait_for("All is right on every server that was asked. The checks run again.")
        terminal.wait_for("t records", "✓ ok      Mail exchanger", f"mail for {DOMAIN} goes to")
        terminal.keys("t")
        terminal.wait_for("All that mail needs is there and right")
        terminal.keys("w")
        terminal.wait_for("There is nothing to wait for")


@pytest.mark.long
def test_what_caches_keep_is_counted_down_and_left_without_loss(empty: Names, tmp_path: Path) -> None:
    for one in NEEDED:
        empty.put(*one)
    old = empty.changed(DOMAIN, "MX", f"10 old.{DOMAIN}.", before=(f"10 {NAME}.",))
    with old, records(empty, tmp_path, (80, 24)) as terminal:
        # The public resolvers were asked, and keep what is wrong for as long as its TTL says.
        terminal.wait_for("Correct one", "▸ ✗ wrong", f"wrong: 10 old.{DOMAIN}")
        terminal.keys("w")
        terminal.wait_for("Waiting  one is not right yet")
        empty.put(DOMAIN, "MX", f"10 {NAME}.", flush=False)
        line = wait_for_line(terminal, (" MX ",), "✓✓✓✓ │ ✗✗✗✗ 4:")
        assert "… not everywhere" in line
        terminal.wait_for("✓ 192.88.99.130   ns1.example.net", "right", "asks again in 2")
        before = int(line.rpartition("4:")[2])
        wait_for_line(terminal, (" MX ",), *(f"4:{one:02}" for one in range(max(before - 2, 1))), "3:5")
        terminal.keys("Enter")
        terminal.wait_for(
            "right at 2 of 2 name servers and 0 of 4 resolvers", "1.1.1.1", f"still: 10 old.{DOMAIN}"
        )
        terminal.escape_to("Waiting")
        terminal.escape_to("t goes on waiting")
        empty.forget()
        terminal.keys("t")
        terminal.wait_for("Waiting")
        terminal.wait_for("All is right")
        terminal.wait_for("t records", "✓ ok      Mail exchanger")


def test_domains_are_added_seen_and_left_out(names: Names, tmp_path: Path) -> None:
    with records(names, tmp_path, (80, 24), "mail.example.org", ("example.org",)) as terminal:
        terminal.wait_for("All that mail needs is there and right", "19 of 19 right")
        terminal.keys("+")
        terminal.wait_for("New mail domain")
        terminal.keys(*DOMAIN, "Enter")
        terminal.wait_for("Publish these five")
        terminal.keys("End")
        terminal.wait_for(f"_carddavs._tcp.{DOMAIN}")
        terminal.escape_to("t records")
        terminal.keys("End")
        terminal.wait_for(DOMAIN)
        terminal.keys("t")
        terminal.wait_for("Publish these five", "▸ ✗ missing", "10 mail.example.org.")
        terminal.keys("-")
        terminal.wait_for(f"Look at {DOMAIN} no more?")
        terminal.keys("y")
        terminal.wait_for("All that mail needs is there and right")
    assert json.loads((tmp_path / "answers.json").read_text())["domains"] == ["example.org"]


def test_a_record_is_published_from_the_list_and_then_waited_for(names: Names, tmp_path: Path) -> None:
    with or_skip(), primary("bind", names) as server:
        key = server.key_file(tmp_path, statement("hmac-sha256"))
        state = tmp_path / "state"
        state.mkdir()
        given = ("mail.example.org", (server.zone,), ("env", f"{TSIG_VARIABLE}={key}"))
        with records(names, state, (80, 24), *given) as terminal:
            terminal.wait_for("ublish these five", "f publish")
            wait_for_line(terminal, (server.zone, " MX "), "▸ ✗ missing")
            terminal.keys("f")
            text = terminal.wait_for(
                f"Publish MX of {server.zone}", "update add", "10 mail.example.org.", "Do this?"
            )
            assert "v=spf1" not in text
            terminal.keys("n")
            terminal.wait_for("f publish")
            assert server.ask(server.zone, "MX") == []
            terminal.keys("f")
            terminal.wait_for("Do this?")
            terminal.keys("y")
            terminal.wait_for("Esc goes back to the list")
            assert server.ask(server.zone, "MX") == ["10 mail.example.org."]
            terminal.escape_to("Waiting  four are not right yet")
            wait_for_line(terminal, (server.zone, " MX "), "✓ right")
            terminal.keys("Up")
            wait_for_line(terminal, ("▸", server.zone), "of 19 right")
            terminal.keys("f")
            terminal.wait_for("Publish 17 records in bind", "Do this?")
            terminal.keys("y")
            terminal.wait_for("Esc goes back to the list", seconds=3 * PATIENCE)
            terminal.keys("Escape")
            terminal.wait_for("All is right")
            assert SECRETS["hmac-sha256"] not in terminal.text()
