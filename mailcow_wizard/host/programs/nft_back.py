"""A program of its own: takes rules of nft that ask for a set of ours back, and the set with them.

  python nft_back.py FAMILY TABLE CHAIN SET

nft removes a rule by its number only, which nobody knows before it is made, and which changes when rules are
loaded anew: so it is looked for when it is removed. All of it is one transaction; where nothing of it is left
nothing is done.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # Started by its path: the package lies three directories up, and the modules beside this file must not be
    # taken for others of their name.
    sys.path[0] = os.path.abspath(os.path.join(__file__, "../../../.."))

import json
import operator
from collections.abc import Iterator, Sequence
from typing import Any

from mailcow_wizard.host.programs.taking_back import NOT_DONE, NOT_RUN, OK, USAGE, end, failed, run


def main(words: Sequence[str]) -> int:
    """Runs the program; its exit code."""
    if len(words) != 4:
        print("it takes a family, a table, a chain and a set")
        return USAGE
    family, table, chain, name = words
    listed = run(("nft", "-j", "list", "table", family, table))
    if listed.returncode:
        # Without the table there is nothing in it; without an answer nobody knows.
        gone = listed.returncode != NOT_RUN and "No such file or directory" in listed.stderr
        return end(OK, f"table {table} is not there any more") if gone else failed(listed)
    try:
        lines, kept = undoing(json.loads(listed.stdout), family, table, chain, name)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return end(NOT_DONE, "what nft lists cannot be read")
    if lines:
        done = run(("nft", "-f", "-"), "\n".join((*lines, "")))
        if done.returncode:
            return failed(done)
    return end(OK, f"the set {name} stays, for a rule in chain {kept} asks for it, too" if kept else "")


def undoing(document: Any, family: str, table: str, chain: str, name: str) -> tuple[list[str], str]:
    """Commands of nft that remove the chain's rules that ask for the set, and the set, from what `nft -j list
    table` prints; and the chain whose rules ask for it, too, so that it has to stay. Raises ValueError,
    LookupError, TypeError or AttributeError where it is no such list."""
    where = f"{family} {table}"
    numbers, kept, there = list[int](), "", False
    for item in document["nftables"]:
        rule, made = item.get("rule"), item.get("set")
        there = there or bool(made and made["name"] == name)
        if not rule or f"@{name}" not in _words(rule["expr"]):
            continue
        if rule["chain"] == chain:
            numbers.append(operator.index(rule["handle"]))
        else:
            kept = str(rule["chain"])
    lines = [f"delete rule {where} {chain} handle {number}" for number in numbers]
    if there and not kept:
        lines.append(f"delete set {where} {name}")
    return lines, kept


def _words(expression: Any) -> Iterator[str]:
    """Every word in an expression, however deep."""
    if isinstance(expression, str):
        yield expression
    elif isinstance(expression, dict | list):
        for one in expression.values() if isinstance(expression, dict) else expression:
            yield from _words(one)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
