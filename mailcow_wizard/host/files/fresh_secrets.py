"""Fresh secrets, from the system's generator."""

import secrets
import string

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits


def letters_and_digits(length: int) -> str:
    """So many random letters and digits: each adds 5.95 bits."""
    return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length))
