"""Answers of the door with something hostile in what strangers may write, in a shape that is still read."""

import json
import random
import re
from collections.abc import Callable
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.rdtypes.txtbase

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Certificate, DnsReply, HttpReply, Ran, TimeAnswer
from tests.answering import Instead

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.@/-]{2,}")
Words = Callable[[str], str]


def hostile(payload: str, chance: random.Random) -> Instead:
    """What becomes of an answer: some of its words have the payload in, before or behind them, or instead."""

    def word(one: str) -> str:
        middle = len(one) // 2
        kinds = (one + payload, payload + one, one[:middle] + payload + one[middle:], payload)
        return chance.choice(kinds)

    def words(text: str) -> str:
        found = list(_WORD.finditer(text))
        chosen = chance.sample(range(len(found)), min(len(found), chance.choice((1, 2, 5))))
        for one in (found[place] for place in sorted(chosen, reverse=True)):
            text = text[: one.start()] + word(one[0]) + text[one.end() :]
        return text if found else text + payload

    return lambda answer: _with(answer, words)


def _with(answer: Any, words: Words) -> Any:
    if isinstance(answer, HostError):
        raise type(answer)(words(str(answer)))
    if isinstance(answer, str):
        return words(answer)
    if isinstance(answer, bytes):
        return _bytes(answer, words)
    if isinstance(answer, Ran):
        return answer._replace(out=_text(answer.out, words), err=_text(answer.err, words))
    if isinstance(answer, HttpReply):
        return answer._replace(body=_bytes(answer.body, words))
    if isinstance(answer, DnsReply):
        return _dns(answer, words)
    if isinstance(answer, TimeAnswer | Certificate):
        return answer
    if isinstance(answer, tuple):
        parts = [_with(one, words) for one in answer]
        return answer._make(parts) if hasattr(answer, "_make") else tuple(parts)
    return answer


def _bytes(data: bytes, words: Words) -> bytes:
    try:
        return _encoded(_text(data.decode(), words))
    except UnicodeDecodeError:
        return data


def _text(text: str, words: Words) -> str:
    """JSON stays JSON: only what its strings say changes."""
    try:
        said = json.loads(text) if text[:1] in ("{", "[") else None
    except ValueError:
        said = None
    return words(text) if said is None else json.dumps(_leaves(said, words))


def _leaves(said: Any, words: Words) -> Any:
    if isinstance(said, dict):
        return {name: _leaves(value, words) for name, value in said.items()}
    if isinstance(said, list):
        return [_leaves(one, words) for one in said]
    return words(said) if isinstance(said, str) and said else said


def _dns(reply: DnsReply, words: Words) -> DnsReply:
    """Texts, and the first label of names: it may hold any byte."""
    try:
        message = dns.message.from_wire(reply.packet)
    except (dns.exception.DNSException, ValueError):
        return reply._replace(error=words(reply.error))
    for rrset in message.answer:
        some = [_record(one, words) for one in rrset]
        rrset.clear()
        for one in some:
            rrset.add(one)
    return reply._replace(packet=message.to_wire())


def _record(one: Any, words: Words) -> Any:
    if isinstance(one, dns.rdtypes.txtbase.TXTBase):
        return one.replace(strings=[_string(part, words, 255) for part in one.strings])
    for field in ("target", "exchange"):
        name = getattr(one, field, None)
        if name is not None and len(name.labels) > 1:
            label = _string(name.labels[0], words, 20)
            return one.replace(**{field: dns.name.Name((label, *name.labels[1:]))})
    return one


def _string(old: bytes, words: Words, most: int) -> bytes:
    return _encoded(words(old.decode("utf-8", "replace")))[:most] or old


def _encoded(text: str) -> bytes:
    """Bytes that were taken for halves of pairs are themselves again; true halves stay, which is no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeError:
        return text.encode("utf-8", "surrogatepass")
