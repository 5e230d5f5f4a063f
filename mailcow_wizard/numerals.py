"""Whole numbers as programs write them.

What a stranger writes may have thousands of digits, or digits of other scripts: `isdigit` takes both, and
`int` fails on them.
"""

_LONGEST = 20  # digits of the largest number of 64 bits


def is_number(text: str) -> bool:
    """Whether these are digits, and not too many."""
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST


def whole(text: str, otherwise: int = 0) -> int:
    """The number that the digits make; `otherwise` where they make none."""
    return int(text) if is_number(text) else otherwise
