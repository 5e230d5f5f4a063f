"""`dns --push` in zones that somebody else changes meanwhile, and that are not delegated; zone files."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.inside import needs
from lab.names import Names, internet_of_names
from lab.primaries import Primary, primary, statement
from lab.skip import or_skip

from tests.real.push import SERVER, Pusher, document, states

pytestmark = [pytest.mark.real, pytest.mark.slow]

KEY = "hmac-sha256"
SENDS = '@ TXT "v=spf1 ip4:198.51.100.7 -all"\n'


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    """The small internet."""
    with or_skip(), internet_of_names() as found:
        yield found


@pytest.fixture(params=["bind", pytest.param("knot", marks=pytest.mark.long)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which server."""
    return str(request.param)


def pusher(server: Primary, place: Path) -> Pusher:
    """The wizard with the right key."""
    return Pusher(server, place, server.key_file(place, statement(KEY)))


def by_others(server: Primary, place: Path, *lines: str) -> None:
    """Somebody else changes the zone, with nsupdate."""
    key = place / "others.key"
    key.write_text(statement(KEY))
    script = "\n".join((f"server {server.address}", f"zone {server.zone}", *lines, "send", ""))
    server.names.namespace.run(["nsupdate", "-k", str(key)], text=script)


@pytest.mark.long
def test_changed_between_question_and_answer(names: Names, kind: str, tmp_path: Path) -> None:
    with or_skip(), primary(kind, names, SENDS) as server:
        wizard = pusher(server, tmp_path)
        typist = wizard.at_terminal()
        typist.wait_for("Publish this?")
        by_others(server, tmp_path, f"update add {server.zone}. 60 MX 5 mx.others.example.")
        typist.type("a\n")
        typist.wait_for("Take back what was done? [Y/n] ")
        assert (
            f"it was stopped: the zone at {server.address} was changed since, and stays as it is"
            in typist.seen
        )
        assert f"{server.zone} MX is 5 mx.others.example." in typist.seen
        typist.type("\n")
        assert typist.code(60) == 73
        assert server.ask(server.zone, "MX") == ["5 mx.others.example."]
        assert wizard.changes() == [("1", "undone")]


def test_a_text_that_comes_in_between_keeps_the_old_one_in_place(
    names: Names, kind: str, tmp_path: Path
) -> None:
    with or_skip(), primary(kind, names, SENDS) as server:
        wizard = pusher(server, tmp_path)
        typist = wizard.at_terminal()
        typist.wait_for("Publish this?")
        by_others(server, tmp_path, f'update add {server.zone}. 60 TXT "v=spf1 a:others.example -all"')
        before = server.transfer()
        typist.type("a\n")
        typist.wait_for("Take back what was done? [Y/n] ")
        typist.type("y\n")
        assert typist.code(60) == 73
        assert server.transfer() == before


@pytest.mark.long
def test_taken_back_beside_what_others_added(names: Names, kind: str, tmp_path: Path) -> None:
    with or_skip(), primary(kind, names, SENDS) as server:
        wizard = pusher(server, tmp_path)
        before = server.transfer()
        assert wizard.push("--yes").returncode in (0, 2)
        by_others(
            server,
            tmp_path,
            f'update add {server.zone}. 300 TXT "site-verification=1"',
            f"update add {server.zone}. 3600 MX 50 backup.others.example.",
            f"update delete _imaps._tcp.{server.zone}. SRV",
        )
        done = wizard.undo()
        assert done.returncode == 0, done.stderr
        theirs = sorted([f'{server.zone}. 300 IN TXT "site-verification=1"'])
        left = [one for one in server.transfer() if one not in before]
        assert [one for one in left if " TXT " in one] == theirs
        assert [one for one in left if " MX " in one] == [
            f"{server.zone}. 3600 IN MX 50 backup.others.example."
        ]
        assert len(left) == 2
        assert [one for one in before if one not in server.transfer()] == []


def test_what_others_edited_since_stays(names: Names, kind: str, tmp_path: Path) -> None:
    with or_skip(), primary(kind, names, SENDS) as server:
        wizard = pusher(server, tmp_path)
        assert wizard.push("--yes").returncode in (0, 2)
        edited = '"v=spf1 ip4:198.51.100.7 ip4:203.0.113.9 mx -all"'
        by_others(
            server,
            tmp_path,
            f"update delete {server.zone}. TXT",
            f"update add {server.zone}. 60 TXT {edited}",
        )
        done = wizard.undo("--json")
        assert done.returncode != 0
        assert "was changed since, and stays as it is" in done.stderr
        assert server.ask(server.zone, "TXT") == [edited]
        # All else was taken back, and what was not is still in the list.
        assert server.ask(server.zone, "MX") == []
        assert wizard.changes() == [("1", "interrupted")]


def test_a_server_that_nobody_delegated_to(names: Names, kind: str, tmp_path: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        wizard = pusher(server, tmp_path)
        names.put(server.zone, "NS")
        names.put(f"ns.{server.zone}", "A")
        names.forget()
        before = server.transfer()
        done = wizard.push("--yes", "--server", server.address, "--json")
        said = document(done)
        assert (said["applied"], len(server.transfer()) - len(before)) == (True, 18)
        # The world does not see it, and that is said.
        assert states(said, server.zone)["", "MX"] == "missing"
        assert done.returncode == 1
        assert wizard.undo().returncode == 0
        assert server.transfer() == before


def test_a_fix_for_one_finding(names: Names, kind: str, tmp_path: Path) -> None:
    with or_skip(), primary(kind, names) as server:
        wizard = pusher(server, tmp_path)
        before = server.transfer()
        more = wizard.words()[2:]
        assert more[0] == "--tsig"
        without = wizard.run("fix", "dns.mx", *more[2:], "--json")
        assert document(without)["fixes"] == []
        offered = document(wizard.run("fix", "dns.mx", *more, "--json"))["fixes"]
        assert [(one["id"], one["subject"]) for one in offered] == [("push-records", server.zone)]
        done = wizard.run("fix", "dns.mx", "push-records", *more, "--yes", "--json")
        said = document(done)
        assert (done.returncode, said["applied"], said["result"]["status"]) == (0, True, "pass")
        assert set(server.transfer()) - set(before) == {f"{server.zone}. 3600 IN MX 10 {SERVER}."}
        assert wizard.undo().returncode == 0
        assert server.transfer() == before


@pytest.mark.parametrize(
    ("hostname", "domain"),
    [
        (SERVER, "example.org"),
        ("mail.empty.example", "empty.example"),
        ("mail.broken.example", "broken.example"),
    ],
)
def test_zone_files_are_loaded(names: Names, hostname: str, domain: str, tmp_path: Path) -> None:
    with or_skip():
        needs("named-checkzone", "knotc")
    words = (
        "dns",
        "--zone",
        "--hostname",
        hostname,
        "--domain",
        domain,
        "--state-dir",
        str(tmp_path / "state"),
    )
    done = names.run([sys.executable, "-m", "mailcow_wizard", *words])
    assert done.returncode == 0, done.stderr
    path = tmp_path / "zone"
    path.write_text(done.stdout)
    checked = names.run(["named-checkzone", "-i", "full-sibling", domain, str(path)])
    assert checked.returncode == 0, checked.stdout
    assert "OK" in checked.stdout
    config = tmp_path / "knot.conf"
    config.write_text(f"zone:\n  - domain: {domain}.\n    file: {path}\n")
    checked = names.run(["knotc", "-c", str(config), "zone-check", domain])
    assert checked.returncode == 0, checked.stderr + checked.stdout
