"""mailcow.conf as a document: what is not changed stays, what is changed is read alike by both readers."""

import os
import random
import time
from pathlib import Path

import pytest

from mailcow_wizard.conf.document import Document, written
from mailcow_wizard.conf.layout import KEYS
from mailcow_wizard.conf.unwritable import Unwritable
from tests.real.conf_lines import cases

SAMPLES = Path(__file__).parent.parent / "conf"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "mailcow-conf"
FILES = sorted((*SAMPLES.glob("*.conf"), *SHARED.glob("*.conf")))


@pytest.fixture
def seed() -> int:
    """Another one each time; MAILCOW_WIZARD_TEST_SEED repeats a run."""
    return int(os.environ.get("MAILCOW_WIZARD_TEST_SEED") or random.randrange(1 << 32))


def junk(chance: random.Random) -> bytes:
    """Bytes of any kind, with lines that look like settings between them."""
    parts = []
    for _ in range(chance.randrange(12)):
        parts.append(
            chance.choice(
                (b"\n", b"\r\n", b"#SMTP_PORT=1\n", b"SMTP_PORT=25", b"\xef\xbb\xbf", b"'", b"\xe9")
            )
        )
        parts.append(bytes(chance.randrange(256) for _ in range(chance.randrange(9))))
    return b"".join(parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_read_is_there_byte_for_byte(path: Path) -> None:
    assert Document.read(path.read_bytes()).data == path.read_bytes()


def test_any_bytes_are_there_byte_for_byte(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(500):
        data = junk(chance)
        assert Document.read(data).data == data, f"seed {seed}"


def test_five_megabytes_are_read() -> None:
    data = b"# a comment\nKEY=value\n" * 240_000
    document = Document.read(data)
    assert document.data == data
    assert document.get("KEY") == "value"


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name != "broken.conf"], ids=lambda path: path.name
)
def test_one_line_changes_and_no_other(path: Path) -> None:
    document = Document.read(path.read_bytes())
    before = path.read_bytes().split(b"\n")
    for key in document.readings.values():
        after = document.set(key, "changed").data.split(b"\n")
        differing = [
            number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]
        ]
        assert len(differing) == 1, key
        assert f"{key}=changed".encode() in after[differing[0]]
    assert document.set("SMTP_PORT", document.get("SMTP_PORT") or "").data == document.data


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_key_can_be_set_and_taken_away(path: Path) -> None:
    document = Document.read(path.read_bytes())
    values = document.readings.values()
    for key in KEYS:
        changed = document.set(key, "changed")
        assert changed.get(key) == "changed"
        assert key not in changed.readings.parted()
        same = {one: value for one, value in changed.readings.values().items() if one != key}
        assert {one: value for one, value in values.items() if one in same and one != key} == same
        without = changed.unset(key)
        assert without.get(key) is None
        assert set(values) - {key} <= set(without.keys())


def test_lines_made_by_chance_can_be_set_or_say_why_not(seed: int) -> None:
    refused = 0
    for case in cases(seed, 1500):
        document = Document.read(case.data)
        agreed = {
            key: document.get(key)
            for key in document.readings.values()
            if key not in document.readings.parted()
        }
        try:
            changed = document.set(case.keys[0], "it is set")
        except Unwritable:
            refused += 1
            continue
        assert changed.get(case.keys[0]) == "it is set", f"seed {seed}: {case.data!r}"
        left = {key: changed.get(key) for key in agreed if key != case.keys[0]}
        assert left == {key: agreed[key] for key in left}, f"seed {seed}: {case.data!r}"
    assert refused < 150


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("A=1\nB=2\n", "A", "3", "A=3\nB=2\n"),
        ("A=1 # why\n", "A", "3", "A=3 # why\n"),
        ("export A=1\n", "A", "3", "export A=3\n"),
        ("A=1\nA=2\n", "A", "3", "A=1\nA=3\n"),
        ("#A=1\n#A=\nB=2\n", "A", "3", "#A=1\nA=3\nB=2\n"),
        ("# A=1\n", "A", "3", "# A=1\n\nA=3\n"),
        ("A= 1\n", "A", "3", "A=3\n"),
        ("A=1\r\nB=2\r\n", "A", "3", "A=3\nB=2\r\n"),
        ("\ufeffA=1\n", "A", "3", "A=3\n"),
        ("A=1", "A", "3", "A=3"),
        ("A=1", "B", "3", "A=1\n\nB=3\n"),
        ("", "A", "a b", "A='a b'\n"),
        ("A='1\n2'\nB=3\n", "A", "4", "A=4\nB=3\n"),
        ("A=x&y=2\nB=3\n", "A", "4", "A=4\nB=3\n"),
        # A comment that is one for bash alone becomes one for both.
        ("A=1\t# why\nB=2\n", "A", "3", "A=3 # why\nB=2\n"),
        ("A=1 # why\nB=2\n", "A", "", "# why\nA=\nB=2\n"),
        ("A= # why\nB=2\n", "A", "3", "A=3 # why\nB=2\n"),
        ("export A=1\t# why\r\nB=2\r\n", "A", "3", "export A=3 # why\r\nB=2\r\n"),
        # What else a line sets stays.
        ("A=1 C=2\nB=3\n", "A", "4", "A=1 C=2\nB=3\n\nA=4\n"),
        ("A=1 C=2\nB=3\n", "C", "4", "A=1 C=2\nB=3\n\nC=4\n"),
        ("A=1; C=2\nB=3\n", "A", "4", "A=1; C=2\nB=3\n\nA=4\n"),
        ("A=u C=2\nB=3\n", "A", "u C=2", "A='u C=2'\nB=3\n"),
        (
            "TZ=Europe/Berlin\n\nACL_ANYONE=allow\n",
            "DOCKER_COMPOSE_VERSION",
            "native",
            "TZ=Europe/Berlin\n\n# Which compose is installed: native (Docker's plugin) or standalone\n"
            "DOCKER_COMPOSE_VERSION=native\n\nACL_ANYONE=allow\n",
        ),
        (
            "SMTP_PORT=25\nSUBMISSION_PORT=587\n",
            "SMTPS_PORT",
            "465",
            "SMTP_PORT=25\n# Where SMTP over TLS listens: a port, or an IPv4 address and a port\n"
            "SMTPS_PORT=465\nSUBMISSION_PORT=587\n",
        ),
        (
            "# head\n\nDBNAME=mailcow\n",
            "MAILCOW_HOSTNAME",
            "mail.example.org",
            "# head\n\n# Full name of this mail server, such as mail.example.org\n"
            "MAILCOW_HOSTNAME=mail.example.org\n\nDBNAME=mailcow\n",
        ),
    ],
)
def test_where_a_value_goes(before: str, key: str, value: str, after: str) -> None:
    assert Document.read(before.encode()).set(key, value).data.decode() == after


def test_taking_a_key_away_leaves_all_else() -> None:
    document = Document.read(b"# a\nA=1\n#A=0\nB=2\nA=3\n")
    assert document.unset("A").data == b"# a\n#A=0\nB=2\n"
    assert document.unset("C").data == document.data
    for key in ("A", "C"):
        with pytest.raises(Unwritable):
            Document.read(b"A=1 C=2\nB=3\n").unset(key)


@pytest.mark.parametrize("value", ["it's", "a\nb", "a\tb", "\x1b[31m", "\udce9", "a\\", "'"])
def test_what_cannot_be_written_is_refused(value: str) -> None:
    with pytest.raises(Unwritable) as caught:
        written("DBPASS", value)
    assert value not in str(caught.value)[8:] or value == "'"
    with pytest.raises(Unwritable):
        written("NO KEY", "a")


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("", "K="),
        ("192.0.2.1:25", "K=192.0.2.1:25"),
        ("a,b.*", "K=a,b.*"),
        ("a b", "K='a b'"),
        ('$HOME `ls` "x" \\n & é', "K='$HOME `ls` \"x\" \\n & é'"),
        ("~/x", "K='~/x'"),
        ("#", "K='#'"),
    ],
)
def test_quotes_stand_where_they_are_needed(value: str, line: str) -> None:
    assert written("K", value) == line


def test_a_file_that_is_no_text_is_left_alone() -> None:
    with pytest.raises(Unwritable):
        Document.read(b"A=1\n\0\1").set("A", "2")


@pytest.mark.parametrize(
    "text",
    [
        "A0=0123456789\n" + "".join(f"A{n + 1}=$A{n}$A{n}\n" for n in range(80)) + "Z=end\n",
        "A=" + "${A:-" * 20_000 + "\nZ=end\n",
        "A=" + "$(" * 20_000 + "\nZ=end\n",
        'A="' + '"${A:-' * 20_000 + "\nZ=end\n",
        "A='x\n" + "x\n" * 20_000 + "Z=end\n",
        "".join(f"A{n}= b\n" for n in range(20_000)) + "Z=end\n",
    ],
)
def test_what_is_made_to_take_long_does_not(text: str) -> None:
    started = time.process_time()
    assert Document.read(text.encode()).get("Z") == "end"
    assert time.process_time() - started < 10
