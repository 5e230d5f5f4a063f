"""Three-way merge by lines: what others edited stays, and what both changed is refused."""

import random

import pytest

from mailcow_wizard.engine.undo.merge import Overlap, merge
from mailcow_wizard.engine.undo.target import Conflict, target
from mailcow_wizard.model import Edit


def text(letters: str) -> bytes:
    """A line for each letter; a dot at the end: the last line has no end."""
    lines = b"\n".join(letter.encode() for letter in letters.removesuffix("."))
    return lines if letters.endswith(".") or not letters else lines + b"\n"


MERGED = {
    "nobody edited": ("aBc", "aBc", "abc", "abc"),
    "taken back already": ("aBc", "abc", "abc", "abc"),
    "another line": ("aBcde", "aBcdX", "abcde", "abcdX"),
    "the line behind": ("aBcd", "aBXd", "abcd", "abXd"),
    "the line before": ("aBcd", "XBcd", "abcd", "Xbcd"),
    "lines added behind it": ("aB", "aBxy", "ab", "abxy"),
    "lines added before it": ("aB", "axB", "ab", "axb"),
    "behind a line that was added": ("abN", "abNx", "ab", "abx"),
    "before a line that was added": ("abN", "abxN", "ab", "abx"),
    "a line was removed": ("ac", "acx", "abc", "abcx"),
    "the first line": ("Abc", "Abx", "abc", "abx"),
    "everything was added": ("N", "Nx", "", "x"),
    "no end of the last line": ("aB.", "aBx.", "ab.", "abx."),
    "an end was added": ("aB.", "aBx", "ab.", "abx"),
    "another line removed": ("aBcd", "aBc", "abcd", "abc"),
    "both the same": ("aBcd", "abcX", "abcd", "abcX"),
}
EMPTY_LINES = {
    "behind what was added at the end": (b"a\n\nN\n", b"a\n\nN\nx\n", b"a\n", b"a\nx\n"),
    "between lines of the same kind": (b"a\n\nN\n\nb\n", b"a\n\nN\nx\n\nb\n", b"a\n\nb\n", b"a\nx\n\nb\n"),
    "before them": (b"a\n\nN\n\nb\n", b"a\nx\n\nN\n\nb\n", b"a\n\nb\n", b"a\nx\n\nb\n"),
    "behind an empty line that was added": (b"a\n\n\n", b"a\n\n\nx\n", b"a\n\n", b"a\n\nx\n"),
    "behind the line of another change": (
        b"A\n\nN\n\nM\n",
        b"A\n\nN\n\nM\nx\n",
        b"a\n\nM\n",
        b"a\n\nM\nx\n",
    ),
}
REFUSED = {
    "the very line": ("aBc", "aXc", "abc"),
    "the very line is gone": ("aBc", "ac", "abc"),
    "inside of what was added": ("aMNb", "aMxNb", "ab"),
    "where a line was removed": ("ac", "axc", "abc"),
    "one of several": ("aBCd", "aBXd", "abcd"),
    "between its lines, wherever it stands": ("abcMNPbcMd", "abcMNxPbcMd", "abcMd"),
}


@pytest.mark.parametrize("name", MERGED)
def test_merged(name: str) -> None:
    base, mine, theirs, wanted = map(text, MERGED[name])
    assert merge(base, mine, theirs) == wanted


@pytest.mark.parametrize("name", EMPTY_LINES)
def test_empty_lines_do_not_make_the_line_beside_one_of_the_change(name: str) -> None:
    base, mine, theirs, wanted = EMPTY_LINES[name]
    assert merge(base, mine, theirs) == wanted


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    base, mine, theirs = map(text, REFUSED[name])
    with pytest.raises(Overlap) as refused:
        merge(base, mine, theirs)
    assert refused.value.mine in mine
    assert refused.value.theirs in theirs


def test_edits_of_different_lines_do_not_disturb_each_other() -> None:
    chance = random.Random(2)
    for _ in range(2000):
        base = [b"%d" % number for number in range(20)]
        edited = [chance.choice((line, line, line + b"x", line + b"y")) for line in base]
        ours = [new if chance.random() < 0.5 else old for old, new in zip(base, edited, strict=True)]
        others = [old if mine == new else new for old, mine, new in zip(base, ours, edited, strict=True)]
        parts = (b"\n".join(one) for one in (base, ours, others))
        assert merge(*parts) == b"\n".join(edited)


# --- files ---

CHANGE = Edit("/etc/x", b"a\nb\n", b"a\nB\n")
MADE = Edit("/etc/x", None, b"a\nb\n")
REMOVED = Edit("/etc/x", b"a\n", None)


@pytest.mark.parametrize(
    ("edit", "now", "wanted"),
    [
        (CHANGE, b"a\nB\n", b"a\nb\n"),
        (CHANGE, b"a\nb\n", b"a\nb\n"),
        (CHANGE, b"a\nB\nmine\n", b"a\nb\nmine\n"),
        (MADE, b"a\nb\n", None),
        (MADE, None, None),
        (MADE, b"a\nb\nmine\n", b"mine\n"),
        (REMOVED, None, b"a\n"),
        (REMOVED, b"a\n", b"a\n"),
    ],
)
def test_file_is_taken_back(edit: Edit, now: bytes | None, wanted: bytes | None) -> None:
    assert target(edit, now) == wanted


@pytest.mark.parametrize(
    ("edit", "now", "said"),
    [
        (CHANGE, b"a\nmine\n", "lines of this change were edited since"),
        (CHANGE, None, "was removed since"),
        (MADE, b"a\nmine\nb\n", "lines of this change were edited since"),
        (REMOVED, b"mine\n", "was made anew since"),
    ],
)
def test_file_is_refused(edit: Edit, now: bytes | None, said: str) -> None:
    with pytest.raises(Conflict, match=said):
        target(edit, now)


def test_both_versions_are_shown_without_secrets() -> None:
    edit = Edit("/x/mailcow.conf", b"DBPASS=secret1\nTZ=a\n", b"DBPASS=secret2\nTZ=b\n")
    with pytest.raises(Conflict) as refused:
        target(edit, b"DBPASS=secret3\nTZ=c\n")
    assert (refused.value.mine, refused.value.theirs) == (("DBPASS=••••", "TZ=c"), ("DBPASS=••••", "TZ=a"))
