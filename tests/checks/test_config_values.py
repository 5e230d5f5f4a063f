"""Every branch of the judges that hold mailcow.conf against the machine: name, timezone, Compose, shell."""

import pytest

from mailcow_wizard.checks import config_environment, config_values
from mailcow_wizard.facts.compose import Compose
from mailcow_wizard.facts.config_values import ConfCompose, ConfZone, ServerName
from mailcow_wizard.facts.environment import HERE, Environment, Leak
from mailcow_wizard.model import Judgement

PATH = "/opt/mailcow-dockerized/mailcow.conf"
SKIP = "mailcow is not installed yet: /opt/mailcow-dockerized is not there"


def hostname(
    configured: str | None = "mail.example.org",
    name: str = "",
    origin: str = "mailcow.conf",
    own: str = "mail.example.org",
    domains: tuple[str, ...] = ("example.org",),
) -> Judgement:
    found = ServerName(PATH, configured, name or configured or "", origin, own, (), domains)
    return config_values.judge_hostname(found)


@pytest.mark.parametrize(
    ("name", "status", "part"),
    [
        ("mail.example.org", "pass", "called mail.example.org"),
        ("mx.mail.example.org", "pass", "mx.mail"),
        ("", "fail", "not set"),
        ("mail", "fail", "no full name"),
        ("mail.example.org.", "fail", "dot"),
        ("mail..example.org", "fail", "cannot be"),
        ("-mail.example.org", "fail", "cannot be"),
        ("mail_1.example.org", "fail", "cannot be"),
        ("192.0.2.1", "fail", "address"),
        ("$(touch /x).example.org", "fail", "cannot be"),
        ("mail." + "a" * 64 + ".org", "fail", "cannot be"),
        ("postfach.müller.example", "fail", "xn--"),
        ("example.com", "warn", "one dot"),
        ("example.org", "fail", "mail domain itself"),
        ("Mail.Example.org", "warn", "capital"),
        ("mail.example.local", "warn", ".local"),
        ("mail.home.lan", "warn", ".lan"),
    ],
)
def test_names(name: str, status: str, part: str) -> None:
    said = hostname(name)
    assert said.status == status
    assert part in said.summary
    assert bool(said.remedies) == (status != "pass")


def test_the_machine_s_own_name() -> None:
    assert hostname(own="vps123.provider.example").status == "pass"
    assert "vps123.provider.example" in hostname(own="vps123.provider.example").summary
    for own in ("vm", "", "localhost.localdomain"):
        said = hostname(own=own)
        assert (said.status, said.severity) == ("warn", "advice")
    assert "calls itself" not in hostname("mail", own="vm").found


def test_another_name_was_said_than_the_file_has() -> None:
    said = hostname(name="mx.example.net", origin="option")
    assert said.status == "warn"
    assert "mx.example.net" in said.summary
    assert hostname(name="MAIL.example.org", origin="option").status == "pass"


def test_before_the_install() -> None:
    assert hostname(None, "mail.example.org", "option").status == "pass"
    assert hostname(None, "mail", "saved").status == "fail"
    guess = hostname(None, "mail.example.org", "guess")
    assert (guess.status, guess.certainty) == ("pass", "inferred")
    assert hostname(None, "vm", "guess", own="vm").status == "warn"
    assert hostname(None, "", "guess", own="").status == "warn"


@pytest.mark.parametrize(
    ("found", "status", "part"),
    [
        (ConfZone("", "Europe/Berlin", True, "Europe/Berlin"), "pass", "Europe/Berlin"),
        (ConfZone("", "Europe/Berlin", True, "Etc/UTC"), "pass", "this machine's is Etc/UTC"),
        (ConfZone("", "Europe/Berlin", True, ""), "pass", "Europe/Berlin"),
        (ConfZone("", "", False, "Etc/UTC"), "warn", "not set"),
        (ConfZone("", "", None, ""), "warn", "not set"),
        (ConfZone("", "Europe/Berlln", False, ""), "fail", "no timezone"),
        (ConfZone("", "Europe/Berlin", None, ""), "unknown", "not known"),
        (ConfZone(SKIP, "", None, ""), "skipped", "not installed"),
    ],
)
def test_timezone(found: ConfZone, status: str, part: str) -> None:
    said = config_values.judge_timezone(found)
    assert said.status == status
    assert part in said.summary


def test_the_zone_is_shown_with_the_whole_path_of_its_file() -> None:
    said = config_values.judge_timezone(ConfZone("", "Etc/UTC", True, "", "/opt/my mail/mailcow.conf"))
    assert said.evidence[0].what == "grep ^TZ= '/opt/my mail/mailcow.conf'"


BOTH = Compose("2.29.7", "2.20.0", True, "")
PLUGIN = Compose("5.0.1", "", True, "")
PROGRAM = Compose("", "2.20.0", True, "")
NEITHER = Compose("", "", False, "")
OLD = Compose("", "1.29.2", True, "")
SILENT = Compose("", "", True, "docker did not end within 5 s")


@pytest.mark.parametrize(
    ("value", "installed", "status"),
    [
        ("native", BOTH, "pass"),
        ("native", PLUGIN, "pass"),
        ("standalone", BOTH, "pass"),
        ("standalone", PROGRAM, "pass"),
        ("native", PROGRAM, "fail"),
        ("standalone", PLUGIN, "fail"),
        ("native", NEITHER, "unknown"),
        ("native", SILENT, "unknown"),
        ("standalone", OLD, "unknown"),
        ("", PLUGIN, "warn"),
        ("", NEITHER, "warn"),
        (None, PLUGIN, "warn"),
        ("v2", PLUGIN, "fail"),
        ("v2", PROGRAM, "fail"),
        ("Native", BOTH, "fail"),
    ],
)
def test_compose(value: str | None, installed: Compose, status: str) -> None:
    said = config_values.judge_compose(ConfCompose("", PATH, value, installed))
    assert said.status == status
    assert bool(said.remedies) == (status != "pass")


def test_compose_before_the_install() -> None:
    assert config_values.judge_compose(ConfCompose(SKIP, PATH, None, NEITHER)).status == "skipped"


def test_flavour_is_chosen_as_mailcow_does() -> None:
    assert [one.flavour for one in (BOTH, PLUGIN, PROGRAM, NEITHER, OLD)] == [
        "native",
        "native",
        "standalone",
        "",
        "",
    ]
    assert Compose("1.29.0", "2.20.0", True, "").flavour == ""


def test_all_flavours_that_mailcow_takes() -> None:
    found = [one.flavours for one in (BOTH, PLUGIN, PROGRAM, NEITHER, OLD)]
    assert found == [("native", "standalone"), ("native",), ("standalone",), (), ()]


@pytest.mark.parametrize(
    ("found", "status", "certainty"),
    [
        (Environment("", (), ()), "pass", "proved"),
        (Environment("", (), ("/root/.profile",)), "unknown", "untested"),
        (Environment("", (Leak("TZ", HERE),), ()), "warn", "proved"),
        (Environment("", (Leak("TZ", "/etc/environment, line 2"),), ("/root/.profile",)), "warn", "inferred"),
        (Environment(SKIP, (), ()), "skipped", "untested"),
    ],
)
def test_leaks(found: Environment, status: str, certainty: str) -> None:
    said = config_environment.judge_env_leak(found)
    assert (said.status, said.certainty) == (status, certainty)
    if found.leaks:
        assert "TZ" in said.summary
        assert said.remedies


def test_many_leaks_are_counted() -> None:
    leaks = tuple(Leak(name, HERE) for name in ("A", "B", "C", "D", "E"))
    said = config_environment.judge_env_leak(Environment("", leaks, ()))
    assert "A, B, C and 2 more" in said.summary
    assert "unset A B C D E" in said.remedies[0]
