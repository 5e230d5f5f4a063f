"""`dns --push` against BIND and knot: published, merged, refused, half-done, silent, taken back."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import json_schema
import pytest
from lab.names import Names, internet_of_names
from lab.primaries import ALGORITHMS, MX_ONLY, SECONDARY, SECRETS, STRANGER, Primary, line, primary, statement
from lab.skip import or_skip

from mailcow_wizard.report.schema import schema
from tests.real.push import PROGRAM, SERVER, Pusher, document, states

pytestmark = [pytest.mark.real, pytest.mark.slow]

KEY = "hmac-sha256"
LONG = "v=spf1 " + " ".join(f"ip4:198.51.100.{n}" for n in range(1, 30)) + " ~all"
SENDS = f"""@ 7200 TXT "site-verification=abc" "def"
@ 7200 TXT "{LONG[:200]}" "{LONG[200:400]}" "{LONG[400:]}"
_dmarc 900 TXT "v=DMARC1; rua=mailto:" "dmarc@example.org; fo=1"
"""
ELSEWHERE = """* A 192.88.99.161
@ MX 10 mx.elsewhere.example.
autodiscover TXT "here first"
autoconfig CNAME www.elsewhere.example.
_imaps._tcp SRV 0 1 993 imap.elsewhere.example.
@ TXT "v=spf1 mx -all"
@ TXT "v=spf1 a -all"
"""


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    """The small internet."""
    with or_skip(), internet_of_names() as found:
        yield found


@pytest.fixture(params=["bind", pytest.param("knot", marks=pytest.mark.long)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which server."""
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory for a key and a state."""
    return tmp_path


def pusher(server: Primary, place: Path, key: str = "") -> Pusher:
    """The wizard with the right key, or the one of this text."""
    return Pusher(server, place, server.key_file(place, key or statement(KEY)))


def update(server: Primary, key: str, *lines: str, zone: str = "") -> tuple[int, str]:
    """Runs the program that sends an update; its exit code and what it said."""
    options = ("--server", server.address, "--zone", zone or server.zone, "--tsig", key)
    done = server.names.run([sys.executable, PROGRAM, *options, *lines], timeout=60)
    assert not done.stderr
    return done.returncode, done.stdout.strip()


def test_published_seen_everywhere_and_taken_back(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names, secondary=True) as server:
        wizard = pusher(server, place)
        before = server.transfer()
        shown = wizard.push("--dry-run")
        assert (shown.returncode, server.transfer()) == (0, before)
        assert f'+ {server.zone}. 3600 TXT "v=spf1 mx a -all"' in shown.stdout
        done = wizard.push("--yes", "--json", "--log", str(wizard.log))
        said = document(done)
        described = schema()
        assert json_schema.faults(described["$defs"]["push"], said, described) == []
        assert (said["applied"], said["change"], said["error"]) == (True, "1", "")
        found = states(said, server.zone)
        assert found.pop(("dkim._domainkey", "TXT")) == "missing"
        assert set(found.values()) == {"right"}, done.stderr[-1500:]
        assert done.returncode == 0
        assert server.ask(server.zone, "MX", SECONDARY) == [f"10 {SERVER}."]
        assert len(server.transfer()) == len(before) + len(found) == len(before) + 18
        wizard.no_secret(wizard.log.read_text())
        again = wizard.push("--yes")
        assert (again.returncode, "nothing to publish" in again.stdout) == (0, True)
        assert wizard.undo().returncode == 0
        assert server.transfer() == before
        assert wizard.changes() == [("1", "undone")]


def test_what_is_there_is_merged_and_comes_back(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names, SENDS) as server:
        wizard = pusher(server, place)
        before = server.transfer()
        done = wizard.push("--yes", "--json")
        said = document(done)
        assert (done.returncode, said["plan"]["risk"]) == (2, "medium")
        found = states(said, server.zone)
        # Resolvers were asked for the old text, and keep it for its time.
        late = [one for one, state in found.items() if state == "not everywhere yet"]
        assert late == [("", "TXT"), ("_dmarc", "TXT")]
        texts = server.ask(server.zone, "TXT")
        # IPv6 leads nowhere in these namespaces: no mail leaves with that address.
        own = LONG.replace("~all", "ip4:192.88.99.10 ~all")
        joined = [one[1:-1].replace('" "', "") for one in texts]
        assert joined == ["site-verification=abcdef", own]
        assert '"site-verification=abc" "def"' in texts
        policy = "v=DMARC1; p=none; rua=mailto:dmarc@example.org; fo=1"
        assert server.ask(f"_dmarc.{server.zone}", "TXT") == [f'"{policy}"']
        # The set and its time to live are as they were, to the last string.
        assert wizard.undo().returncode == 0
        assert server.transfer() == before


def test_nothing_of_others_is_deleted(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names, ELSEWHERE) as server:
        wizard = pusher(server, place)
        before = server.transfer()
        done = wizard.push("--yes", "--json")
        said = document(done)
        assert done.returncode == 1
        assert set(before) < set(server.transfer())
        words = "\n".join(one["text"] for one in said["plan"]["steps"] if one["kind"] == "manual")
        for expected in (
            f"{server.zone} MX: it is 10 mx.elsewhere.example, and should be 10 {SERVER}.",
            f"autodiscover.{server.zone} CNAME: the name has TXT records",
            f"autoconfig.{server.zone} CNAME: it is an alias of www.elsewhere.example",
            f"_imaps._tcp.{server.zone} SRV: it is 0 1 993 imap.elsewhere.example",
            f"{server.zone} TXT: there are 2 records of this kind",
            "remove that where the zone is kept, then push again",
        ):
            assert expected in words
        assert states(said, server.zone)["_imap._tcp", "SRV"] == "right"
        assert wizard.undo().returncode == 0
        assert server.transfer() == before


@pytest.mark.long
def test_under_a_wildcard_names_are_made(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names, "* A 192.88.99.161\n* TXT v=spf1\n") as server:
        done = pusher(server, place).push("--yes", "--json")
        found = states(document(done), server.zone)
        # Resolvers were asked for what the wildcard gave, texts and addresses, and keep it for its time.
        assert (done.returncode, found["_caldavs._tcp", "TXT"]) == (2, "not everywhere yet")
        assert found["autoconfig", "CNAME"] == "not everywhere yet"
        assert found["_imaps._tcp", "SRV"] == "right"
        assert server.ask(f"autoconfig.{server.zone}", "CNAME") == [f"{SERVER}."]
        assert server.ask(f"elsewhere.{server.zone}", "A") == ["192.88.99.161"]


@pytest.mark.parametrize("form", [statement, line])
def test_every_algorithm(names: Names, kind: str, form: object, place: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        name = f"x.{server.zone}."
        for algorithm in ALGORITHMS:
            key = server.key_file(place, form(algorithm))  # type: ignore[operator]
            code, said = update(server, key, f"prereq nxdomain {name}", f"update add {name} 60 A 192.0.2.1")
            if algorithm == "hmac-md5":
                assert (code, "must not be used any more" in said) == (1, True)
                continue
            assert (algorithm, code, said) == (algorithm, 0, "done")
            assert server.ask(name, "A") == ["192.0.2.1"]
            # After a kill it may run once more.
            assert update(server, key, f"prereq nxdomain {name}", f"update add {name} 60 A 192.0.2.1") == (
                0,
                "it is so already",
            )
            back = (f"prereq yxrrset {name} A 192.0.2.1", f"update delete {name} A 192.0.2.1")
            assert update(server, key, *back) == (0, "done")
            assert server.ask(name, "A") == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (statement(KEY, SECRETS["hmac-sha1"]), "has another secret or algorithm for the key"),
        (
            line(KEY).replace("hmac-sha256:", "hmac-sha512:", 1),
            "does not know the key 'hmac-sha256' (hmac-sha512)",
        ),
        (statement(KEY).replace('"hmac', '"nobody'), "does not know the key 'nobody-sha256'"),
        (statement(STRANGER), "refuse|does not let it change"),
    ],
)
def test_a_wrong_key_changes_nothing(names: Names, kind: str, key: str, said: str, place: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        wizard = pusher(server, place, key)
        before = server.transfer()
        done = wizard.push("--yes", "--json")
        assert done.returncode == 73
        found = document(done)
        assert any(one in found["error"] for one in said.split("|")), found["error"]
        assert (found["applied"], found["change"]) == (False, "1")
        assert "was taken back" in done.stderr
        assert (server.transfer(), wizard.changes()) == (before, [("1", "undone")])


def test_a_zone_that_may_not_be_changed(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        done = pusher(server, place).push("--yes", "--json", domain=server.closed)
        assert done.returncode == 73
        error = document(done)["error"]
        assert "refuses" in error or "does not let it change" in error
        assert server.ask(server.closed, "MX") == []


def test_half_done_is_taken_back(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        wizard = pusher(server, place, statement(MX_ONLY))
        before = server.transfer()
        done = wizard.push("--yes")
        assert done.returncode == 73
        assert "    done\n" in done.stdout
        assert "what was changed was taken back" in done.stderr
        assert server.transfer() == before
        typist = wizard.at_terminal()
        typist.wait_for("Publish this? [y/n/a/q] ")
        typist.type("a\n")
        typist.wait_for("Take back what was done? [Y/n] ")
        typist.type("n\n")
        assert typist.code(60) == 1
        assert server.ask(server.zone, "MX") == [f"10 {SERVER}."]
        assert wizard.changes()[0] == ("2", "interrupted")
        assert wizard.undo().returncode == 0
        assert server.transfer() == before


def test_a_server_that_falls_silent(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        wizard = pusher(server, place)
        before = server.transfer()
        typist = wizard.at_terminal()
        typist.wait_for("Publish this? [y/n/a/q] ")
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            typist.type("a\n")
            typist.wait_for("Take back what was done?", 60)
            assert f"it was stopped: {server.address} gives no answer" in typist.seen
            typist.type("n\n")
            assert typist.code(60) == 1
            done = wizard.push("--yes", "--server", server.address)
            assert (done.returncode, done.stdout.count("gives no answer")) == (3, 1)
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        assert wizard.undo("1").returncode == 0
        assert server.transfer() == before


def test_each_record_is_asked_about(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        wizard = pusher(server, place)
        before = server.transfer()
        for answers, code in (("q", 1), ("n\ny\nq", 1), ("\x04", 1)):
            typist = wizard.at_terminal()
            typist.wait_for("Publish this?")
            typist.type(f"{answers}\n")
            assert typist.code(60) == code
            assert "Nothing was changed." in typist.seen
        assert (server.transfer(), wizard.changes()) == (before, [])
        typist = wizard.at_terminal()
        typist.wait_for("Publish this?")
        typist.type("perhaps\nn\nYes\n" + "n\n" * 30)
        # Mail for the domain still goes nowhere.
        assert typist.code(60) == 1
        there = set(server.transfer()) - set(before)
        assert there == {f"autodiscover.{server.zone}. 3600 IN CNAME {SERVER}."}


def test_without_a_terminal_or_a_key_nothing_is_done(names: Names, kind: str, place: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        wizard = pusher(server, place)
        before = server.transfer()
        done = wizard.push()
        assert (done.returncode, "run: " in done.stdout) == (64, True)
        assert "without a terminal to ask on it takes --yes" in done.stderr
        bad = place / "bad"
        bad.write_text(line("hmac-md5"))
        for path, said in ((str(bad), "must not be used"), (str(place / "none"), "is not there")):
            done = wizard.push("--yes", key=path)
            assert (done.returncode, said in done.stderr) == (64, True), done.stderr
        assert server.transfer() == before
        assert wizard.changes() == []
