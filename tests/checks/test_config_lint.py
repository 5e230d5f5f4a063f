"""The judges of what is inside of mailcow.conf: each rule has its check, its status, its remedy."""

import re
from pathlib import Path

import pytest

import mailcow_wizard.conf
from mailcow_wizard.checks import config_lint as judges
from mailcow_wizard.checks.config import CHECKS
from mailcow_wizard.conf.rule import Surroundings
from mailcow_wizard.conf.rules import lint
from mailcow_wizard.facts.config_lint import OWN_CHECKS, SYNTAX, TOGETHER, Lint, check_of
from mailcow_wizard.model import Judgement
from tests.demo_config import CONF

GOOD = (
    CONF.replace("DOCKER_COMPOSE_VERSION=", "DOCKER_COMPOSE_VERSION=native")
    .replace("imap.*, smtp.*", "imap.*,smtp.*")
    .replace("DOVECOT_MASTER_USER=backup", "DOVECOT_MASTER_USER=")
)
ABOUT = Surroundings(
    addresses=frozenset({"192.0.2.10"}),
    is_zone=lambda name: True,
    domains=("example.org",),
    compose=("native",),
)
PATH = "/opt/mailcow-dockerized/mailcow.conf"
PARTS = {
    "syntax": judges.judge_syntax,
    "values": judges.judge_values,
    "consistency": judges.judge_consistency,
}


def judged(text: str | bytes) -> dict[str, Judgement]:
    data = text.encode() if isinstance(text, str) else text
    found = Lint("", PATH, data, 30, lint(data, ABOUT))
    return {part: judge(found) for part, judge in PARTS.items()}


def test_nothing_is_wrong_with_a_good_file() -> None:
    assert {one.status for one in judged(GOOD).values()} == {"pass"}


def test_what_is_not_there_is_not_judged() -> None:
    found = Lint("there is no mailcow.conf yet", PATH, b"", 0, ())
    assert {judge(found).status for judge in PARTS.values()} == {"skipped"}


def test_every_rule_of_the_source_has_a_check() -> None:
    """Rules are written as words with hyphens behind the key; each list here names only rules that exist."""
    package = Path(str(mailcow_wizard.conf.__file__)).parent
    source = "".join(path.read_text() for path in package.glob("rules*.py"))
    named = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', source))
    assert named >= SYNTAX
    assert named >= TOGETHER
    assert all(any(rule.startswith(start) for rule in named) for start in OWN_CHECKS)
    lines = (package / "rules_lines.py").read_text()
    in_lines = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', lines))
    assert {check_of(rule) for rule in in_lines} == {"syntax"}
    ids = {check.id for check in CHECKS}
    assert {f"config.{check_of(rule)}" for rule in named} <= ids


@pytest.mark.parametrize(
    ("before", "after", "part", "status", "words"),
    [
        ("TZ=Europe/Berlin", "TZ= Europe/Berlin", "syntax", "fail", "space beside the ="),
        ("TZ=Europe/Berlin", "TZ=Europe/Berlin\nTZ=Etc/UTC", "syntax", "warn", "set again"),
        ("imap.*,smtp.*", "a&b", "syntax", "fail", "means something to bash"),
        ("\nLOG_LINES", "\nLOG_LINES: 5\nX", "syntax", "fail", "colon"),
        ("SKIP_CLAMD=n", "SKIP_CLAMD=no", "values", "fail", "y and n only"),
        ("DBPASS=", "DBPASS=a-", "values", "fail", "DBPASS has other characters"),
        ("HTTP_PORT=80", "HTTP_PORT=8081", "values", "fail", "used inside"),
        ("HTTP_PORT=80", "HTTP_PORT=192.0.2.10:80", "values", "fail", "belongs into HTTP_BIND"),
        ("HTTP_BIND=", "HTTP_BIND=198.51.100.7", "values", "fail", "does not have the address"),
        ("HTTP_BIND=", "HTTP_BIND=192.0.2.10", "values", "pass", "settings have values"),
        ("IPV4_NETWORK=172.22.1", "IPV4_NETWORK=172.22.1.0/24", "values", "fail", "IPV4_NETWORK"),
        ("DOVECOT_MASTER_USER=", "DOVECOT_MASTER_USER=me", "consistency", "fail", "go together"),
        ("HTTP_BIND=\n", "HTTP_BIND=127.0.0.1\n", "consistency", "fail", "round in circles"),
        ("ENABLE_IPV6=true", "ENABLE_IPV6=true\nAPI_KEY=abc", "consistency", "fail", "API_ALLOW_FROM"),
        ("SMTPS_PORT=465", "SMTPS_PORT=25", "consistency", "fail", "both name port 25"),
        ("LOG_LINES=9999", "LOG_LINES=9999\nSOLR_HEAP=1024", "values", "pass", "1 hint"),
    ],
)
def test_faults(before: str, after: str, part: str, status: str, words: str) -> None:
    assert before in GOOD
    said = judged(GOOD.replace(before, after, 1))[part]
    assert said.status == status
    assert words in said.summary
    assert bool(said.remedies) == (status != "pass")


@pytest.mark.parametrize(
    "data", [GOOD.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + GOOD.encode(), b"A\0"]
)
def test_bytes_that_do_not_belong_there(data: bytes) -> None:
    assert judged(data)["syntax"].status == "fail"


def test_values_with_checks_of_their_own_are_not_judged_twice() -> None:
    text = GOOD.replace("TZ=Europe/Berlin", "TZ=").replace("mail.example.org", "Mail")
    text = text.replace("DOCKER_COMPOSE_VERSION=native", "DOCKER_COMPOSE_VERSION=")
    assert {one.status for one in judged(text).values()} == {"pass"}


def test_no_secret_is_shown() -> None:
    text = GOOD.replace("ExampleDbPassword00000000001", "Geheim & Wort").replace("ExampleRoot", "Geheim'")
    for said in judged(text).values():
        assert "Geheim" not in str(said)
        assert "Wort" not in str(said)


def test_many_findings_stay_readable() -> None:
    text = GOOD + "".join(f"A{number}= x\n" for number in range(300))
    said = judged(text)["syntax"]
    assert len(said.evidence) == len(said.remedies) == 20
    assert "more" in said.summary


@pytest.mark.parametrize(("asks", "status"), [(True, "fail"), (False, "pass")])
def test_an_old_file_beside_newer_files_lacks_what_they_ask(asks: bool, status: str) -> None:
    """Whoever moves to a new server may bring mailcow.conf alone, and clone the rest anew."""
    data = re.sub(r"(?m)^REDISPASS=.*\n", "", GOOD).encode()
    found = Lint("", PATH, data, 30, lint(data, ABOUT._replace(takes=lambda key: asks)))
    said = judges.judge_consistency(found)
    assert said.status == status
    if asks:
        assert said.severity == "blocks"
        assert "Redis does not start" in said.summary
        assert "set REDISPASS to 28" in said.remedies[0]
