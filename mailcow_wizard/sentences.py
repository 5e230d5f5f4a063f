"""How sentences are written: what stands within one elsewhere can begin one."""


def capitalized(text: str) -> str:
    """The text with a capital letter at its beginning, and else as it is."""
    return text[:1].upper() + text[1:]
