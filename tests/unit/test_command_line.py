"""The command line as its users start it: real processes, their output, their exit codes."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import json_schema
import pytest
import recorded_machines as machines
from unit.this_checkout import ENVIRONMENT, WIZARD

from mailcow_wizard import __version__
from mailcow_wizard.requirements import PORTS

Done = subprocess.CompletedProcess[bytes]


def wizard(*words: str | bytes, env: Mapping[str, str] | None = None, **options: Any) -> Done:
    """Runs the wizard to its end."""
    given = {"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": 30, **options}
    return subprocess.run([*WIZARD, *words], env={**ENVIRONMENT, **(env or {})}, **given)


def document(done: Done) -> Any:
    """The one JSON document on stdout, in one line, and nothing else there."""
    assert done.stdout.count(b"\n") == 1
    assert done.stdout.endswith(b"\n")
    return json.loads(done.stdout)


@cache
def schema() -> Any:
    """What the wizard says of its JSON."""
    done = wizard("schema")
    assert done.returncode == 0
    return json.loads(done.stdout)


@pytest.fixture
def host(tmp_path: Path) -> str:
    """A recorded machine with nothing in the way."""
    return machines.write(tmp_path / "free.json", machines.FREE)


def refused(done: Done) -> str:
    """The one line on stderr of a line that cannot be understood."""
    assert (done.returncode, done.stdout) == (64, b"")
    text = done.stderr.decode()
    assert text.startswith("mailcow-wizard: ")
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    return text


# --- grammar ---

OPTIONS: dict[str, tuple[str, ...]] = {
    "dir": ("--dir", "/"),
    "hostname": ("--hostname", "mail.example.org"),
    "domain": ("--domain", "example.org", "--domain", "example.com"),
    "state-dir": ("--state-dir", "{tmp}/state"),
    "offline": ("--offline",),
    "timeout": ("--timeout", "5"),
    "timeout, joined": ("--timeout=0.5",),
    "address": ("--address", "192.0.2.1", "--address", "2001:db8::1"),
    "resolver": ("--resolver", "192.0.2.53"),
    "ntp": ("--ntp", "ntp.example.org", "--ntp", "192.0.2.2"),
    "no-color": ("--no-color",),
    "ascii": ("--ascii",),
    "mouse": ("--mouse",),
    "log": ("--log", "{tmp}/log"),
    "yes": ("--yes",),
    "json": ("--json",),
    "plain": ("--plain",),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_option_before_and_after_the_command(name: str, tmp_path: Path) -> None:
    option = [word.replace("{tmp}", str(tmp_path)) for word in OPTIONS[name]]
    for words in ((*option, "check", "ports.redis"), ("check", "ports.redis", *option)):
        done = wizard(*words, env={"POSIXLY_CORRECT": "1"})
        assert done.returncode == 0, done.stderr
        assert done.stdout
        assert not done.stderr


@pytest.mark.parametrize(
    "words", [("--host", "{}", "check", "ports"), ("check", "--host={}", "ports"), ("check", "--", "ports")]
)
def test_machine_and_end_of_options(words: tuple[str, ...], host: str) -> None:
    done = wizard(*(word.format(host) for word in words))
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == len(PORTS) + 1


REFUSED: dict[str, tuple[tuple[str | bytes, ...], str]] = {
    "option": (("check", "--nonsense"), "unknown option --nonsense"),
    "short option": (("check", "-x"), "unknown option -x"),
    "option with escapes": ((b"--\x1b[31m\nred\xff",), r"unknown option --\x1b[31m red"),
    "option, beginning of several": (("check", "--no"), "unknown option --no\n"),
    "option, no name": (("check", "--=x"), "unknown option --\n"),
    "three dashes": (("check", "---json"), "unknown option ---json"),
    "command": (("chekc",), "build; did you mean check?"),
    "command, like none": (("zzz",), "man, build\n"),
    "command behind help": (("help", "chek"), "did you mean check?"),
    "command with escapes": (("\x1b[2J\n",), r"unknown command '\x1b[2J '"),
    "selector": (
        ("check", "prots"),
        "'prots' is not a step, the beginning of an id, or an id; see check --list; did you mean ports?",
    ),
    "check to explain": (("explain", "sytem.tools"), "did you mean system.tools?"),
    "one selector of two": (("check", "ports", "nothing.x"), "'nothing.x' is not a step"),
    "empty selector": (("check", ""), "'' is not a step"),
    "selector beyond an id": (("check", "ports.smtp.x"), "'ports.smtp.x' is not a step"),
    "hostile selector": (("check", "\x1b]0;x\x07\n"), r"'\x1b]0;x\x07 ' is not"),
    "no value": (("check", "--dir"), "--dir needs a value"),
    "empty value": (("check", "--dir="), "--dir needs a value"),
    "value too many": (("check", "--json=yes"), "--json takes no value"),
    "missing directory": (
        ("check", "--dir", "/no/such/directory"),
        "--dir /no/such/directory does not exist",
    ),
    "directory is a file": (("check", "--dir", "/etc/passwd"), "--dir /etc/passwd is not a directory"),
    "directory of a recorded machine": (
        ("check", "--demo", "--dir", "/no/such"),
        "--dir /no/such: the recorded machine was not asked this",
    ),
    "hostile directory": (("check", "--dir", "/\x1b\n"), r"--dir /\x1b  does not exist"),
    "json and plain": (("check", "--json", "--plain"), "exclude each other"),
    "json and plain around": (("--plain", "check", "--json"), "exclude each other"),
    "demo and host": (("check", "--demo", "--host", "x"), "exclude each other"),
    "timeout": (("check", "--timeout", "soon"), "not a number of seconds"),
    "timeout of nothing": (("check", "--timeout", "0"), "not a number of seconds"),
    "timeout without end": (("check", "--timeout", "inf"), "not a number of seconds"),
    "no number": (("check", "--timeout", "nan"), "not a number of seconds"),
    "minutes": (("reach", "--minutes", "121"), "not a number of minutes"),
    "minutes without end": (("reach", "--minutes", "9" * 5000), "not a number of minutes"),
    "hostname": (("check", "--hostname", "a b"), "--hostname 'a b': only letters"),
    "hostname is an address": (("check", "--hostname", "192.0.2.1"), "address, not a name"),
    "domain": (("check", "--domain", "-x.org"), "--domain '-x.org'"),
    "hostname of one part": (("check", "--hostname", "mail"), "a full name is needed"),
    "domain of one part": (("check", "--domain", "localhost"), "a domain is needed"),
    "address": (("check", "--address", "mail.example.org"), "is not an IP address"),
    "resolver": (("check", "--resolver", "1.2.3"), "is not an IP address"),
    "time server": (("check", "--ntp", "a_b"), "--ntp 'a_b'"),
    "file": (("check", "--host", "/no/such/file"), "--host /no/such/file: it could not be read"),
    "file is a directory": (("check", "--host", "/"), "--host /: it could not be read"),
    "list without check": (("--list",), "--list goes with the command check"),
    "record without check": (("--record", "x"), "--record goes with"),
    "a mailbox without a domain": (("verify", "--first-mailbox", "me"), "a whole address is needed"),
    "a strange mailbox": (("verify", "--first-mailbox", "m'e@example.org"), "before the @ only letters"),
    "a mailbox for check": (("check", "--first-mailbox", "me@example.org"), "--first-mailbox goes with"),
    "a mailbox and a list": (("verify", "--first-mailbox", "me@example.org", "--list"), "excludes --format"),
    "a password alone": (("verify", "--password-file", "x"), "goes with verify --first-mailbox"),
    "a key for nobody": (("verify", "--api-key", ","), "an address is needed"),
    "a key for everybody": (("verify", "--api-key", "192.0.2.1,0.0.0.0/0"), "0.0.0.0/0 is everybody"),
    "a key for a name": (("verify", "--api-key", "example.org"), "example.org is no address"),
    "a key and a list": (("verify", "--api-key", "here", "--list"), "excludes --format"),
    "a key and a mailbox": (
        ("verify", "--api-key", "here", "--first-mailbox", "me@example.org"),
        "--api-key excludes --first-mailbox",
    ),
    "a far mailbox alone": (("verify", "--far-mailbox", "me@example.net"), "--far-password-file go together"),
    "a far server alone": (("verify", "--far-imap", "imap.example.net"), "--far-imap with both"),
    "a far server's port": (("verify", "--far-imap", "imap.example.net:0"), "from 1 to 65535"),
    "a far mailbox for check": (("check", "--far-mailbox", "me@example.net"), "--far-mailbox goes with"),
    "schema of something": (("schema", "x"), "schema is followed by answers, or by nothing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_understood(name: str) -> None:
    words, said = REFUSED[name]
    assert said in refused(wizard(*words))


@pytest.mark.parametrize(
    "words", [("--help",), ("-h",), ("check", "--help"), ("--help", "--json", "--plain")]
)
def test_help(words: tuple[str, ...]) -> None:
    done = wizard(*words)
    assert (done.returncode, done.stderr) == (0, b"")
    for option in ("--dir", "--json", "--offline", "--record", "check", "64"):
        assert option in done.stdout.decode("ascii")  # the C locale has nothing else


def test_version() -> None:
    for words in (("--version",), ("check", "--version")):
        assert wizard(*words).stdout.decode() == f"mailcow-wizard {__version__}\n"


def test_wizard_without_a_terminal_says_what_to_run_instead() -> None:
    for words in ((), ("--demo",)):
        done = wizard(*words)
        assert (done.returncode, done.stdout) == (64, b"")
        assert b"check --plain" in done.stderr


# --- list ---


def test_list() -> None:
    rows = document(wizard("check", "--list", "--json"))["checks"]
    lines = wizard("check", "--list").stdout.decode().splitlines()
    assert len({row["id"] for row in rows}) == len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        assert all(row[name] for name in ("id", "step", "title", "needed", "why", "doc"))
        assert line.startswith(f"{row['id']}  ")
        assert all(row[name] in line for name in ("step", "title", "needed", "why", "doc"))
    assert {port.id for port in PORTS} <= {row["id"] for row in rows}
    assert {row["step"] for row in rows} >= {"system", "kernel", "ports", "time"}


@pytest.mark.parametrize(
    ("selectors", "count"),
    [
        (("ports",), 13),
        (("ports.",), 13),
        (("ports.smtp",), 1),
        (("ports.pop",), 2),
        (("ports.imap", "ports.imap"), 1),
    ],
)
def test_selectors(selectors: tuple[str, ...], count: int) -> None:
    rows = document(wizard("check", "--list", "--json", *selectors))["checks"]
    assert len(rows) == count
    assert all(row["id"].startswith(selectors[0]) for row in rows)


def test_list_looks_at_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert wizard("check", "--list", "--state-dir", str(state)).returncode == 0
    assert not state.exists()


# --- JSON ---


def test_json_is_as_the_schema_says(host: str) -> None:
    done = wizard("check", "--json", "--host", host)
    assert json_schema.faults(schema(), document(done)) == []
    listed = document(wizard("check", "--list", "--json"))
    assert json_schema.faults(schema(), listed) == []
    assert json_schema.faults(schema()["$defs"]["list"], listed, schema()) == []
    assert json_schema.faults(schema()["$defs"]["run"], listed, schema())
    assert json_schema.faults(schema(), document(wizard("check", "--json", "--demo"))) == []


def test_json_of_this_machine() -> None:
    said = document(wizard("check", "--json", "--offline", "--hostname", "mail.example.org"))
    assert json_schema.faults(schema(), said) == []
    assert said["hostname"] == "mail.example.org"
    statuses = [one["status"] for one in said["checks"]]
    assert said["summary"] == {status: statuses.count(status) for status in said["summary"]}
    assert len({(one["id"], one["subject"]) for one in said["checks"]}) == len(statuses)
    listed = document(wizard("check", "--list", "--json"))["checks"]
    assert list(dict.fromkeys(one["id"] for one in said["checks"])) == [one["id"] for one in listed]


@pytest.mark.parametrize("broken", ["status", "summary", "evidence", "duration_ms"])
def test_schema_refuses_what_is_wrong(broken: str, host: str) -> None:
    said = document(wizard("check", "ports", "--json", "--host", host))
    assert json_schema.faults(schema(), said) == []
    said["checks"][0][broken] = -1
    assert json_schema.faults(schema(), said)
    del said["checks"][0][broken]
    assert json_schema.faults(schema(), said)


# --- exit codes ---

CRASH = """
import sys
from mailcow_wizard.checks import ports
from mailcow_wizard.cli.app import run
def judge(facts):
    raise ValueError("boom")
ports.CHECKS = (ports.CHECKS[0]._replace(judge=judge), *ports.CHECKS[1:])
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [("FREE", 0, "pass"), ("POSTFIX", 1, "fail"), ("ONLY_V6", 2, "warn"), ("REFUSED", 3, "unknown")],
)
def test_exit_code(name: str, code: int, status: str, tmp_path: Path) -> None:
    host = machines.write(tmp_path / "host.json", getattr(machines, name))
    for form in ("--json", "--plain"):
        done = wizard("check", "ports.smtp", form, "--host", host)
        assert (done.returncode, done.stderr) == (code, b"")
    assert document(wizard("check", "ports.smtp", "--json", "--host", host))["checks"][0]["status"] == status


@pytest.mark.parametrize("machine", ["FREE", "POSTFIX"])
def test_defect_of_a_check(machine: str, tmp_path: Path) -> None:
    host = machines.write(tmp_path / "host.json", getattr(machines, machine))
    done = wizard_with(CRASH, "check", "ports", "--json", "--host", host)
    assert done.returncode == 70
    checks = document(done)["checks"]
    assert checks[0]["status"] == "crashed"
    assert "boom" in checks[0]["summary"]
    assert len(checks) == len(PORTS)
    assert "crashed" not in {one["status"] for one in checks[1:]}


def wizard_with(program: str, *words: str) -> Done:
    """A program that changes something of the wizard and then runs it."""
    argv = [sys.executable, "-c", program, *words]
    return subprocess.run(argv, env=ENVIRONMENT, capture_output=True, stdin=subprocess.DEVNULL, timeout=30)


def test_defect_of_the_wizard_itself() -> None:
    done = wizard_with(CRASH.replace("ports.CHECKS =", "ports.CHECKS = judge(0) or"), "check")
    assert done.returncode == 1  # before the wizard: this program's own mistake
    program = CRASH.replace("ports.CHECKS = ", "import mailcow_wizard.cli.check as c; c.Chosen = judge; x = ")
    done = wizard_with(program, "check")
    assert (done.returncode, done.stdout) == (70, b"")
    assert done.stderr.decode() == "mailcow-wizard: a defect of the wizard in <string>:6: ValueError: boom\n"


# --- what is printed ---


def lines_of(done: Done) -> Sequence[str]:
    """The lines of plain output."""
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("words", [("--plain",), (), ("--plain", "--no-color"), ("--ascii",)])
def test_plain_has_one_line_a_check_and_no_escapes(words: tuple[str, ...], tmp_path: Path) -> None:
    hostile = machines.process("\x1b[31m\n[red]", ("x", "\x1b]0;title\x07", "\u202e"))
    more = {
        "holders 4711": {"value": [{"inode": 4711, "processes": [hostile], "cgroup": "", "user": "root"}]}
    }
    host = machines.write(tmp_path / "host.json", {**machines.POSTFIX, **more})
    lines = lines_of(wizard("check", "ports", *words, "--host", host))
    assert len(lines) == len(PORTS) + 1
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("FAIL     ports.smtp: \\x1b[31m [red] is listening on port 25")
    assert lines[-1] == "12 ok, 1 fail"


@pytest.mark.parametrize("form", ["--json", "--plain", "--list"])
def test_locale_without_utf8(form: str, tmp_path: Path) -> None:
    words = ("Zürich", "東京", "\udcff", "…")
    held = [{"inode": 4711, "processes": [machines.process("é\x9b…", words)], "cgroup": "", "user": "é"}]
    host = machines.write(tmp_path / "é.json", {**machines.POSTFIX, "holders 4711": {"value": held}})
    poor = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = wizard("check", "ports", form, "--host", host, env=poor)
    assert (done.returncode, done.stderr) == (0 if form == "--list" else 1, b"")
    assert done.stdout.isascii()
    if form == "--json":
        rich = wizard("check", "ports", form, "--host", host)
        for one, other in zip(document(done)["checks"], document(rich)["checks"], strict=True):
            assert one == {**other, "duration_ms": one["duration_ms"]}


def test_hostname_of_a_recorded_machine_is_harmless(tmp_path: Path) -> None:
    conf = "MAILCOW_HOSTNAME=\x1b[2J\u202email\n"
    host = machines.write(tmp_path / "host.json", machines.answers(conf=conf))
    assert document(wizard("check", "ports", "--json", "--host", host))["hostname"] == r"\x1b[2J\u202email"


# --- what is imported, what is sent ---


_TELLS_IMPORTS = """
import sys
from mailcow_wizard.cli.app import run
code = run(sys.argv[1:])
print(sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def test_the_quickest_check_imports_what_it_needs(tmp_path: Path) -> None:
    """Each of these takes a fortieth to a tenth of the whole (Python 3.11)."""
    done = wizard_with(_TELLS_IMPORTS, "check", "ports", "--json", "--state-dir", str(tmp_path / "state"))
    imported = set(eval(done.stderr))  # noqa: S307
    assert "threading" in imported
    assert not imported & {"typing", "queue", "calendar", "hashlib", "urllib"}


@pytest.mark.parametrize(
    "words", [("check",), ("check", "--json"), ("check", "--list"), ("schema",), ("--version",)]
)
def test_nothing_heavy_is_imported(words: tuple[str, ...], host: str) -> None:
    done = wizard_with(_TELLS_IMPORTS, *words, *(() if "schema" in words else ("--host", host)))
    imported = set(eval(done.stderr))  # noqa: S307
    assert "mailcow_wizard" in imported
    heavy = {
        "textual", "rich", "dns", "asyncio", "psutil", "ssl", "http", "argparse", "dataclasses", "ntplib",
    }  # fmt: skip
    assert not imported & heavy
