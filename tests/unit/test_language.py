"""The languages: how one is chosen, what is never translated, and that no sentence is missing."""

import ast
import io
import json
import os
import re
import string
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import catalogues
import pytest
from catalogues import PARTS, ROOT, TRANSLATIONS, Sentence

from mailcow_wizard import language
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.dns_push import decided
from mailcow_wizard.cli.making import Talk
from mailcow_wizard.host import asking

CHECKOUT = ROOT.parent
# Catalogues of files whose sentences are all marked.
CONVERTED = {
    "system",
    "kernel",
    "ports",
    "network",
    "dns",
    "reputation",
    "time",
    "docker",
    "firewall",
    "config",
    "conf",
    "mail",
    "install",
    "report",
    "engine",
    "cli",
    "tui",
}
# Files that write what programs read, or what stands in files of other programs.
FOR_PROGRAMS = {
    "ansible/roles/mailcow_wizard/library/mailcow_wizard.py",  # Ansible speaks English
    "cli/completion.py",  # scripts for shells
    "conf/layout.py",  # comments in mailcow.conf, which are English there
    "facts/dns/wire.py",  # words of the protocol
    "fixes/proxy_sites.py",
    "report/monitoring.py",
    "report/reach_lines.py",
    "report/schema.py",
    "typed.py",  # mistakes of who writes the program
}
# Texts in them that look like sentences and are none for people: files' contents, commands, names.
NOT_FOR_PEOPLE = {
    "# Written by mailcow-wizard, which can take it back: mailcow-wizard undo\n",
    "product_name: google compute engine",
    # where the sentences of providers were read
    "github.com/ovh/docs, guides on IP addresses: Modify the reverse path",
    "github.com/linode/docs, Configure rDNS on Compute Instances: Network, Edit RDNS",
    "EC2 user guide, Elastic IP addresses, Use reverse DNS for email applications",
    "Compute Engine API, accessConfigs.publicPtrDomainName; the console's Public DNS PTR Record",
    "not everywhere yet",  # states of a record
    "split view",
    "could not ask",
    "name does not resolve",  # the beginning of what the door said
    "{pool} {name} iburst\n",
    'ack network.outbound-25 --reason "mail leaves by a relay"',  # an example to type
    "{id}: {status} after {duration_ms} ms",
    "fix {check} {fix}{subject}",
    "^Max open files +(?:{digits}|unlimited) +({digits1}|unlimited)\\b",
    "{path} none swap sw 0 0\n",
    "# Settings of docker compose beside mailcow's own; updates of mailcow leave this file alone.\n",
    "answered by something else",  # states of a port
    "asked from this network only",
    "no way there from here",
    "open, and nothing is heard",
    "open, and not known whose it is",
    "not asked: no way from there",
    "refused on the way",
    "not asked: that line lets no port 25 out",
    "not asked: that line may let no port 25 out",
    "its certificate is not accepted: ",  # the door's words, taken away
    "unable to configure",  # words of Docker's journal
    "failed to start daemon",
    "error initializing",
    "no packet begins here",  # errors of a parser that nobody sees
    "a key has no partial lengths",
    "a key has no indeterminate length",
    "the last packet is cut short",
    "rc-update add docker default",
    "\\ No newline at end of file",  # words of diff
    r"\s*\((?:at line (\d+), column \d+|at end of document)\)$",  # words of tomllib
    "inferred: some eighteen images unpack to about 150 000 files",  # the source of a number
    # what the far side is answered, whose language is not known
    "This knock comes from {}, which is this server itself or its own network:\n"
    "no provider's firewall was passed, and nothing is proved. Paste the line elsewhere.\n",
    "is incompatible, use 'nft' tool",  # words of iptables
    "ct state or status",  # what a rule compares, as nft says it
    "ct wanted port",
    "ct wanted ip",
    "ct from ip",
    "Description=Rules for containers in {user_chain}",
    "smtpctl show queue",
    "(?i)nofile|setrlimit|too many open files|ulimit",  # words of mailcow's logs
    "(?i)no space left on device|disk full",
    "(?i)address already in use|port is already allocated",
    "(?i)access denied for user",
    "(?i)could not resolve host|temporary failure in name resolution|name or service not known",
    "535|AUTHENTICATIONFAILED|holds no password|could not be read|authentication fail",
    r"Cannot match your IP (\S*) against hostname {name} \(DNS returned (\S+)\)",
    "No A or AAAA record found for hostname {name}",
    "Lets Encrypt disallowed for {name} by CAA record",
    r"couldn't download http://([\w.-]+)/",
    "key not found",  # words of the mail servers of others
    "no such key",
    "Some services do return old end dates",
    "issuer other than mailcow snake-oil CA and Let's Encrypt",
    "Certificates (?:were )?successfully|Certificates were successfully",
    "Cannot validate any hostnames",
    "Some errors occurred|Failed to obtain certificate",
    "Using command acme-tiny|Registering account|Verifying|Parsing",
    "Deploying certificate|Reloading or restarting",
    "the terminal would scroll",  # one layer of the display to the other
}


# --- choosing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "DE_at@euro"}, "de"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "den_CA"}, "en"),
        ({"LC_MESSAGES": "en_GB.UTF-8", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "de_DE.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "de"),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "fr:de:en"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "en_US"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "fr"}, "en"),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"}, "en"),
        ({"LANGUAGE": "de"}, "en"),
        ({"LANG": "\udcff"}, "en"),
    ],
)
def test_the_locale_says_the_language_as_for_gettext(environ: dict[str, str], chosen: str) -> None:
    assert language.of_locale(environ) == chosen


@pytest.mark.parametrize(
    ("line", "chosen"),
    [
        ("check", "de"),
        ("check --lang en", "en"),
        ("--lang=en check", "en"),
        ("check --lang de --lang en", "en"),
        ("check --json", "en"),
        ("check --lang de --json", "en"),
        ("check --format nagios", "en"),
        ("check --format=prometheus", "en"),
        ("report --format html", "de"),
        ("schema", "en"),
        ("schema --help", "de"),
        ("check --json -h", "de"),
        ("conf get -- --json", "de"),
        ("check --lang", "de"),
    ],
)
def test_the_line_comes_before_the_locale_and_programs_read_english(line: str, chosen: str) -> None:
    try:
        language.choose(line.split(), {"LANG": "de_DE.UTF-8"})
        assert language.current() == chosen
    finally:
        language.use("en")


# --- speaking ---------------------------------------------------------------------------------------------


class Spoken:
    """Translations of a test's own."""

    def __init__(self, **words: str) -> None:
        self.words = words

    def gettext(self, text: str) -> str:
        """By the sentence's first word."""
        return self.words.get(text.partition(" ")[0], text)


@pytest.fixture
def german() -> Iterator[None]:
    """German is spoken."""
    language.use("de")
    yield
    language.use("en")


@pytest.mark.parametrize("broken", ["{other} Dateien", "{number} {", "{number.real.x}", "{0}", "{number:q}"])
def test_a_broken_translation_is_english(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    monkeypatch.setattr(language, "_spoken", Spoken(there=broken))
    assert language._("there are {number} files", number=3) == "there are 3 files"


def test_numbers_are_written_as_in_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = "{size:.1f} GiB, {bytes:,} bytes, {port}, {version}"
    values: dict[str, Any] = {"size": 1.5, "bytes": 1234567, "port": 5353, "version": "4.15"}
    assert language._(sentence, **values) == "1.5 GiB, 1,234,567 bytes, 5353, 4.15"
    monkeypatch.setattr(language, "_spoken", Spoken())
    assert language._(sentence, **values) == "1,5 GiB, 1.234.567 bytes, 5353, 4.15"


def test_a_value_is_no_form(german: None) -> None:
    assert language._("{name} and {name}", name="{0.x}") == "{0.x} and {0.x}"


def test_what_the_door_said_is_known_by_its_form(german: None) -> None:
    said = language.heard("the command chronyc is not installed")
    assert said == "der Befehl chronyc ist nicht installiert"
    within = language.heard("/etc/adjtime could not be written: Permission denied")
    assert within == "/etc/adjtime konnte nicht geschrieben werden: Keine Berechtigung"
    assert language.heard("chronyc: 506 Cannot talk to daemon") == "chronyc: 506 Cannot talk to daemon"
    assert language._("systemctl: {error}", error=OSError("it has no secret")).endswith("kein Geheimnis")


# --- what programs read, and what it costs ----------------------------------------------------------------


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command line, run to its end."""
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(CHECKOUT), **variables}
    return subprocess.run(
        [sys.executable, "-m", "mailcow_wizard", *words],
        env=environ,
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


GERMAN = {"LANG": "de_DE.UTF-8", "PYTHONUTF8": "1"}


def test_german_is_spoken_by_locale_and_by_option(tmp_path: Path) -> None:
    line = ("check", "time", "--demo", "--plain", "--state-dir", str(tmp_path))
    english = run(*line, LANG="C.UTF-8")
    assert "the timezone is" in english.stdout
    by_locale = run(*line, **GERMAN)
    assert "die Zeitzone ist" in by_locale.stdout
    assert run(*line, "--lang", "de", LANG="C.UTF-8").stdout == by_locale.stdout
    assert run(*line, "--lang=en", **GERMAN).stdout == english.stdout
    assert by_locale.returncode == english.returncode


def test_an_unknown_language_is_refused() -> None:
    done = run("check", "--lang", "fr", LANG="C.UTF-8")
    assert done.returncode == 64
    assert done.stderr == "mailcow-wizard: --lang 'fr' is none of: en, de\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chekc", "unbekannter Befehl 'chekc'; es gibt: check, fix, "),
        ("undo a b", "undo nimmt eine Änderung, aber da ist 'b'\n"),
        ("install --branch ..a", "--branch '..a' ist kein Name eines Zweigs\n"),
        ("check --host /nowhere", "--host /nowhere: nicht lesbar: Datei oder Verzeichnis nicht gefunden\n"),
    ],
)
def test_a_line_that_cannot_be_understood_is_answered_in_its_language(line: str, said: str) -> None:
    done = run(*line.split(), **GERMAN)
    assert done.returncode == 64
    assert done.stderr.startswith(f"mailcow-wizard: {said}")


def test_programs_read_in_english_what_is_wrong_with_a_line() -> None:
    done = run("undo", "a", "b", "--json", **GERMAN)
    assert json.loads(done.stdout)["error"] == "undo takes one change, but there is 'b'"


def test_a_question_takes_the_answers_of_its_language(monkeypatch: pytest.MonkeyPatch, german: None) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(sys, "stdin", io.StringIO("vielleicht\nja\nN\nyes\n"))
    assert asking.ask("Das schreiben?")
    assert not asking.ask("Zurücknehmen?", otherwise=True)
    assert asking.ask("Das schreiben?")
    again = "Das schreiben? [j/N] "
    assert shown.getvalue() == f"{again}{again}Zurücknehmen? [J/n] {again}"


def test_the_letters_for_a_record_mean_the_same_in_every_language(
    monkeypatch: pytest.MonkeyPatch, german: None
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\nj\nn\na\nq\n"))
    talk = Talk(Options(), shown.write)
    assert [decided(talk) for _answer in range(4)] == ["y", "n", "a", "q"]
    assert shown.getvalue() == "Das veröffentlichen? [j/n/a/q] " * 5


def test_programs_read_the_same_in_every_language(tmp_path: Path) -> None:
    def document(*words: str, **variables: str) -> Any:
        read = json.loads(
            run("check", "--demo", "--json", "--state-dir", str(tmp_path), *words, **variables).stdout
        )
        for one in read["checks"]:
            del one["duration_ms"]
        return read["checks"]

    english = document(LANG="C.UTF-8")
    assert document("--lang", "de", **GERMAN) == english


def test_english_costs_nothing() -> None:
    code = (
        "import os, sys; from mailcow_wizard import __main__; "
        "__main__._run(['check', 'ports', '--demo', '--plain', '--state-dir', '/nonexistent']); "
        "sys.stderr.write(str({'gettext', 'locale'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr.endswith("set()")


def test_a_process_of_its_own_speaks_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, german: None
) -> None:
    from mailcow_wizard.host import detached

    said = tmp_path / "said"
    (tmp_path / "speaker.py").write_text(
        "from mailcow_wizard import language\n"
        "def main(words):\n"
        "    open(words[0], 'w').write(language.current())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with open(os.devnull, "rb") as nothing:
        process = detached.start("speaker", (str(said),), nothing.fileno())
    while not process.ended():
        detached.pause(0.02)
    assert said.read_text() == "de"


# --- catalogues -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def needed() -> dict[str, dict[Sentence, list[str]]]:
    """The sentences of the source."""
    return catalogues.needed()


@pytest.mark.parametrize("tongue", TRANSLATIONS)
@pytest.mark.parametrize("part", PARTS)
def test_the_catalogue_is_complete(
    needed: Mapping[str, dict[Sentence, list[str]]], tongue: str, part: str
) -> None:
    kept = catalogues.read(tongue, part)
    advice = "run: python -m tests.catalogues"
    assert set(needed[part]) - set(kept) == set(), f"not in the catalogue; {advice}"
    assert set(kept) - set(needed[part]) == set(), f"not in the source any more; {advice}"
    assert [one.text for one, words in kept.items() if not words] == [], "not translated, or doubtful (fuzzy)"
    made = catalogues.path_of(tongue, part, "mo").read_bytes()
    assert made == catalogues.compiled(tongue, part, kept), (
        f"the .mo file is older than the .po file; {advice}"
    )


@pytest.mark.parametrize("tongue", TRANSLATIONS)
@pytest.mark.parametrize("part", PARTS)
def test_a_translation_has_what_the_sentence_has(tongue: str, part: str) -> None:
    for sentence, words in catalogues.read(tongue, part).items():
        for word in words:
            wanted = (
                {*_places(sentence.text), *_places(sentence.plural)}
                if sentence.plural
                else _places(sentence.text)
            )
            assert _places(word) <= wanted if sentence.plural else _places(word) == wanted, (sentence, word)
            assert _edges(word) == _edges(sentence.text), (sentence, word)
            assert re.findall(r"`[^`]*`", word) == re.findall(r"`[^`]*`", sentence.text), (sentence, word)


def _places(text: str) -> set[str]:
    return {str(name) for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _edges(text: str) -> tuple[bool, bool, str]:
    """Spaces at the ends, and how it ends."""
    end = text.rstrip()[-1:]
    return text.startswith(" "), text.endswith(" "), end if end in ".:;…" else ""


@pytest.mark.parametrize("tongue", TRANSLATIONS)
def test_the_same_sentence_is_the_same_everywhere(tongue: str) -> None:
    seen: dict[Sentence, set[tuple[str, ...]]] = defaultdict(set)
    for part in PARTS:
        for sentence, words in catalogues.read(tongue, part).items():
            seen[sentence].add(words)
    assert {one.text: words for one, words in seen.items() if len(words) > 1} == {}


# --- the source -------------------------------------------------------------------------------------------

FILES = [str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*.py"))]
MARKED = [name for name in FILES if "mailcow_wizard.language import" in (ROOT / name).read_text()]


def test_a_sentence_that_is_no_literal_is_refused() -> None:
    with pytest.raises(ValueError, match="not a literal"):
        list(catalogues.uses_of("checks/x.py", "_(f'{name} is {state}')"))


@pytest.mark.parametrize("name", MARKED)
def test_nothing_else_is_called_by_the_mark(name: str) -> None:
    """`for _ in …` would take the place of the function."""
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        stored = isinstance(node, ast.Name) and node.id == "_" and isinstance(node.ctx, ast.Store)
        stored = stored or (isinstance(node, ast.arg) and node.arg == "_")
        assert not stored, f"{name}:{node.lineno}: call what is not needed _name"


@pytest.mark.parametrize(
    "name", [name for name in FILES if catalogues.part_of(name) in CONVERTED and name not in FOR_PROGRAMS]
)
def test_every_sentence_is_marked(name: str) -> None:
    assert list(_unmarked((ROOT / name).read_text())) == []


def test_an_unmarked_sentence_is_seen() -> None:
    source = 'a = _("this one is marked")\nb = f"{a} is not yet marked"\nc = f"{_(\'this one is fine\')} 1"\n'
    assert list(_unmarked(source)) == ["2: {a} is not yet marked"]


def _unmarked(source: str) -> Iterator[str]:
    """Literals that look like sentences, outside the functions that mark one; docstrings aside."""
    tree = ast.parse(source)
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        elif isinstance(node, ast.Call) and catalogues.mark_of(node):
            passed.update(id(one) for one in node.args)
        elif isinstance(node, ast.JoinedStr):
            passed.update(id(one) for one in node.values)
        elif isinstance(node, ast.Dict):
            passed.update(id(one) for one in node.keys)
        elif isinstance(node, ast.Compare):
            passed.update(id(one) for one in ast.walk(node))
        elif isinstance(node, ast.Call) and "show=False" in ast.unparse(node):
            passed.update(id(one) for one in node.args)  # the description of a key that no list shows
    for node in ast.walk(tree):
        if id(node) not in passed and isinstance(node, ast.Constant | ast.JoinedStr):
            text = catalogues.template(node)
            if catalogues.is_sentence(re.sub(r"\{\w+\}", "0", text)) and text not in NOT_FOR_PEOPLE:
                yield f"{node.lineno}: {text}"
