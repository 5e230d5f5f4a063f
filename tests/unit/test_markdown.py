"""In a report as Markdown no text from outside is markup, a link, a mention or a reference, to a renderer."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailcow_wizard.engine.findings import of_finding
from mailcow_wizard.harmless import harmless
from mailcow_wizard.model import Evidence, Finding
from mailcow_wizard.report.markdown import markdown

DOC = "https://docs.mailcow.email/getstarted/"
ALLOWED = {
    *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "code_inline"),
    *(
        "bullet_list_open",
        "bullet_list_close",
        "list_item_open",
        "list_item_close",
        "link_open",
        "link_close",
    ),
    *("softbreak", "text_special"),
}
HOSTILE = (
    "*a* _b_ **c** ~~d~~ `e` ``f`` $g$ $$h$$ ^i^ ==j==",
    "[text](https://evil.example) ![image](//evil.example/x.png) <https://evil.example> [1]: /u",
    "<script>alert(1)</script><img src=x onerror=y> <!-- x --> &lt;b&gt; &#60;b&#62; &copy;",
    "https://evil.example/a_b?c=d#e www.evil.example evil.example ftp://x.y mailto:a@b.example",
    "root@evil.example @moderator, @team/all: (@somebody) '@x' team@#12",
    "#123 GH-7 owner/repo#5 x!9 #99: (#100)",
    "# heading", "## heading", "- item", "+ item", "* item", "1. item", "23) item", "=====", "---", "~~~",
    "```", "    indented", "> quoted", "| a | b |", "|-|-|",
    "a\\", "\\*x\\* \\`y@z.example\\`", "`@a` ``@b`` `", "@a`@b",
    "javascript:alert(1) data:text/html,x file:///etc/passwd http://[::1]:80/x http://a@b.example:1",
)  # fmt: skip


def _report(text: str) -> str:
    shown = harmless(text)
    finding = Finding(
        *("system.os", shown, "system", "Operating system", "fail", "blocks", "certain"),
        *(shown, shown, f"found {shown}", shown, DOC, (Evidence(shown, shown),), (shown,)),
    )
    run = {"hostname": shown, "started": "x", "version": "1", "checks": [of_finding(finding)]}
    return "\n".join(markdown(run))


def _tokens(text: str, flavour: str) -> Iterator[Token]:
    renderer = MarkdownIt(flavour, {"linkify": True, "html": True}).enable(
        ["linkify", "strikethrough", "table"]
    )
    for token in renderer.parse(_report(text)):
        yield token
        yield from token.children or ()


def _is_as_said(text: str, flavour: str) -> None:
    tokens = list(_tokens(text, flavour))
    assert {one.type for one in tokens} <= ALLOWED
    assert [one.attrs["href"] for one in tokens if one.type == "link_open"] == [DOC]
    said = ["".join(child.content for child in one.children or ()) for one in tokens if one.type == "inline"]
    shown = " ".join(harmless(text).strip().replace("`", "'").split())
    for place in ("needed: ", "why: ", "mend: ", "found: found "):
        line = next(one for one in said if one.startswith(place.strip()))
        assert " ".join(line.replace("`", "'").split()) == (place + shown).strip()
    # GitHub looks for these in what is shown outside of code, after all escapes.
    plain = "\n".join(one.content for one in tokens if one.type in ("text", "text_special"))
    for sign in ("@m", "@s", "@t", "@a", "#1", "#9", "GH-7", "evil.example"):
        assert sign not in plain


@pytest.mark.parametrize("flavour", ["commonmark", "js-default"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str, flavour: str) -> None:
    _is_as_said(text, flavour)


_PARTS = (
    *(
        "a",
        " ",
        "\\",
        "`",
        "``",
        "*",
        "_",
        "@m",
        "#1",
        "www.",
        "http://",
        "x.yz",
        "<",
        ">",
        "&",
        "&amp;",
        "[",
    ),
    *("](", ")", "~~", "$", "|", "-", "+", "1.", ":", "!", "'", '"', "…", "ü", "\n", "    "),
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(_PARTS), max_size=12).map("".join))
def test_any_text_stays_text(text: str) -> None:
    _is_as_said(text, "js-default")
