"""How nft writes its rules: read once somebody asks for the words of one, since that takes nft as long as to
list them all again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Handle: TypeAlias = tuple[str, str, int]
    Texts: TypeAlias = Callable[[], Mapping[Handle, str]]

_HANDLE = pattern(r"^(.*?) *# handle ([0-9]{1,18})$")
_BEGIN = pattern(r"^(table|chain) (?:([a-z0-9]+) )?(\S+) \{")
_LONGEST = 200


class Wording(NamedTuple):
    """Where the words of a rule are: `texts` gives those of all rules, by family, table and handle. Where
    they are not among them, the rule's `expressions` stand for them."""

    texts: Texts
    handle: Handle
    expressions: Any

    @property
    def text(self) -> str:
        """The rule as nft writes it."""
        found = self.texts().get(self.handle)
        if found:
            return found
        try:
            return json.dumps(self.expressions)[:_LONGEST]
        except RecursionError:  # no rule that nft ever wrote
            return "{}"

    def read(self) -> None:
        """Has the words of all rules read now, while the rules are still these."""
        self.texts()


def texts(listing: str) -> dict[Handle, str]:
    """How nft writes each rule (`nft -a list ruleset`), by family, table and handle."""
    found: dict[Handle, str] = {}
    family = table = ""
    parts: list[str] = []
    for line in listing.splitlines():
        words = line.strip()
        begin = _BEGIN.match(words)
        if begin and begin[1] == "table":
            family, table = begin[2] or "ip", begin[3]
        if begin:
            parts = []
            continue
        ended = _HANDLE.match(words)
        parts.append(ended[1] if ended else words)
        if ended:
            text = " ".join(parts).strip()
            found[family, table, int(ended[2])] = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        if ended or words in ("", "}") or words.endswith(";"):
            parts = []
    return found
