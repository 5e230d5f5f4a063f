"""How sentences are written: what stands within one elsewhere can begin one."""

_IN_WORDS = frozenset("'’-")


def capitalized(text: str) -> str:
    """The text with a capital letter at its beginning, and else as it is; a name keeps its own: a host's, a
    file's, a program's with a number, mailcow."""
    first = text.partition(" ")[0].rstrip(".,:;")
    if first.startswith("mailcow") or not all(one.isalpha() or one in _IN_WORDS for one in first):
        return text
    return text[:1].upper() + text[1:]
