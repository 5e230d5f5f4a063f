"""What is remembered of a run: changes since, reports of it, its masks, what monitoring is told."""

import html as html_module
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from json_schema import faults

from mailcow_wizard.engine.memory import Difference, Memory
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.recording.recorded import DEMO
from mailcow_wizard.language import use
from mailcow_wizard.model import Acknowledgement, Evidence, Finding, Fix
from mailcow_wizard.report.document import of_run
from mailcow_wizard.report.masking import masked
from mailcow_wizard.report.monitoring import nagios, prometheus
from mailcow_wizard.report.saved import as_text
from mailcow_wizard.report.schema import schema


def run(state: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "mailcow_wizard", *words, "--state-dir", str(state)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


def finding(
    status: Any, summary: str = "so it is", id: str = "ports.smtp", subject: str | None = None
) -> Finding:
    doc = "https://docs.example.org"
    return Finding(id, subject, "ports", "SMTP", status, "blocks", "proved", summary, "n", "f", "w", doc)


@pytest.fixture
def granting(tmp_path: Path) -> str:
    """The demo machine, where memory is granted to whoever asks."""
    machine = json.loads(Path(DEMO).read_text())
    machine["answers"]["read /proc/sys/vm/overcommit_memory"] = {"value": {"text": "1\n"}}
    path = tmp_path / "granting.json"
    path.write_text(json.dumps(machine))
    return str(path)


def test_what_became_better_and_worse_is_told(tmp_path: Path, granting: str) -> None:
    state = tmp_path / "state"
    first = run(state, "check", "kernel", "--demo", "--changes", "--json")
    assert first.returncode == 2
    assert json.loads(first.stdout)["changes"] == []
    assert "no run before" in first.stderr
    better = run(state, "check", "kernel", "--host", granting, "--changes", "--json")
    document = json.loads(better.stdout)
    assert document["changes"] == [
        {"id": "kernel.overcommit", "subject": None, "before": "warn", "after": "pass"}
    ]
    assert better.returncode == 0
    assert not faults(schema(), document)
    worse = run(state, "check", "kernel", "--demo", "--changes")
    assert worse.returncode == 2
    assert "worse    kernel.overcommit: pass before, warn now" in worse.stdout
    same = run(state, "check", "kernel", "--demo", "--changes", "--json")  # what stays is no news
    assert (same.returncode, json.loads(same.stdout)["changes"]) == (0, [])


def test_what_monitoring_polls_is_not_the_run_before(tmp_path: Path, granting: str) -> None:
    """The two lines of README's crontab: what becomes worse between them is told to whoever compares."""
    state = tmp_path / "state"
    run(state, "check", "kernel", "--host", granting, "--changes")
    for form in ("prometheus", "nagios"):
        run(state, "check", "kernel", "--demo", "--format", form)
    worse = run(state, "check", "kernel", "--demo", "--changes")
    assert worse.returncode == 2
    assert "worse    kernel.overcommit: pass before, warn now" in worse.stdout
    assert run(state, "check", "kernel", "--demo", "--changes").returncode == 0
    assert "kernel" in run(state, "report").stdout  # it is remembered all the same


def test_where_monitoring_alone_has_looked_there_is_no_run_before(tmp_path: Path) -> None:
    run(tmp_path, "check", "kernel", "--demo", "--format", "nagios")
    done = run(tmp_path, "check", "kernel", "--demo", "--changes")
    assert "no run before" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize("ends", [True, False])
def test_what_counts_again_is_news_once(tmp_path: Path, ends: bool) -> None:
    run(tmp_path, "ack", "kernel.overcommit", "--reason", "known", "--until", "2999-01-31")
    compared = ("check", "kernel.overcommit", "--demo", "--changes")
    assert run(tmp_path, *compared).returncode == 0
    assert run(tmp_path, *compared).returncode == 0
    if ends:
        path = tmp_path / "acknowledgements.json"
        path.write_text(path.read_text().replace("2999-01-31", "2026-01-31"))
    else:
        run(tmp_path, "ack", "kernel.overcommit", "--remove")
    again = run(tmp_path, *compared, "--json")
    assert (again.returncode, json.loads(again.stdout)["changes"]) == (2, [])
    assert run(tmp_path, *compared).returncode == 0


def test_a_run_before_of_another_server_is_named(tmp_path: Path) -> None:
    run(tmp_path, "check", "kernel", "--demo")
    other = run(tmp_path, "check", "kernel", "--demo", "--hostname", "mx.example.net", "--changes")
    assert other.stderr == "mailcow-wizard: the run before this one was of mail.example.org\n"
    same = run(tmp_path, "check", "kernel", "--demo", "--hostname", "mx.example.net", "--changes")
    assert same.stderr == ""


def test_a_run_of_some_checks_leaves_the_memory_of_the_others(tmp_path: Path, granting: str) -> None:
    run(tmp_path, "check", "kernel", "--demo")
    run(tmp_path, "check", "time", "--demo")
    done = run(tmp_path, "check", "kernel", "--host", granting, "--changes", "--json")
    assert [one["id"] for one in json.loads(done.stdout)["changes"]] == ["kernel.overcommit"]


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("pass", "fail", True),
        ("warn", "fail", True),
        ("pass", "unknown", True),
        (None, "fail", True),
        (None, "pass", False),
        ("fail", "warn", False),
        ("fail", None, False),
        ("pass", "skipped", False),
        ("unknown", "pass", False),
    ],
)
def test_what_is_bad_news(before: str | None, after: str | None, worse: bool) -> None:
    assert Difference("x", None, before, after).worse is worse


@pytest.mark.parametrize("content", ["", "[]", '{"run": 7, "statuses": [1, [1, 2, 3], ["a", null, "odd"]]}'])
def test_a_damaged_memory_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "last-run.json").write_text(content)
    memory = Memory(StateDirectory(str(tmp_path)), recorded=False)
    assert (memory.run(), memory.empty) == (None, True)


def test_there_is_no_report_before_a_run(tmp_path: Path) -> None:
    done = run(tmp_path, "report")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)


def test_the_report_is_the_last_run(tmp_path: Path) -> None:
    seen = json.loads(run(tmp_path, "check", "ports", "--demo", "--json").stdout)
    told = run(tmp_path, "report", "--demo", "--format", "json")
    assert (told.returncode, json.loads(told.stdout)) == (0, seen)
    text = run(tmp_path, "report", "--demo").stdout
    assert text.startswith("# mailcow: `mail.example.org`\n")
    assert "### SMTP (25) (`ports.smtp`)" in text


class Tags(HTMLParser):
    """Which elements and attributes a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links |= {value or "" for name, value in attrs if name in ("src", "href")}
        assert not any(name.startswith("on") for name, _ in attrs)


def test_the_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    run(tmp_path, "check", "--demo")
    page = run(tmp_path, "report", "--demo", "--format", "html").stdout
    tags = Tags(page)
    assert not tags.seen & {"script", "link", "img", "iframe", "object", "base", "form"}
    assert all(one.startswith("https://") for one in tags.links)
    assert "url(" not in page
    assert "@import" not in page


def test_names_of_the_machine_are_no_markup_in_any_form(tmp_path: Path) -> None:
    evil = finding("fail", "<script>alert(1)</script> `**x**` | [a](b)")
    state = StateDirectory(str(tmp_path))
    from mailcow_wizard.report.document import of_run

    Memory(state, recorded=False).keep((), [evil], of_run("mail.example.org", 0.0, 0.0, [evil]))
    assert "<script" not in run(tmp_path, "report", "--format", "html").stdout
    text = run(tmp_path, "report").stdout
    assert "\\<script\\>" in text
    assert "\\*\\*x\\*\\*" in text


def test_masks_hide_addresses_and_own_domains_and_nothing_else() -> None:
    row = {
        "id": "dns.ptr",
        "subject": "192.88.99.10",
        "summary": "192.88.99.10 (10.99.88.192.in-addr.arpa, host-192-88-99-10.isp.net) is Mail.Example.org",
        "found": "127.0.0.1 10.1.2.3 2d00:113::10 github.com 1.2.3 version 28.5.2 12:30:00",
        "doc": "https://docs.example.org/",
    }
    run = {"hostname": "mail.example.org", "checks": [row, {"id": "dns.mx", "subject": "other.example"}]}
    shown = json.dumps(masked(run))
    assert "192.88" not in shown
    assert "99.10" not in shown
    assert "99-10" not in shown
    assert "2d00:113" not in shown
    assert "other.example" not in shown
    assert re.search(r"is mail\.domain-1\.example\b", shown, re.IGNORECASE)
    for kept in ("127.0.0.1", "10.1.2.3", "github.com", "28.5.2", "12:30:00", "https://docs.example.org/"):
        assert kept in shown
    assert masked(run)["checks"][0]["subject"] == "address-1"


def test_a_report_in_another_language_says_that_its_findings_are_not(tmp_path: Path) -> None:
    run(tmp_path, "check", "kernel", "--demo", "--lang", "en")
    assert run(tmp_path, "report", "--demo", "--lang", "en").stderr == ""
    done = run(tmp_path, "report", "--demo", "--lang", "de")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "Sprache" in done.stderr
    run(tmp_path, "check", "kernel", "--demo", "--lang", "de")
    assert run(tmp_path, "report", "--demo", "--lang", "de").stderr == ""


_KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvCLClsrQZySGfLLclfE1JTLfa8y12d5bwIxl+Q/AB=="
LEAKS = {
    "192.88.99.10": "192.88",
    "reverse, before it stands there as it is: 10.99.88.192.host.isp.net": "99.88",
    "192-088-099-010.host.isp.net": "088",
    "99.88.192.in-addr.arpa": "99.88.192",
    "10.99.88.192.in-addr.arpa.": "99.88.192",
    "192.88.99.0/24": "192.88",
    "2d00:113:0:5::10": "113",
    "2D00:0113:0000:0005:0000:0000:0000:0010": "0113",
    "[2d00:113:0:5::10]:25": "113",
    "v=spf1 ip6:2d00:113:0:5::10 +ip6:2d00:113::/48 -all": "113",
    "pass for 2d00:113:0:5::10: by mx; addr:2d00:113::10": "113",
    "from [IPv6:2d00:113:0:5:0:0:0:10] source:2d00:113::10:": "113",
    "2d00:113:0:5::/64": "113",
    "::ffff:192.88.99.10": "99.10",
    "0:0:0:0:0:ffff:192.88.99.10": "99.10",
    "64:ff9b::192.88.99.10": "99.10",
    "2d00-113-0-5--10.host.isp.net": "113",
    "5.0.0.0.0.0.0.0.3.1.1.0.0.0.d.2.ip6.arpa": "3.1.1",
    "3.1.1.0.0.0.d.2.ip6.arpa": "3.1.1",
    "vps-8a3b21.isp.net": "8a3b21",
    "VPS-8A3B21.isp.net.": "8A3B21",
    "kiste.home.lan": "kiste",
    "xn--bcher-kva.example": "kva",
    "bücher.example": "bücher",
    "mx.BÜCHER.example": "BÜCHER",
    "rua=mailto:jane.doe@example.org": "jane",
    "jane+dmarc@elsewhere.example.net": "jane",
    "janes-box.example.org": "janes",
    "3 1 1 " + "ab12" * 16: "ab12",
}


@pytest.mark.parametrize("tongue", ["en", "de"])
@pytest.mark.parametrize("form", ["markdown", "json", "html"])
def test_masks_hide_every_spelling(form: str, tongue: str) -> None:
    use(tongue)
    try:
        shown = as_text(masked_run(), form, mask=True)
    finally:
        use("en")
    decoded = html_module.unescape(re.sub(r"\\([_.-])", r"\1", shown))
    decoded = json.dumps(json.loads(decoded), ensure_ascii=False) if form == "json" else decoded
    assert [text for text, leak in LEAKS.items() if leak in decoded] == []
    assert "jdoe" not in decoded
    assert _KEY[:40] not in decoded
    for kept in ("127.0.0.1", "10.1.2.3", "github.com", "ip6.arpa", "elsewhere.example.net"):
        assert kept in decoded


def masked_run() -> dict[str, Any]:
    """A run that says all of these, each in evidence, in a remedy and in what was found."""
    texts = [*LEAKS, "127.0.0.1 10.1.2.3 github.com"]
    accepted = Acknowledgement("known to jane@example.org", "jdoe", "2026-11-28T12:00:00Z", None)
    seen = tuple(Evidence("dig -x", text) for text in texts)
    some = [
        finding("fail", id="ports.smtp")._replace(found=texts[1], remedies=tuple(texts), evidence=seen),
        finding("fail", id="dns.ptr", subject="192.88.99.10")._replace(
            evidence=(Evidence("dig +short 10.99.88.192.in-addr.arpa PTR", "vps-8a3b21.isp.net"),)
        ),
        finding("warn", id="config.hostname")._replace(evidence=(Evidence("hostname -f", "kiste.home.lan"),)),
        finding("warn", id="dns.mx", subject="xn--bcher-kva.example")._replace(acknowledged=accepted),
        finding("fail", id="dns.tlsa", subject="example.org")._replace(found="3 1 1 " + "ab12" * 16),
        finding("warn", id="dns.dkim", subject="example.org")._replace(
            found=f"v=DKIM1; k=rsa; p={_KEY}", evidence=(Evidence("dig +short TXT", f'"p={_KEY[:70]}…"'),)
        ),
    ]
    some[0] = some[0]._replace(
        evidence=tuple(one for one in seen if "ab12" not in one.value),
        remedies=tuple(one for one in texts if "ab12" not in one),
        fixes=tuple(Fix("bind-address", one, "low", True, True) for one in texts if "ab12" not in one),
    )
    return of_run("janes-box.example.org", 1_700_000_000.0, 0.25, some)


def test_nagios_is_told_the_worst_first() -> None:
    text, code = nagios([finding("warn", id="a.b"), finding("fail", "a|b", subject="x"), finding("pass")])
    assert code == 2
    first, *rest = text.splitlines()
    assert first == (
        "MAILCOW CRITICAL - ports.smtp [x]: a/b | pass=1 warn=1 fail=1 unknown=0 skipped=0 crashed=0"
    )
    assert len(rest) == 2
    assert nagios([finding("warn")])[1] == 1
    assert nagios([finding("unknown")])[1] == 3
    assert nagios([finding("pass")]) == (
        "MAILCOW OK - nothing is wrong | pass=1 warn=0 fail=0 unknown=0 skipped=0 crashed=0\n",
        0,
    )


def test_a_long_sentence_for_nagios_ends_at_a_word_and_with_a_mark() -> None:
    names = "mx.example.org, autodiscover.example.org,"
    summary = (
        f"the certificate on ports 465, 993, 995, 443 is for {names} autoconfig.example.org, not for others"
    )
    first = nagios([finding("fail", summary, id="mail.certificate")])[0].partition(" | ")[0]
    shown = f"the certificate on ports 465, 993, 995, 443 is for {names}..."
    assert first == f"MAILCOW CRITICAL - mail.certificate: {shown}"
    assert f"ports.smtp: {'x' * 108} | " in nagios([finding("fail", "x" * 108)])[0]


def test_nagios_is_told_what_was_acknowledged() -> None:
    accepted = finding("fail")._replace(
        acknowledged=Acknowledgement("known", "root", "2026-11-28T12:00:00Z", None)
    )
    text, code = nagios([accepted, finding("pass")])
    assert (code, text.partition(" |")[0]) == (0, "MAILCOW OK - nothing else is wrong (1 acknowledged)")
    assert nagios([accepted, finding("warn", id="a.b")])[0].startswith("MAILCOW WARNING - a.b: ")


def test_where_nothing_was_proved_nagios_is_not_told_that_all_is_well() -> None:
    skipped = [finding("skipped", id="mail.ports"), finding("skipped", id="mail.relay")]
    text, code = nagios(skipped, proof=True)
    assert (code, text.split(":")[0]) == (3, "MAILCOW UNKNOWN - mail.ports")
    assert nagios([*skipped, finding("pass")], proof=True)[1] == 0
    assert nagios(skipped)[1] == 0


def test_prometheus_is_told_in_its_own_format() -> None:
    text = prometheus([finding("fail", subject='a"b\\c')], 1_700_000_000.0, 0.25)
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(
            r'[a-z_]+(\{([a-z]+="(\\\\|\\"|\\n|[^"\\\n])*",?)+\})? [0-9.]+', line
        ), line
    assert 'id="ports.smtp",subject="a\\"b\\\\c",step="ports",status="fail"' in text
    assert 'mailcow_wizard_findings{status="fail"} 1' in text


def test_formats_and_their_exit_codes(tmp_path: Path) -> None:
    assert run(tmp_path, "check", "ports", "--demo", "--format", "nagios").returncode == 2
    assert run(tmp_path, "check", "ports", "--demo", "--format", "prometheus").returncode == 1
    assert run(tmp_path, "verify", "--demo", "--format", "nagios").returncode == 3
    for words in (
        ("check", "--format", "html"),
        ("report", "--format", "nagios"),
        ("report", "x"),
        ("undo", "--mask"),
    ):
        done = run(tmp_path, *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
