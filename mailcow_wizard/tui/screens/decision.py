"""A text to read before something is changed, and a question under it. The answer at hand changes nothing."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType

from mailcow_wizard.language import _
from mailcow_wizard.sentences import capitalized
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.planned import parts_of
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part
from mailcow_wizard.tui.writing import Line

Answers = tuple[tuple[str, str], ...]
"""Keys and their words; the first is the answer at hand and that of Esc."""

YES_OR_NO: Answers = (("n", _("No")), ("y", _("Yes")))


class Asked(NamedTuple):
    """What is asked, and the text above it for a width in cells.

    Where `obstacle` says why it cannot be done there is nothing to answer; `instead` says what to type then.
    """

    title: str
    question: str
    text: Callable[[int], Sequence[Line]]
    answers: Answers = YES_OR_NO
    obstacle: str = ""
    instead: str = ""

    def with_answer(self, key: str, word: str, about: str) -> "Asked":
        """With one more answer, which is explained behind the text's first paragraph."""

        def text(width: int) -> Sequence[Line]:
            lines = list(self.text(width))
            end = next((place for place, one in enumerate(lines) if not one.label + one.text), len(lines))
            said = (Line("", one) for one in wrap(about, width, break_on_hyphens=False))
            return (*lines[:end], Line("", ""), *said, *lines[end:])

        return self._replace(text=text, answers=(*self.answers, (key, word)))


def _small(words: str) -> str:
    """In the middle of a line; names and nouns inside keep their capitals."""
    return words[:1].lower() + words[1:]


class Decision(Sheet[str]):
    """Ends with the key of the answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "answer(0)", "back", show=False),
        Binding("left,shift+tab,h", "mark(-1)", "the answer before", show=False),
        Binding("right,tab,l", "mark(1)", "the next answer", show=False),
        Binding("enter", "take", "take the marked answer", show=False),
    ]

    def __init__(self, look: Look, asked: Asked) -> None:
        super().__init__(look)
        self._asked = asked
        self._marked = 0

    def title_parts(self) -> Sequence[Part]:
        """What it is about."""
        return [(f" {self.look.text(self._asked.title)}", self.look.bold)]

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """The text; before it, why nothing can be done, where the foot has no room for that."""
        text = [parts_of(line, self.look) for line in self._asked.text(width)]
        return text if self._fits(width) else [*self._why(width), [], *text]

    def _why(self, width: int) -> list[list[Part]]:
        """Why it cannot be done, and what to type then."""
        look, asked = self.look, self._asked
        said = (f"{capitalized(asked.obstacle)}." if asked.obstacle else "", look.plain)
        return [
            [(f" {part}", style)]
            for text, style in (said, (asked.instead, look.bold))
            for part in wrap(look.text(text), max(10, width - 1), break_on_hyphens=False)
        ]

    def _fits(self, width: int) -> bool:
        return len(self._why(width)) < self.most_below

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """The question, or why there is none; the keys."""
        look, asked = self.look, self._asked
        scroll = [(_("arrows"), _("scroll"))] if self.scrolls() else []
        if asked.obstacle:
            way_out = self.keys([*scroll, ("Esc", _("back"))])
            return [*self._why(width), way_out] if self._fits(width) else [way_out]
        parts: list[Part] = [(f" {look.text(asked.question)} ", look.bold)]
        for number, (_unused, word) in enumerate(asked.answers):
            parts += [
                (" ", look.plain),
                (f" {word} ", look.selected if number == self._marked else look.plain),
            ]
        keys = [(key, _small(word)) for key, word in asked.answers]
        return [
            parts,
            self.keys([*keys, ("Tab", _("the other")), *scroll, ("Esc", _small(asked.answers[0][1]))]),
        ]

    def draw_rule(self) -> None:
        """Whether the text scrolls is known with its place, and the keys say it."""
        super().draw_rule()
        self.draw_foot()

    def on_key(self, event: events.Key) -> None:
        """Takes the answers' own keys."""
        for number, (key, _unused) in enumerate(self._asked.answers):
            if event.character == key:
                event.stop()
                self.action_answer(number)

    def action_mark(self, by: int) -> None:
        """Marks another answer."""
        self._marked = (self._marked + by) % len(self._asked.answers)
        self.draw_foot()

    def action_take(self) -> None:
        """Enter: takes the marked answer."""
        self.action_answer(self._marked)

    def action_answer(self, number: int) -> None:
        """Ends with an answer; only with the first where it cannot be done."""
        if number == 0 or not self._asked.obstacle:
            self.dismiss(self._asked.answers[number][0])
