"""A program of its own: takes a rule of ufw's that is ours back, unless somebody has made it theirs.

  python ufw_back.py COMMENT WHAT…

WHAT is the rule as `ufw show added` writes it, after its verdict: `25,465/tcp`. ufw keeps one rule for these
words: whoever adds it again, or with another verdict or comment, changes ours, and `ufw delete` asks for no
comment. So it is deleted only where all of it is still as we made it.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # Started by its path: the package lies three directories up, and the modules beside this file must not be
    # taken for others of their name.
    sys.path[0] = os.path.abspath(os.path.join(__file__, "../../../.."))

from collections.abc import Sequence

from mailcow_wizard.host.programs.taking_back import OK, USAGE, end, failed, run
from mailcow_wizard.patterns import pattern

_LINE = pattern(r"ufw (allow|deny|reject|limit)(?: log| log-all)? (.*?)(?: comment '([^']*)')?")


def main(words: Sequence[str]) -> int:
    """Runs the program; its exit code."""
    if len(words) < 2:
        print("it takes a comment and a rule")
        return USAGE
    comment, what = words[0], words[1:]
    listed = run(("ufw", "show", "added"))
    if listed.returncode:
        return failed(listed)
    there = standing(listed.stdout, " ".join(what))
    if not there:
        return end(OK, "the rule is not there any more")
    if set(there) != {("allow", comment)}:
        return end(OK, "the rule stays, for somebody has changed it since")
    done = run(("ufw", "delete", "allow", *what))
    return failed(done) if done.returncode else OK


def standing(listed: str, what: str) -> list[tuple[str, str]]:
    """The verdict and the comment of each rule of these words in what `ufw show added` prints: one, or two
    where those of IPv4 and IPv6 differ."""
    found = []
    for line in listed.splitlines():
        rule = _LINE.fullmatch(line.strip())
        if rule and rule[2] == what:
            found.append((rule[1], rule[3] or ""))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
