"""What an edit changes, against the real diff and patch; and that no secret is shown."""

import random
import shutil
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from mailcow_wizard.engine.diff import HIDDEN, hide, secrets_of, unified
from mailcow_wizard.engine.differing import differences
from mailcow_wizard.model import Edit

NEEDS_DIFF = pytest.mark.skipif(not shutil.which("diff"), reason="diff is not installed")
WORDS = (b"a = 1", b"b = 2", b"", b"# comment", b"\tindented", "ünïcode".encode())


def random_text(chance: random.Random, lines: list[bytes] | None = None) -> bytes:
    """A text of few different lines, or these with some changed; with or without an end of the last line."""
    made = [chance.choice(WORDS) for _ in range(chance.randrange(30))] if lines is None else lines[:]
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(made) + 1)
        made[place : place + chance.randrange(3)] = [chance.choice(WORDS)] * chance.randrange(3)
    return b"\n".join(made) + chance.choice((b"", b"\n"))


def longest_common(one: list[bytes], other: list[bytes]) -> int:
    """How many lines two texts have in common at most, by the textbook."""
    row = [0] * (len(other) + 1)
    for line in one:
        before = 0
        for place, theirs in enumerate(other, 1):
            above = row[place]
            row[place] = before + 1 if line == theirs else max(row[place], row[place - 1])
            before = above
    return row[-1]


def test_differences_are_the_fewest_and_lead_from_one_to_the_other() -> None:
    chance = random.Random(4)
    for _ in range(3000):
        one, other = ([chance.choice(WORDS) for _ in range(chance.randrange(14))] for _ in range(2))
        found = differences(one, other)
        made = one[:]
        for part in reversed(found):
            made[part.start : part.end] = other[part.begin : part.stop]
        assert made == other
        assert len(one) - sum(part.end - part.start for part in found) == longest_common(one, other)
        assert all(a.end < b.start and a.stop < b.begin for a, b in pairwise(found))


def test_texts_without_anything_in_common_take_no_time() -> None:
    one, other = ([b"%d" % number for number in range(start, start + 50_000)] for start in (0, 100_000))
    assert len(differences(one, other)) == 1


def test_lines_that_one_text_has_alone_take_no_time() -> None:
    one, other = ([b"%d" % number for number in range(start, start + 700)] for start in (0, 1000))
    one[350] = other[300] = b"in both"
    begun = time.process_time()
    assert [part[:2] for part in differences(one, other)] == [(0, 350), (351, 700)]
    assert time.process_time() - begun < 0.1


@NEEDS_DIFF
def test_as_diff_and_patch_understand_it(tmp_path: Path) -> None:
    chance = random.Random(1)
    file, patch = tmp_path / "file", tmp_path / "patch"
    for _ in range(200):
        before = random_text(chance)
        after = random_text(chance, before.split(b"\n"))
        shown = unified(Edit(str(file), before, after))
        assert bool(shown) == (before != after)
        if not shown:
            continue
        patch.write_text(shown)
        file.write_bytes(before)
        done = subprocess.run(
            ["patch", "-s", "-p0", "--posix", str(file), str(patch)], capture_output=True, text=True
        )
        assert done.returncode == 0, (shown, done)
        assert (file.read_bytes() if file.exists() else b"") == after, shown


@NEEDS_DIFF
def test_heads_and_hunks_are_those_of_diff(tmp_path: Path) -> None:
    lines = [b"line %d" % number for number in range(60)]
    changed = [*lines[:5], b"new", *lines[6:30], *lines[31:], b"end"]
    old, new = tmp_path / "old", tmp_path / "new"
    for before, after in ((lines, changed), (changed, lines), ([], lines), (lines[:1], lines[:2])):
        old.write_bytes(b"".join(line + b"\n" for line in before))
        new.write_bytes(b"".join(line + b"\n" for line in after))
        done = subprocess.run(["diff", "-u", str(old), str(new)], capture_output=True, text=True)
        theirs = done.stdout.splitlines()
        ours = unified(Edit("/x", old.read_bytes(), new.read_bytes())).splitlines()
        assert ours[:2] == ["--- /x", "+++ /x"]
        assert ours[2:] == theirs[2:]


def test_new_and_removed_files() -> None:
    assert unified(Edit("/n", None, b"a\n")) == "--- /dev/null\n+++ /n\n@@ -0,0 +1 @@\n+a\n"
    assert unified(Edit("/n", b"a", None)) == (
        "--- /n\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n"
    )
    assert unified(Edit("/n", b"a", b"a")) == ""
    assert unified(Edit("/n", None, b"")) == "--- /dev/null\n+++ /n\n"


CONF = b"""\
MAILCOW_HOSTNAME=mail.example.org
DBPASS=%s
#API_KEY=%s
REDISPASS='%s' # comment
SQL=mysql://user:%s@host/db
"""


def test_secrets_are_hidden_and_their_change_is_not() -> None:
    old, new = (CONF.replace(b"%s", secret) for secret in (b"oldsecret", b"newsecret"))
    for path in ("/opt/mailcow/mailcow.conf", "/opt/mailcow/.env", "/x/mailcow.conf_backup"):
        shown = unified(Edit(path, old, new))
        assert "secret" not in shown
        assert f"-DBPASS={HIDDEN}\n" in shown
        assert f"+DBPASS={HIDDEN}\n" in shown
        assert f"+SQL=mysql://{HIDDEN}@host/db" in shown
        assert " MAILCOW_HOSTNAME=mail.example.org\n" in shown
    assert "oldsecret" in secrets_of("/x/mailcow.conf", old)
    for line in (b"A_KEY=abcd efgh # x", b"A_KEY='abcd' # x", b'# A_KEY = "abcd"', b"A_KEY=abcd"):
        assert "abcd" in secrets_of("/x/mailcow.conf", line)
    assert secrets_of("/etc/other", old) == secrets_of("/x/mailcow.conf", None) == frozenset()
    assert hide("it says oldsecret twice: oldsecret", frozenset({"oldsecret"})) == (
        f"it says {HIDDEN} twice: {HIDDEN}"
    )


def test_a_web_server_s_site_of_that_name_is_shown() -> None:
    site = b"server {\n    listen 80;\n    proxy_pass http://127.0.0.1:8080/;\n}\n"
    shown = unified(Edit("/etc/nginx/sites-available/mailcow.conf", None, site, 0o644))
    assert HIDDEN not in shown
    assert "+    proxy_pass http://127.0.0.1:8080/;" in shown
    assert HIDDEN in unified(Edit("/opt/mailcow-dockerized/mailcow.conf", None, site, 0o644))


def test_what_drives_a_terminal_is_shown_as_text() -> None:
    shown = unified(Edit("/x\x1b", b"a\x1b[2J\r\n", b"b\xff\t\xe2\x80\xaec\n"))
    assert shown.splitlines()[2:] == ["@@ -1 +1 @@", r"-a\x1b[2J\x0d", "+b\\xff\t\\u202ec"]
    assert "\x1b" not in shown
    assert unified(Edit("/b", b"\0", b"\1")) == "Binary files /b and /b differ\n"
