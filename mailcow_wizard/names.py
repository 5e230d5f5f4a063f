"""Host names and domains: what may be one, and in which form it is kept."""

import re

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


class NotAName(ValueError):
    """It cannot be a host name; the text says why."""


def host_name(text: str) -> str:
    """The name in lower case without a final dot, non-ASCII labels in their `xn--` form. Raises NotAName."""
    name = text.strip().removesuffix(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii").removesuffix(".")
        except UnicodeError:
            raise NotAName("not a name that DNS can hold") from None
    if not name:
        raise NotAName("a name is needed")
    if len(name) > 253:
        raise NotAName("longer than 253 characters")
    for label in name.split("."):
        if not label:
            raise NotAName("two dots in a row")
        if not _LABEL.fullmatch(label):
            raise NotAName("only letters, digits and hyphens between the dots, at most 63")
    if name.rpartition(".")[2].isdigit():
        raise NotAName("that is an address, not a name")
    return name


def mail_host_name(text: str) -> str:
    """A name that mailcow can have: three labels such as mail.example.org. Raises NotAName."""
    name = host_name(text)
    if name.count(".") < 1:
        raise NotAName("a full name is needed, such as mail.example.org")
    if name.count(".") < 2:
        raise NotAName(f"needs a host part before the domain, such as mail.{name}")
    return name
