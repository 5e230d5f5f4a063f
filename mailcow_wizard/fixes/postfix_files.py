"""Postfix's main.cf and master.cf, edited in place: what is not changed stays byte for byte (postconf(5))."""

import re

from mailcow_wizard.facts.service_ports import BY_NAME
from mailcow_wizard.numerals import is_number, whole


def parameter(text: str, name: str) -> str | None:
    """A parameter's value in main.cf; None where it is not set. Of several the last counts."""
    found = None
    for start, end in _logical_lines(text):
        match = re.match(r"([^\s=]+)\s*=(.*)", text[start:end], re.DOTALL)
        if match and match[1] == name:
            # Comments and empty lines may stand within a value that goes on.
            lines = (line for line in _lines(match[2]) if line.strip()[:1] != "#")
            found = " ".join(" ".join(lines).split())
    return found


def with_parameter(text: str, name: str, value: str) -> str:
    """The text with this value: in the place of the last one, or at the end."""
    place = None
    for start, end in _logical_lines(text):
        if re.match(rf"{re.escape(name)}\s*=", text[start:end]):
            place = (start, end)
    line = f"{name} = {value}\n"
    if place:
        return text[: place[0]] + line + text[place[1] :]
    return text + ("" if text.endswith("\n") or not text else "\n") + line


def listeners(text: str, ports: tuple[int, ...]) -> tuple[str, ...]:
    """The services of master.cf that listen on one of these ports, as they are named there."""
    return tuple(
        text[start:end].split()[0] for start, end in _logical_lines(text) if _listens(text[start:end], ports)
    )


def without_listeners(text: str, ports: tuple[int, ...]) -> str:
    """master.cf with those services, and the lines that go on with them, made comments."""
    for start, end in reversed(_logical_lines(text)):
        if _listens(text[start:end], ports):
            lines = _lines(text[start:end])
            off = "".join(line if line.strip()[:1] in ("", "#") else f"#{line}" for line in lines)
            text = text[:start] + off + text[end:]
    return text


def _listens(line: str, ports: tuple[int, ...]) -> bool:
    words = line.split()
    if len(words) < 2 or words[1] != "inet":
        return False
    port = words[0].rpartition(":")[2]
    return (whole(port) if is_number(port) else BY_NAME.get(port)) in ports


def _lines(text: str) -> list[str]:
    """Each with its end. Python would end one at the byte 0x85 too, half of many a letter in UTF-8."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _logical_lines(text: str) -> list[tuple[int, int]]:
    """Where each logical line begins and ends: a line that begins with a blank goes on with the one before,
    also across comments and empty lines."""
    found: list[tuple[int, int]] = []
    at = 0
    for line in _lines(text):
        end = at + len(line)
        if line.strip() and not line.startswith("#"):
            if line[0] in " \t" and line.strip()[:1] != "#" and found:
                found[-1] = (found[-1][0], end)
            elif line[0] not in " \t":
                found.append((at, end))
        at = end
    return found
