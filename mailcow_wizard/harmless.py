"""The one gate for text from outside: what passes can be shown on any terminal and in any log.

Process names, file contents, command output and network answers come from strangers. Control characters
could drive the terminal, bidirectional overrides could turn words around, endless lines could fill it.
"""

LIMIT = 400

_SPACES = {"\n": " ", "\t": " ", "\r": " ", "\u00a0": " "}


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return _SPACES.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def harmless(text: str, limit: int = LIMIT) -> str:
    """The text in one line, at most `limit` characters; what is not printable is shown as `\\x1b`.

    Unicode counts controls, bidirectional overrides, zero-width marks and surrogates as not printable.
    """
    text = text[: limit + 1]
    if not text.isprintable():
        text = "".join(map(_visible, text))
    return text if len(text) <= limit else text[: limit - 1] + "…"
