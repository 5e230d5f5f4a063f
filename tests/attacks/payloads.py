"""What text from outside may hold to drive a terminal, deceive a reader or break a format; and what may come
out of it on any face."""

import re
import unicodedata

# By class (ECMA-48, Unicode TR 36): what a terminal would obey, what a reader would not see.
PAYLOADS: dict[str, str] = {
    "C0": "\a\b\v\f\x0e\x0f\x05\x7f",
    "NUL": "a\0b",
    "C1 in UTF-8": "\x84\x85\x8d\x90\x9b31m\x9d0;owned\x9c",
    "C1 in 8 bit": "\udc9b31m\udc9d0;owned\udc9c",
    "CSI": "\x1b[2J\x1b[H\x1b[31mred\x1b[6n\x1b[?1049h\x1b[8mhidden\x1b[20t",
    "two-letter escapes": "\x1bc\x1bM\x1b7\x1b8\x1b(0\x1b#8\x1bZ\x1b=",
    "title": "\x1b]0;owned\a\x1b]2;owned\x1b\\\x1bkowned\x1b\\",
    "OSC 8": "\x1b]8;;https://evil.example/\x1b\\link\x1b]8;;\x1b\\",
    "OSC 52": "\x1b]52;c;ZXZpbA==\a\x1b]10;?\a",
    "DCS": "\x1bP$q\"p\x1b\\\x1bPq#0;2;0;0;0\x1b\\",
    "APC": "\x1b_Gi=1;owned\x1b\\",
    "PM and SOS": "\x1b^owned\x1b\\\x1bXowned\x1b\\",
    "overwritten": "FAIL\b\b\b\bok  \rok  everything is well",
    "lines": "x\nok      ports.smtp: free\r\nok\vok\x85ok\u2028ok\u2029ok",
    "overrides": "a\u202egnp.exe\u202c \u202dx\u202c \u202ab\u202bc",
    "isolates": "\u2066a\u2067b\u2068c\u2069 \u200e\u200f\u061c",
    "unseen": "a\u200bb\u200cc\u200dd\ufeffe\u2060f\u00adg\u034fh\u115fi\u3164j\u2800k\uffa0l\u180em",
    "tags": "x\U000e0001\U000e0041\U000e007f",
    "selectors": "x\ufe0f\U000e0101",
    "a tower of marks": "x" + "\u0301\u0489\u20dd" * 30,
    "halves of pairs": "\ud800x\udfff",
    "private and unassigned": "\ue000\U000f0000\uffff\u0378",
    "very long": "x" * 200_000,
    "wide": "\u6771" * 2000,
    "markup": "[red]x[/] [@click=app.bell]x[/] *a* `b` ~~c~~ <script>alert(1)</script> &lt; ![i](//evil)",
    "formats": '"}]} , | load=1;2 \\" \\n {x="1"} 1\\x00 %s %n {0} {name} $(x) ${x}',
}  # fmt: skip

_SGR = re.compile(r"\x1b\[[0-9;]*m")


def trouble(text: str, lines: bool = True, colour: bool = False) -> str:
    """What of a text a terminal or a reader must not get; empty: nothing."""
    if colour:
        text = _SGR.sub("", text)
    marks = 0
    for place, character in enumerate(text):
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        fine = character.isprintable() or (lines and character == "\n")
        if not fine or marks > 4 or character in "\u034f\u115f\u3164\u2800\uffa0\u180e\ufe0f\U000e0101":
            return f"{character!a} in {text[max(0, place - 60) : place + 20]!a}"
    return ""
