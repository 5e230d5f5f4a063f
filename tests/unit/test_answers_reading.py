"""Answers files: what they answer, and each mistake with its line and what would be right."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import json_schema
import pytest
from fake_host import FakeHost

from mailcow_wizard.answers.problems import Problem, Unfit
from mailcow_wizard.answers.reading import read
from mailcow_wizard.answers.schema import schema
from mailcow_wizard.engine.given import NEW, Allowed, FirstMailbox, Given
from mailcow_wizard.report.schema import schema as documents

ZONES = {"/usr/share/zoneinfo/Europe/Berlin": "TZif2", "/usr/share/zoneinfo": ""}
WHOLE = """\
secrets = "secrets.toml"

[server]
hostname = "Mail.Example.org"
domains = ["example.org", "Example.com"]
timezone = "Europe/Berlin"
directory = "/srv/mailcow/"
addresses = ["192.0.2.10", "2001:db8:0::1"]

[source]
branch = "nightly"

[network]
mtu = 1400
resolver = "192.0.2.53"
ntp = ["ntp.example.org"]

[dns]
tsig = "keys/update.key"

[admin]
password = "new"

[mailbox]
address = "Me@example.org"
password_file = "/root/password"

[far_mailbox]
address = "you@example.net"
imap = "IMAP.example.net:1993"
password_file = "far"

[mailcow]
HTTP_PORT = 8080
HTTP_BIND = "127.0.0.1"
HTTPS_PORT = "8443"
HTTPS_BIND = "127.0.0.1"
HTTP_REDIRECT = false
ENABLE_IPV6 = true
ADDITIONAL_SAN = ["imap.*", "smtp.example.org"]
API_ALLOW_FROM = "192.0.2.1"

[[accept]]
check = "network.outbound-25"
subject = "v6"
reason = "no IPv6 here"
until = 2999-12-31

[[accept]]
check = "network.icmp"
reason = "it was so"
until = "2020-01-01"

[[fix]]
check = "ports.smtp"
fix = "stop-service"
"""

MAILBOX = FirstMailbox("me@example.org", "/root/password")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with the files that WHOLE names."""
    (tmp_path / "keys").mkdir()
    key = tmp_path / "keys/update.key"
    key.write_text("hmac-sha256:update:aHVudGVyMmh1bnRlcjI=\n")
    secrets = tmp_path / "secrets.toml"
    secrets.write_text('[mailcow]\nAPI_KEY = "abc-123"\n')
    far = tmp_path / "far"
    far.write_text("a password\n")
    for one in (key, secrets, far):
        one.chmod(0o600)
    return tmp_path


def given(place: Path, text: str) -> Given:
    """What the file answers."""
    (place / "answers.toml").write_text(text)
    return read(str(place / "answers.toml"), FakeHost(ZONES))


def problems(place: Path, text: str) -> tuple[Problem, ...]:
    """What is wrong with it."""
    with pytest.raises(Unfit) as caught:
        given(place, text)
    return caught.value.problems


def test_everything_that_can_be_answered(place: Path) -> None:
    found = given(place, WHOLE)
    assert found.answers[:2] == ("mail.example.org", ("example.org", "example.com"))
    assert (found.directory, found.addresses) == ("/srv/mailcow", ("192.0.2.10", "2001:db8::1"))
    assert (found.resolver, found.ntp) == ("192.0.2.53", ("ntp.example.org",))
    assert found.tsig == str(place / "keys/update.key")
    assert found.choices[1:] == ("nightly", 1400, (Allowed("ports.smtp", "stop-service"),), NEW, MAILBOX)
    assert set(found.conf) == {
        "HTTP_PORT=8080",
        "HTTP_BIND=127.0.0.1",
        "HTTPS_PORT=8443",
        "HTTPS_BIND=127.0.0.1",
        "HTTP_REDIRECT=n",
        "ENABLE_IPV6=true",
        "ADDITIONAL_SAN=imap.*,smtp.example.org",
        "API_ALLOW_FROM=192.0.2.1",
        "TZ=Europe/Berlin",
    }
    assert found.secrets == {"API_KEY": "abc-123"}
    assert "abc-123" not in repr(found)
    assert found.far == ("you@example.net", "imap.example.net:1993", str(place / "far"))
    (entry,) = found.accepted
    assert (entry.check, entry.subject, entry.acknowledgement.until) == (
        *("network.outbound-25", "v6"),
        "2999-12-31",
    )
    (over,) = found.over
    line = WHOLE.splitlines().index('until = "2020-01-01"') + 1
    assert f":{line}: network.icmp was accepted until 2020-01-01: it counts again" in over


def test_nothing_has_to_be_answered(place: Path) -> None:
    assert given(place, "") == Given()


BAD: dict[str, tuple[str, int, str, str]] = {
    "unknown table": ("\n[netwrk]\n", 2, "netwrk is unknown", "network"),
    "unknown key": ('[server]\nhostnam = "mail.example.org"\n', 2, "server.hostnam is unknown", "hostname"),
    "key in no table": ('hostname = "mail.example.org"\n', 1, "stands in no table", "[server]"),
    "no table": ('server = "mail.example.org"\n', 1, "server is a text", "[server]"),
    "one table": ('[accept]\ncheck = "ports.smtp"\n', 1, "accept is a table", "[[accept]]"),
    "number for text": ("[server]\nhostname = 5\n", 2, "must be a text", '"mail.example.org"'),
    "text for number": ('[network]\nmtu = "1400"\n', 2, "must be a number", "1400, without quotes"),
    "truth for number": ("[network]\nmtu = true\n", 2, "must be a number", "1400"),
    "too small": ("[network]\nmtu = 60\n", 2, "cannot be", "from 1280 to 9000"),
    "text for list": ('[server]\ndomains = "example.org"\n', 2, "must be a list", '["example.org"]'),
    "element": ('[server]\ndomains = ["a.org",\n\n "b"]\n', 4, "element 2: it is 'b'", '"example.org"'),
    "inline": (
        'server = {hostname = "mail.example.org", domain = ["x.org"]}\n',
        1,
        "server.domain",
        "domains",
    ),
    "name": ('[server]\nhostname = "a b.org"\n', 2, "only letters", '"mail.example.org"'),
    "address of a link": ('[server]\naddresses = ["fe80::1%eth0"]\n', 2, "not an IP address", '"192.0.2.10"'),
    "address": ('[server]\naddresses = ["300.1.1.1"]\n', 2, "not an IP address", '"192.0.2.10"'),
    "zone": ('[server]\ntimezone = "Europe/Berlun"\n', 2, "no timezone of this machine", ""),
    "directory": ('[server]\ndirectory = "mailcow"\n', 2, "from the root on", '"/opt/'),
    "branch": ('[source]\nbranch = "-x"\n', 2, "no name of a branch", '"master"'),
    "choice": ('[admin]\npassword = "secret"\n', 2, "none of its values", '"keep", "new"'),
    "two lines": ('[server]\nhostname = """\na\nb"""\n', 2, "one line", '"mail.example.org"'),
    "behind lines": ('[server]\ndirectory = """/srv\\\n  /m"""\nhostname = 1\n', 4, "must be a text", ""),
    "conf key": ("[mailcow]\nHTTTP_PORT = 80\n", 2, "mailcow.HTTTP_PORT is unknown", "HTTP_PORT"),
    "conf switch": ('[mailcow]\nSKIP_CLAMD = "no"\n', 2, "cannot be", '"y" or "n", or true or false'),
    "conf type": ("[mailcow]\nIPV4_NETWORK = 172\n", 2, "must be a text", '"172.22.1"'),
    "conf value": ('[mailcow]\nIPV4_NETWORK = "8.8.8"\n', 2, "is not private", ""),
    "conf gone": ("[mailcow]\nSKIP_SOLR = true\n", 2, "no longer reads SKIP_SOLR", "SKIP_FTS"),
    "conf elsewhere": (
        '[mailcow]\nTZ = "UTC"\n',
        2,
        "answered elsewhere",
        "timezone below the line",
    ),
    "conf secret": ('[mailcow]\nDBPASS = "x"\n', 2, "DBPASS is a secret", "`secrets`"),
    "conf quotes": ('[mailcow]\nADDITIONAL_SAN = "a\'b"\n', 2, "with a ' in it", ""),
    "port twice": ("[mailcow]\nHTTP_PORT = 443\n", 2, "both name port 443", ""),
    "redirect": (
        '[mailcow]\nSMTP_PORT = 25\nHTTP_BIND = "127.0.0.1"\nHTTPS_BIND = "127.0.0.1"\n',
        *(1, "HTTP_REDIRECT=y behind a reverse proxy", 'HTTP_REDIRECT = "n"'),
    ),
    "host is domain": (
        '[server]\nhostname = "x.example.org"\ndomains = ["x.example.org"]\n',
        *(2, "is a mail domain itself", ""),
    ),
    "no reason": (
        '[[accept]]\ncheck = "ports.smtp"\nuntil = 2999-01-01\n',
        *(1, "reason is missing", 'reason = "why'),
    ),
    "empty reason": (
        '[[accept]]\ncheck = "ports.smtp"\nreason = " "\nuntil = 2999-01-01\n',
        *(3, "it is empty", "such as"),
    ),
    "no end": ('[[accept]]\ncheck = "ports.smtp"\nreason = "x"\n', 1, "until is missing", "until = "),
    "no day": (
        '[[accept]]\ncheck = "ports.smtp"\nreason = "x"\nuntil = "soon"\n',
        *(4, "'soon' is not a day", "2027-12-31"),
    ),
    "check": (
        '[[accept]]\ncheck = "ports.stmp"\nreason = "x"\nuntil = 2999-01-01\n',
        *(2, "'ports.stmp' is not the id of a check", '"ports.smtp"'),
    ),
    "twice": (
        2 * '[[accept]]\ncheck = "ports.smtp"\nreason = "x"\nuntil = 2999-01-01\n',
        *(5, "accepted twice", "one [[accept]]"),
    ),
    "fix": ('[[fix]]\ncheck = "ports.smtp"\nfix = "stop-servic"\n', 3, "is no fix", "stop-service"),
    "fix of others": ('[[fix]]\ncheck = "ports.smtp"\nfix = "swapfile"\n', 3, "is no fix", "one of "),
    "fix alone": (
        '[[fix]]\ncheck = "firewall.local"\nfix = "disable-firewall"\n',
        *(3, "unless somebody says", ""),
    ),
    "mailbox": (
        '[mailbox]\naddress = "me"\npassword_file = "/x"\n',
        *(2, "a whole address", '"me@example.org"'),
    ),
    "far server": (
        '[far_mailbox]\naddress = "me@x.net"\nimap = "imap.x.net:imaps"\npassword_file = "far"\n',
        3,
        "from 1 to 65535",
        "imap.example.net",
    ),
    "no far password": (
        '[far_mailbox]\naddress = "me@x.net"\npassword_file = "none"\n',
        *(3, "no such file", "a file with the password, mode 600"),
    ),
    "no password": ('[mailbox]\naddress = "me@x.org"\n', 1, "is missing in [mailbox]", "password_file = "),
    "no key file": ('[dns]\ntsig = "none.key"\n', 2, "no such file", "BIND's key file"),
    "two ways": (
        '[dns]\ntsig = "keys/update.key"\nprovider = "hetzner"\n',
        *(3, "exclude each other", "one of them"),
    ),
    "no secrets": ('secrets = "none.toml"\n', 0, "no such file", ""),
    "not toml": ("[server]\nhostname = mail.example.org\n", 2, "not TOML", 'hostname = "mail.example.org"'),
    "said twice": ("[network]\nmtu = 1400\nmtu = 1500\n", 3, "for the second time", "give it once"),
    "a number too long in hexadecimal": (f"[network]\nmtu = 0x{'f' * 5000}\n", 2, "not TOML: a number", ""),
    "a setting too long": (f"[mailcow]\nFTS_HEAP = 0x{'f' * 5000}\n", 2, "not TOML: a number", ""),
    "a number of more than 64 bits": ("[network]\nmtu = 9223372036854775808\n", 2, "not TOML: a number", ""),
    "no end of text": ('\n\n[server]\nhostname = """\nx\n', 4, "has no end", "close it"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_has_its_line_and_what_would_be_right(place: Path, name: str) -> None:
    text, line, what, right = BAD[name]
    (found,) = problems(place, text)
    assert what in found.what
    assert right in found.right
    assert (found.line or 0) == line
    assert found.words.isprintable()


def test_a_password_in_the_wrong_place_is_not_repeated(place: Path) -> None:
    (found,) = problems(place, '[admin]\npassword = "hunter2hunter2"\n')
    assert found.line == 2
    assert "hunter2" not in found.words


def test_all_of_it_at_once(place: Path) -> None:
    """Each mistake once, in the order of the lines; no mistake that only follows from another."""
    (place / "secrets.toml").write_text('[mailcow]\nHTTP_PORT = 1\nAPI_KEY = "a_b"\n')
    (place / "secrets.toml").chmod(0o644)
    text = (
        'secrets = "secrets.toml"\n[server]\nhostname = 1\ndomains = [2, "x"]\n'
        '[mailcow]\nHTTP_BIND = "127.0.0.1"\n'
        'HTTPS_BIND = "127.0.0.1"\nHTTP_REDIRECTT = false\nAPI_ALLOW_FROM = "192.0.2.1"\n'
        "[network]\nmtu = big\n"
    )
    found = problems(place, text)
    answers, secrets = str(place / "answers.toml"), str(place / "secrets.toml")
    assert [(one.file, one.line) for one in found] == [
        *((answers, line) for line in (3, 4, 4, 8, 11)),
        *((secrets, line) for line in (None, 2, 3)),
    ]
    assert "everybody may read this file" in found[5].what
    assert found[5].right == f"chmod 600 {secrets}"


def test_files_that_cannot_be_used(place: Path) -> None:
    def said(path: Path) -> str:
        with pytest.raises(Unfit) as caught:
            read(str(path), FakeHost(ZONES))
        return str(caught.value)

    assert "no such file" in said(place / "none")
    assert "is a directory" in said(place)
    os.mkfifo(place / "fifo")
    assert "it is not a file" in said(place / "fifo")
    (place / "binary").write_bytes(b"a = 1\n\nb = '\xff'\n")
    assert "binary:3: it is not text in UTF-8" in said(place / "binary")
    (place / "large").write_text("#" * 300_000)
    assert "larger than" in said(place / "large")
    (place / "open").write_text("")
    (place / "open").chmod(0o666)
    assert "everybody may change this file; right: chmod o-w" in said(place / "open")
    (place / "key").write_text("[dns]\ntsig = 'keys/update.key'\n")
    (place / "keys/update.key").chmod(0o640)
    assert "its group may read this file" in said(place / "key")
    (place / "mailbox").write_text('[far_mailbox]\naddress = "me@x.net"\npassword_file = "far"\n')
    (place / "far").chmod(0o604)
    assert "everybody may read this file, and it holds secrets; right: chmod 600" in said(place / "mailbox")


@pytest.mark.parametrize("text", ["[a]\n" * 3, "x" * 5000, "\x1b[2J = 1", "[server]\n\u202e = 1\n", "\0"])
def test_nothing_of_the_file_reaches_the_terminal(place: Path, text: str) -> None:
    for one in problems(place, text):
        assert one.words.isprintable()
        assert len(one.words) < 1000


# --- the schema -------------------------------------------------------------------------------------------


def faults(document: Any) -> list[str]:
    """What the schema has against it."""
    return json_schema.faults(schema(), document, schema())


def test_the_schema_takes_what_is_read() -> None:
    import tomli

    document = json.loads(json.dumps(tomli.loads(WHOLE), default=str))
    assert faults(document) == []
    assert faults({**document, "network": {"mtu": "x"}})
    assert faults({"netwrk": {}})
    assert faults({"accept": [{"check": "ports.smtp"}]})


# --- the command line -------------------------------------------------------------------------------------


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    """Runs the wizard."""
    argv = [sys.executable, "-m", "mailcow_wizard", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("command", [("check",), ("install", "--yes"), ("conf", "lint"), ("answers",)])
def test_a_bad_file_ends_it_before_anything_is_run(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "bad.toml").write_text("[servr]\n[network]\nmtu = 1\n")
    state = tmp_path / "state"
    words = ("--answers", str(tmp_path / "bad.toml"), "--state-dir", str(state))
    done = run(*command, *words)
    assert (done.returncode, done.stdout) == (64, "")
    first, *lines = done.stderr.splitlines()
    assert "nothing was run" in first
    assert [line.partition(": ")[0] for line in lines] == [f"{tmp_path}/bad.toml:{n}" for n in (1, 3)]
    assert not state.exists()


def test_its_problems_are_in_the_document(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[servr]\n")
    done = run("check", "--json", "--answers", str(tmp_path / "bad.toml"))
    said = json.loads(done.stdout)
    assert said["problems"] == [
        {"file": f"{tmp_path}/bad.toml", "line": 1, "what": "servr is unknown", "right": "server"}
    ]
    described = documents()
    assert json_schema.faults(described["$defs"]["error"], said, described) == []


def test_options_count_more_than_mailcow_conf_and_that_more_than_answers(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    text = '[server]\nhostname = "answered.example.org"\ndirectory = "{}"\n[mailcow]\nHTTP_PORT = 8090\n'
    answers.write_text(text.format(tmp_path))
    words = ("--answers", str(answers), "--state-dir", str(tmp_path / "state"), "--offline", "--json")
    assert json.loads(run("check", "ports.http", *words).stdout)["hostname"] == "answered.example.org"
    found = json.loads(run("check", "ports.http", *words).stdout)["checks"][0]
    assert "8090" in found["summary"]
    (tmp_path / "mailcow.conf").write_text("MAILCOW_HOSTNAME=conf.example.org\nHTTP_PORT=8091\n")
    said = json.loads(run("check", "ports.http", *words).stdout)
    assert said["hostname"] == "conf.example.org"
    assert "8091" in said["checks"][0]["summary"]
    said = json.loads(run("check", "ports.http", *words, "--hostname", "option.example.org").stdout)
    assert said["hostname"] == "option.example.org"


def test_what_it_accepts_does_not_count_and_is_not_kept(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text('[[accept]]\ncheck = "ports.smtp"\nreason = "moved"\nuntil = 2999-01-01\n')
    words = ("check", "ports.smtp", "--demo", "--json", "--state-dir", str(tmp_path / "state"))
    assert run(*words).returncode == 1
    done = run(*words, "--answers", str(answers))
    assert done.returncode == 0
    (finding,) = json.loads(done.stdout)["checks"]
    assert (finding["status"], finding["acknowledged"]["reason"]) == ("fail", "moved")
    assert run(*words).returncode == 1
    answers.write_text(answers.read_text().replace("2999", "2020"))
    done = run(*words, "--answers", str(answers))
    assert done.returncode == 1
    assert "ports.smtp was accepted until 2020-01-01: it counts again" in done.stderr
