"""A mailcow.conf with a line from which on a reader reads nothing: nothing is set that nobody would read."""

from pathlib import Path

import pytest

from mailcow_wizard.conf.document import Document
from mailcow_wizard.conf.reading import KEPT
from mailcow_wizard.conf.rules import lint
from mailcow_wizard.conf.shell_values import OWN
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.fixes.mailcow_conf import changed

NEW = (Path(__file__).parent.parent / "conf" / "new.conf").read_text()
LINE = NEW.split("\n").index("SKIP_FTS=n") + 1


def broken(line: str) -> bytes:
    """The file with this in the place of SKIP_FTS."""
    return NEW.replace("\nSKIP_FTS=n\n", f"\n{line}\n").encode()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("X='a", f"the value in line {LINE} goes on over several lines"),
        ('X="a', f"from line {LINE} on"),
        ("X=a(b)", f"bash reads nothing of this file from line {LINE} on"),
        ("A B=1", f"docker compose reads nothing of this file because of line {LINE}"),
    ],
)
def test_refused_where_nobody_would_read_it(line: str, words: str) -> None:
    assert Document.read(broken(line)).unread(())
    for values in ({"TZ": "Etc/UTC"}, {"SOGO_EXPIRE_SESSION": "60"}, {"OWN": "1"}, {"TZ": "Europe/Berlin"}):
        with pytest.raises(Unwritable, match=words):
            changed(broken(line), values)


def test_the_line_itself_can_be_set() -> None:
    for line in ("SKIP_FTS='a", 'SKIP_FTS="a', "SKIP_FTS=a(b)", "export SKIP_FTS='n"):
        assert changed(broken(line), {"SKIP_FTS": "n"}).data.decode() == NEW
    made = changed(broken("SKIP_FTS=a(\nSKIP_SOGO=(b"), {"SKIP_FTS": "n", "SKIP_SOGO": "n"})
    assert Document.read(made.data).get("SKIP_FTS") == "n"
    with pytest.raises(Unwritable, match=f"line {LINE + 1}"):
        changed(broken("SKIP_FTS=a(\nSKIP_SOGO=(b"), {"SKIP_FTS": "n"})


def test_the_last_quote_is_missing() -> None:
    line = NEW.count("\n") + 1
    with pytest.raises(Unwritable, match=f"from line {line} on; docker compose reads nothing of it at all"):
        changed(f"{NEW}X='a\n".encode(), {"TZ": "Etc/UTC"})


def test_behind_a_program_nothing_is_certain() -> None:
    text = broken("SKIP_FTS=n; exit 0")
    assert changed(text, {"MAILCOW_HOSTNAME": "mail.example.net"})
    with pytest.raises(Unwritable, match=f"from line {LINE} on is not certain"):
        changed(text, {"SPAMHAUS_DQS_KEY": "abc"})


@pytest.mark.parametrize("key", sorted(KEPT | OWN))
def test_keys_of_the_shell(key: str) -> None:
    with pytest.raises(Unwritable, match=f"{key}: "):
        changed(NEW.encode(), {key: "5"})
    found = [one for one in lint(f"{NEW}{key}=5\n".encode()) if one.rule == "key-of-the-shell"]
    assert [(one.key, one.level) for one in found] == [(key, "error")]
    assert (key in Document.read(f"{NEW}{key}=5\n".encode()).readings.parted()) == (key in KEPT)
