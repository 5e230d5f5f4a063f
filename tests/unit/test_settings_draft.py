"""The form for mailcow.conf without its screen: values, reasons, what would be saved."""

from pathlib import Path

import pytest
from fake_host import FakeHost

from mailcow_wizard.conf.layout import KEYS, for_people
from mailcow_wizard.engine.readable import steps
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.settings import (
    FIRST,
    PROXY,
    Draft,
    Problem,
    comment_above,
    field,
    open_draft,
    remember,
)
from mailcow_wizard.facts.volumes import Database
from mailcow_wizard.fixes import NoPlan, conf_new
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.language import use
from mailcow_wizard.model import Edit, Settings

DIRECTORY = "/opt/mailcow-dockerized"
CONF = """\
# The server's name.
MAILCOW_HOSTNAME=mail.example.org
DBPASS=hunter2hunter2
# For the web.
# Two lines.
HTTP_PORT=80
HTTP_BIND=

HTTPS_PORT=443
HTTPS_BIND=
HTTP_REDIRECT=y
SMTP_PORT=25

TZ=Etc/UTC
#API_KEY=
# [removed]
RECORDED=1
"""


@pytest.fixture
def german() -> None:
    """The wizard speaks German."""
    use("de")


def draft(text: str | None = CONF) -> Draft:
    """A draft on a machine with this file."""
    files = {} if text is None else {f"{DIRECTORY}/mailcow.conf": text}
    session = Session(FakeHost(files), Settings(directory=DIRECTORY), StateDirectory("/nonexistent"))
    return open_draft(session)


def test_the_first_install_is_asked_all_that_it_needs() -> None:
    asked = {one.key for one in FIRST}
    needed = {"MAILCOW_HOSTNAME", "TZ", "ENABLE_IPV6", "SKIP_CLAMD", "SKIP_FTS", PROXY, "IPV4_NETWORK"}
    ports = {
        f"{one}_PORT" for one in ("SMTP", "SMTPS", "SUBMISSION", "IMAP", "IMAPS", "POP", "POPS", "SIEVE")
    }
    assert needed | ports | {"HTTP_PORT", "HTTP_BIND", "HTTPS_PORT", "HTTPS_BIND"} <= asked


def test_nothing_is_changed_at_first() -> None:
    new = draft()
    assert new.changed() == ()
    assert new.diff() == ""
    assert new.obstacle() == ("", "")
    assert new.value("MAILCOW_HOSTNAME") == "mail.example.org"
    assert new.value("IPV4_NETWORK") == "172.22.1"  # mailcow's default, where the file does not say
    assert new.value("API_KEY") == ""


def test_a_changed_value_is_one_line_of_the_diff() -> None:
    one = draft()
    one.put("SMTP_PORT", "2525")
    assert one.changed() == ("SMTP_PORT",)
    assert "-SMTP_PORT=25\n+SMTP_PORT=2525" in one.diff()
    assert one.problems()["SMTP_PORT"] == Problem("warning", "other mail servers deliver to port 25 only")
    plan = one.plan()
    assert isinstance(plan.steps[0], Edit)
    assert plan.steps[0].before == CONF.encode()
    assert plan.steps[0].after == CONF.replace("SMTP_PORT=25", "SMTP_PORT=2525").encode()
    assert plan.title == "Set SMTP_PORT in mailcow.conf"
    assert one.by_hand() == "conf set SMTP_PORT=2525"


def test_the_same_value_again_is_no_change() -> None:
    one = draft()
    one.put("SMTP_PORT", "2525")
    one.put("SMTP_PORT", "25")
    assert one.changed() == ()
    assert one.diff() == ""


@pytest.mark.parametrize("value", ["a'b", "a\nb", "\x00"])
def test_what_cannot_be_written_is_kept_aside_with_its_reason(value: str) -> None:
    one = draft()
    one.put("TZ", "Europe/Berlin")
    one.put("TZ", value)
    assert one.value("TZ") == value
    assert one.problems()["TZ"].level == "error"
    assert one.obstacle()[0] == "TZ"
    assert one.diff() == ""
    one.put("TZ", "Europe/Paris")
    assert one.obstacle() == ("", "")


def test_as_in_the_file_again() -> None:
    one = draft()
    one.put("TZ", "Europe/Paris")
    one.put("SKIP_FTS", "y")
    one.take_back("SKIP_FTS")
    assert one.changed() == ("TZ",)
    one.take_back("TZ")
    assert one.changed() == ()
    assert one.diff() == ""


def test_proxy_mode_sets_five_keys_and_keeps_a_port_that_was_chosen() -> None:
    one = draft(CONF.replace("HTTP_PORT=80", "HTTP_PORT=8888"))
    assert one.value(PROXY) == "n"
    one.put(PROXY, "y")
    assert one.value(PROXY) == "y"
    wanted = {"HTTP_BIND": "127.0.0.1", "HTTPS_BIND": "127.0.0.1", "HTTPS_PORT": "8443", "HTTP_REDIRECT": "n"}
    assert one.unsaved() == wanted
    assert one.value("HTTP_PORT") == "8888"
    one.put(PROXY, "n")
    assert one.value("HTTP_PORT") == "80"
    assert one.value("HTTP_REDIRECT") == "y"
    one.take_back(PROXY)
    assert one.changed() == ()


def test_only_what_the_changes_make_wrong_keeps_from_saving() -> None:
    one = draft(CONF.replace("TZ=Etc/UTC", "TZ=Etc/UTC\nACL_ANYONE=perhaps"))
    assert one.problems()["ACL_ANYONE"].level == "error"
    one.put("SMTP_PORT", "2525")
    assert one.obstacle() == ("", "")
    one.put("HTTP_PORT", "x")
    assert one.obstacle()[0] == "HTTP_PORT"


def test_secrets_are_not_in_what_is_shown() -> None:
    one = draft()
    one.put("DBPASS", "topsecret1")
    one.put("SMTP_PORT", "2525")
    shown = one.diff() + one.by_hand() + repr(steps(one.plan())) + repr(one.problems())
    assert "hunter2" not in shown
    assert "topsecret1" not in shown
    assert field("DBPASS").secret
    assert not field("SMTP_PORT").secret


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("MAILCOW_HOSTNAME", "The server's name."),
        ("HTTP_BIND", "For the web. Two lines."),
        ("HTTPS_BIND", "For the web. Two lines."),
        ("TZ", ""),
        ("NOTHING", ""),
        ("RECORDED", ""),
    ],
)
def test_help_is_the_files_own_comment(key: str, said: str) -> None:
    assert comment_above(CONF, key) == said


def test_help_is_harmless_and_ends() -> None:
    assert comment_above("# a\x1b[2J" + "x" * 5000 + "\nTZ=a\n", "TZ").startswith("a\\x1b[2J")
    assert len(comment_above("# " + "x" * 5000 + "\nTZ=a\n", "TZ")) <= 600


def test_what_the_file_does_not_say_of_a_key_mailcow_wizard_does() -> None:
    assert "Timezone" in draft().about("TZ")
    assert "127.0.0.1" in draft().about(PROXY)
    assert draft().about("UNKNOWN_KEY") == ""


def test_german_help_is_german_where_the_key_is_known(german: None) -> None:
    made = draft("# An English remark.\nSMTP_PORT=25\n# My own key.\nOWN_KEY=1\n")
    assert made.about("SMTP_PORT") == for_people(KEYS["SMTP_PORT"])
    assert made.about("OWN_KEY") == "My own key."
    english = {name for name, key in KEYS.items() if for_people(key) in (key.about, key.about[:-6])}
    assert english == set()


def test_every_key_can_be_found() -> None:
    keys = draft(CONF + "OWN_KEY=1\n").keys()
    assert {"OWN_KEY", "DBPASS", "WATCHDOG_VERBOSE", "API_KEY"} <= set(keys)
    assert len(keys) == len(set(keys))


def test_a_file_that_is_no_text_has_no_form() -> None:
    with pytest.raises(NoPlan):
        draft("A=\x00")


def _before_mailcow(place: Path) -> Session:
    settings = Settings(directory=str(place / "mailcow"), hostname="mail.example.org", offline=True)
    return Session(RealHost(), settings, StateDirectory(str(place / "state")))


def test_before_mailcow_is_there_it_is_of_what_an_install_takes(tmp_path: Path) -> None:
    session = _before_mailcow(tmp_path)
    one = open_draft(session)
    assert (one.for_install, one.worth_saving, one.diff()) == (True, False, "")
    assert not {"DBPASS", "API_KEY"} & {*one.keys()}
    other = "n" if one.value("SKIP_CLAMD") == "y" else "y"
    one.put("SKIP_CLAMD", other)
    one.put("HTTP_PORT", "8080")
    assert remember(session, one) == 2
    assert (one.worth_saving, one.unsaved()) == (False, {})
    again = open_draft(session)
    assert [again.value(key) for key in ("SKIP_CLAMD", "HTTP_PORT")] == [other, "8080"]
    (tmp_path / "mailcow").mkdir()
    assert open_draft(session).for_install  # an empty one, as --dir may name
    (tmp_path / "mailcow/docker-compose.yml").touch()
    again.put("HTTP_PORT", "8880")
    with pytest.raises(HostError, match="not empty any more"):
        remember(session, again)
    assert not open_draft(session).for_install


def test_what_was_kept_for_an_install_and_fits_no_more_can_be_changed(tmp_path: Path) -> None:
    session = _before_mailcow(tmp_path)
    session.choose({"HTTP_BIND": "192.0.2.7", "SKIP_FTS": "y"})  # an address that the machine had then
    one = open_draft(session)
    assert one.problems()["HTTP_BIND"].level == "error"
    one.put("SKIP_FTS", "n")
    assert one.obstacle() == ("", "")
    one.put("HTTP_BIND", "")
    assert ("HTTP_BIND" in one.problems(), remember(session, one)) == (False, 2)
    assert session.settings.conf == ("HTTP_BIND=", "SKIP_FTS=n")


def test_beside_a_database_there_is_no_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf_new, "database", lambda facts: Database("mailcowdockerized", ""))
    with pytest.raises(NoPlan, match="the database of mailcowdockerized is still there"):
        open_draft(_before_mailcow(tmp_path))


def test_a_file_of_another_user_needs_root_to_change() -> None:
    one = draft()
    one.put("TZ", "Europe/Paris")
    assert one.plan().needs_root
