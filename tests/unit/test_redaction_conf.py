"""What of mailcow.conf is shown: what is not plainly KEY=VALUE may be a piece of a password."""

from pathlib import Path

import pytest

from mailcow_wizard.conf.layout import KEYS
from mailcow_wizard.conf.rules import lint
from mailcow_wizard.engine.diff import HIDDEN, secrets_of, unified
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.recording.scrub import scrub
from mailcow_wizard.model import Edit, Settings
from mailcow_wizard.redaction import REMOVED, configuration, is_secret
from tests.fake_host import FakeHost

NEW = (Path(__file__).parent.parent / "conf" / "new.conf").read_text()
PATH = "/opt/mailcow-dockerized/mailcow.conf"
SECRET = "SEKRET21abc"

# A piece of a file with a secret where nobody expects one, and how it is shown.
PIECES = {
    f"DBPASS=\n{SECRET}": f"DBPASS=\n{REMOVED}",
    f"DBPASS=abc\n{SECRET}=": f"DBPASS={REMOVED}\n{REMOVED}",
    f"DBPASS=abc\n{SECRET}==": f"DBPASS={REMOVED}\n{REMOVED}",
    f"DBPASS=abc\n+{SECRET}/x": f"DBPASS={REMOVED}\n{REMOVED}",
    f"DBROOT=abc\\\n{SECRET}": f"DBROOT={REMOVED}\n# {REMOVED}",
    f"DBROOT=abc\\\nX={SECRET}": f"DBROOT={REMOVED}\n# {REMOVED}",
    f"DBPASS {SECRET}": f"DBPASS {REMOVED}",
    f"#DBPASS {SECRET}": f"#DBPASS {REMOVED}",
    f"# DBPASS is {SECRET} since may": f"# DBPASS {REMOVED}",
    f"# old DBPASS {SECRET}": f"# old DBPASS {REMOVED}",
    f"# password {SECRET}": f"# password {REMOVED}",
    f"Dbpass {SECRET}": REMOVED,
    f"TZ=UTC # DBPASS {SECRET}": f"TZ=UTC # DBPASS {REMOVED}",
    f"FOO=bar DBPASS={SECRET}": f"FOO=bar DBPASS={REMOVED}",
    f"ADDITIONAL_SAN=a DBPASS {SECRET}": f"ADDITIONAL_SAN=a DBPASS {REMOVED}",
    f"SMTP_PW={SECRET}": f"SMTP_PW={REMOVED}",
    f"export MYSQL_PWD={SECRET}": f"export MYSQL_PWD={REMOVED}",
    f"#RELAYHOST_CRED={SECRET}": f"#RELAYHOST_CRED={REMOVED}",
    f"REDISPASS='a\n{SECRET}'": f"REDISPASS={REMOVED}\n# {REMOVED}",
    f"REDISPASS='a\n{SECRET}\nb": f"REDISPASS={REMOVED}\n# {REMOVED}\n# {REMOVED}",
    f"if true; then DBPASS={SECRET}; fi": REMOVED,
    f"X_{SECRET}": REMOVED,
}


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_that_holds_a_secret(piece: str) -> None:
    around = "# words, it's a comment\nTZ=Europe/Berlin\n\n{}\n\n# more\n#API_KEY=\nSKIP_FTS=y\n"
    assert configuration(around.format(piece)) == around.format(PIECES[piece])


def test_what_is_no_secret_is_shown() -> None:
    shown = configuration(NEW)
    removed = [line.partition("=")[0] for line in shown.split("\n") if REMOVED in line]
    assert removed == [
        line.partition("=")[0]
        for line in NEW.split("\n")
        if line.partition("=")[2] and is_secret(line.partition("=")[0].strip("# "))
    ]


def test_a_quote_without_end_hides_no_settings() -> None:
    text = NEW.replace("REDISPASS=", "REDISPASS='", 1)
    assert "\nTZ=Europe/Berlin\n" in configuration(text)
    before, after = text.encode(), text.replace("TZ=Europe/Berlin", "TZ=Etc/UTC").encode()
    assert "-TZ=Europe/Berlin\n+TZ=Etc/UTC\n" in unified(Edit(PATH, before, after))


@pytest.mark.parametrize("piece", [one for one in PIECES if "since may" not in one])
def test_no_output_has_it(piece: str) -> None:
    text = NEW + piece + "\n"
    for one in lint(text.encode()):
        said = f"{one.key} {one.message} {one.remedy}"
        assert "SEKRET" not in said
    assert "SEKRET" not in unified(
        Edit(PATH, text.encode(), text.replace("SKIP_FTS", "X").encode() + b"A=1\n")
    )
    assert b"SEKRET" not in scrub("read", (PATH,), text.encode())
    assert any("SEKRET" in one for one in secrets_of(PATH, text.encode()))
    host = FakeHost(files={PATH: text})
    seen = mailcow_conf(Facts(host, Settings()))
    assert "SEKRET" not in str(list(seen.odd.values()))
    assert "SEKRET" not in str([seen.values.get(key) for key in KEYS if not is_secret(key)])


@pytest.mark.parametrize("key", ["SMTP_PORT", "HTTP_BIND", "TZ", "MAILCOW_HOSTNAME", "ADDITIONAL_SAN"])
def test_settings_that_were_joined_are_not_guessed_at(key: str) -> None:
    text = "".join(
        f"{key}=x DBPASS={SECRET}\n" if one.startswith(f"{key}=") else f"{one}\n"
        for one in NEW.removesuffix("\n").split("\n")
    )
    found = lint(text.encode())
    assert any(one.level == "error" for one in found)
    assert all(SECRET not in f"{one.message} {one.remedy}" for one in found)
    assert all(one.fix is None for one in found if one.key == key and one.rule == "space-in-value")


def test_a_recording_holds_no_remarks() -> None:
    text = f"# the old one was {SECRET}\nTZ=UTC # and {SECRET}\n#API_ALLOW_FROM=192.0.2.1\nA='b # c'\n#\n"
    kept = scrub("read", (PATH,), text.encode()).decode()
    assert kept == f"# {REMOVED}\nTZ=UTC # {REMOVED}\n#API_ALLOW_FROM=192.0.2.1\nA='b # c'\n#\n"


def test_what_is_shown_of_a_secret_is_a_mark() -> None:
    shown = unified(Edit(PATH, b"DBPASS=\nabc\n", b"DBPASS=\nabd\n"))
    assert f"-{HIDDEN}\n+{HIDDEN}\n" in shown


@pytest.mark.parametrize(
    "key",
    [
        "SMTP_PW",
        "MYSQL_PWD",
        "ROOTPW",
        "PWD_MAIL",
        "RELAYHOST_CRED",
        "credentials",
        "REDIS_AUTH",
        "X_SALT",
        "OTP",
    ],
)
def test_names_of_secrets(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize(
    "key", ["PWD", "OLDPWD", "AUTHOR", "WEBAUTHN_ONLY_TRUSTED_VENDORS", "PINS", "UPWARD"]
)
def test_names_of_no_secrets(key: str) -> None:
    assert not is_secret(key)
