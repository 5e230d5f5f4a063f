"""Records by a provider's API: the program against a package that stands in for dns-lexicon."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from dns_world import DOMAIN, facts
from lab.inside import CHECKOUT
from provider_stand_in import TOKEN, Provider

from mailcow_wizard.facts.dns.push import push
from mailcow_wizard.fixes import dns_records
from mailcow_wizard.host.processes.commands import downloads
from mailcow_wizard.host.processes.doing import _handed_on
from mailcow_wizard.host.programs import lexicon
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.model import Command, Settings


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    """A provider without records."""
    return Provider(tmp_path)


def lines(command: Command, back: bool = False) -> list[str]:
    """The words of a plan's command behind the zone."""
    return list((command.undo[0] if back else command.argv)[6:])


def commands(*rows: tuple[tuple[str, str], str | tuple[str, ...]]) -> list[Command]:
    """What a push by the provider would run in a world of these records."""
    world = facts({(DOMAIN, "SOA"): f"ns.example.net. admin.{DOMAIN}. 1 2 3 4 60", **dict(rows)})
    world.settings = world.settings._replace(dns_provider="acme")
    found = world.get(push)
    assert "SRV" not in {one.type for one in found.entries}
    plan = dns_records.plan(world, found.entries, found.left, ("dns.mx", DOMAIN))
    made = [one for one in plan.steps if isinstance(one, Command)]
    for one in made:
        assert one.argv[:6] == (*program("dns_provider"), "--provider", "acme", "--zone", DOMAIN)
    return made


def test_published_and_taken_back(provider: Provider) -> None:
    made = commands()
    for one in made:
        assert provider.run(*lines(one)) == (0, "done")
        assert provider.run(*lines(one)) == (0, "it is so already")
    assert ("CNAME", f"autoconfig.{DOMAIN}", f"mail.{DOMAIN}.") in provider.rows()
    assert ("TXT", DOMAIN, "v=spf1 mx a -all") in provider.rows()
    for one in reversed(made):
        assert provider.run(*lines(one, back=True)) == (0, "done")
    assert provider.rows() == []


def test_priority_of_mx(provider: Provider) -> None:
    assert provider.run(f"update add {DOMAIN}. 600 MX 10 mail.{DOMAIN}.") == (0, "done")
    row = json.loads(provider.path.read_text())[0]
    assert (row["content"], row["priority"], row["ttl"]) == (f"mail.{DOMAIN}.", "10", 600)


def test_merged_in_its_place(provider: Provider) -> None:
    old, theirs = "v=spf1 ip4:203.0.113.9 -all", "site-verification=1"
    provider.has(("TXT", DOMAIN, f'"{theirs}"'), ("TXT", DOMAIN, f'"{old[:9]}" "{old[9:]}"'))
    before = provider.rows()
    made = next(one for one in commands(((DOMAIN, "TXT"), (old, theirs))) if old in " ".join(one.argv))
    assert provider.run(*lines(made)) == (0, "done")
    assert provider.rows() == [
        ("TXT", DOMAIN, f'"{theirs}"'),
        ("TXT", DOMAIN, "v=spf1 ip4:203.0.113.9 mx -all"),
    ]
    assert provider.run(*lines(made, back=True)) == (0, "done")
    assert provider.rows() == [before[0], ("TXT", DOMAIN, old)]


@pytest.mark.parametrize(
    "rows",
    [
        [("MX", DOMAIN, "mx.elsewhere.example")],
        [("CNAME", DOMAIN, "www.elsewhere.example.")],
        [("MX", DOMAIN, "mx1.elsewhere.example"), ("MX", DOMAIN, "mx2.elsewhere.example")],
    ],
)
def test_what_came_in_between_stays(rows: list[tuple[str, str, str]], provider: Provider) -> None:
    provider.has(*rows)
    made = next(one for one in commands(((DOMAIN, "MX"), ())) if " MX " in one.argv[-1])
    code, said = provider.run(*lines(made))
    assert (code, "was changed since, and stays as it is" in said) == (1, True)
    assert provider.rows() == rows


def test_an_edited_text_is_not_taken_back(provider: Provider) -> None:
    edited = [("TXT", DOMAIN, "v=spf1 mx include:others.example -all")]
    provider.has(*edited)
    back = (
        "--others-may-change",
        f'prereq yxrrset {DOMAIN}. TXT "v=spf1 mx -all"',
        f'update delete {DOMAIN}. TXT "v=spf1 mx -all"',
        f'update add {DOMAIN}. 300 TXT "v=spf1 -all"',
    )
    assert provider.run(*back)[0] == 1
    assert provider.rows() == edited


def test_a_wrong_token_is_said_without_it(provider: Provider) -> None:
    code, said = provider.run(f"update add {DOMAIN}. 60 A 192.0.2.1", token=TOKEN[::-1])
    assert (code, provider.rows()) == (1, [])
    assert said == "acme refuses: ValueError: 401 for https://api.example.net/"


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the very Python that runs it: that of a checkout has no pip, and no shell finds it."""
    argv = [sys.executable, "-m", "mailcow_wizard", "dns", "--push", "--provider", "hetzner", "--yes"]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    if "get it with: " not in done.stderr:
        pytest.skip("dns-lexicon is installed here")
    assert (done.returncode, done.stdout) == (64, "")
    shell = done.stderr.rstrip().partition("get it with: ")[2]
    assert shell == f"{sys.executable} -m ensurepip && {sys.executable} -m pip install '{lexicon.WANTED}'"
    assert f'"{lexicon.WANTED}"' in (CHECKOUT / "pyproject.toml").read_text()
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)  # as it is where the launcher starts it
    assert lexicon.obstacle("hetzner").endswith(shell)
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert lexicon.obstacle("hetzner").endswith("./wizard in a checkout tells the way")


def test_credentials_go_to_our_own_program_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXICON_ACME_AUTH_TOKEN", TOKEN)
    ours = (*program("dns_provider"), "--provider", "acme")
    assert (downloads(ours), downloads(program("dns_update"))) == (True, False), "a proxy leads there, too"
    assert _handed_on(ours) == {"LEXICON_ACME_AUTH_TOKEN": TOKEN}
    assert _handed_on(("apt-get", "install")) == {}
    assert _handed_on(program("dns_update")) == {}
    assert "dns_provider" in Settings._fields
