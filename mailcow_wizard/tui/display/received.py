"""What a terminal sends, as Textual's messages: keys, pastes, its size, answers to what it was asked."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from textual._xterm_parser import XTermParser

from mailcow_wizard.patterns import pattern
from mailcow_wizard.tui.display.pasting import Pasting

if TYPE_CHECKING:
    from textual.message import Message

_BEFORE_ESC = pattern(r"(?=\x1b)")


class Received:
    """Reads bytes as they come, in pieces of any length, whatever they are."""

    def __init__(self, debug: bool = False) -> None:
        self._debug = debug
        self._parser = XTermParser(debug)
        self._pasting = Pasting()
        self._decode = getincrementaldecoder("utf-8")("replace").decode

    def messages(self, typed: bytes) -> Iterator[Message]:
        """Those of what came; without a byte those of an Esc that nothing follows."""
        text = self._pasting.plain(self._decode(typed))
        for piece in filter(None, _BEFORE_ESC.split(text)):  # for the parser nothing would be the end
            yield from self._parsed(self._parser.feed, piece)
        yield from self._parsed(self._parser.tick)

    def _parsed(self, parse: Callable[..., Iterable[Message]], *words: str) -> Iterator[Message]:
        """What is no key to the parser it passes over, but ends at numbers that no key can have."""
        try:
            yield from parse(*words)
        except Exception:
            self._parser = XTermParser(self._debug)
