"""`conf set` and `conf new`: show the diff, ask, and have the journal do it, so that `undo` takes it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mailcow_wizard import __version__
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.making import (
    Refused,
    Talk,
    code_of,
    mention_unfinished,
    permitted,
    say_what_is,
    told,
    unchanged,
)
from mailcow_wizard.conf.rule import LEVEL_WORDS
from mailcow_wizard.engine import mending
from mailcow_wizard.engine.diff import unified
from mailcow_wizard.engine.hard_links import sentences
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import conf_new, conf_set
from mailcow_wizard.fixes.mailcow_conf import is_lacking, path_of, said_of_none, takes_effect_words
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.changing import Changed
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit, Plan
from mailcow_wizard.report.document import SCHEMA
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_LONGEST = 1000
_MOST_NAMES = 6
Write = Callable[[str], None]


def set_values(session: Session, values: Mapping[str, str], options: Options, write: Write) -> int:
    """Gives keys other values; returns the exit code."""
    return _Change(session, options, write, lambda facts: conf_set.plan(facts, values), tuple(values)).run()


def make(session: Session, values: Mapping[str, str], options: Options, write: Write) -> int:
    """Writes a new file, with these values before what is found; returns the exit code."""
    return _Change(session, options, write, lambda facts: conf_new.plan(facts, values), ()).run()


class _Change:
    """A change of mailcow.conf on its way to the machine."""

    def __init__(
        self,
        session: Session,
        options: Options,
        write: Write,
        plan: Callable[[Facts], Plan],
        keys: tuple[str, ...],
    ) -> None:
        self._session = session
        self._options = options
        self._talk = Talk(options, write)
        self._facts = session.new_facts()
        self._plan = plan
        self._keys = keys

    def run(self) -> int:
        """Plans, shows, asks, does; returns the exit code."""
        plan = self._made()
        if isinstance(plan, Refused):
            code = self._talk.refused(plan, self._document("", False, None, str(plan)))
        else:
            mention_unfinished(self._session)
            code = self._shown(plan)
        self._talk.end()
        return code

    def _made(self) -> Plan | Refused:
        try:
            return self._plan(self._facts)
        except HostError as error:
            code = exit_codes.USAGE if isinstance(error, conf_set.Unsuitable) else code_of(error)
            said = unchanged(error, _LONGEST)
            if self._keys and is_lacking(self._facts.host, path_of(self._facts)):
                said = said_of_none(self._facts, said)
            return Refused(code, said)

    def _shown(self, plan: Plan) -> int:
        diff = self._show(plan)
        if self._options.dry_run:
            return self._ended(diff, False, exit_codes.OK)
        if not mending.works(plan):
            streams.say(_("nothing to change: it is so already"))
            return self._ended(diff, False, exit_codes.OK)
        try:
            if not permitted(self._talk, self._session, plan, _("Write this?")):
                streams.say(_("nothing was changed"))
                return self._ended(diff, False, exit_codes.OK)
            outcome = told(
                self._talk,
                self._session,
                lambda listen: mending.apply(self._session, plan, _quiet, back=True),
            )
        except Refused as refusal:
            return self._talk.refused(refusal, self._document(diff, False, None, str(refusal)))
        except Changed as error:
            return self._shown_again(diff, error)
        except HostError as error:
            streams.say(unchanged(error))
            return self._ended(diff, False, code_of(error), error=str(error))
        if outcome.state != "applied":
            say_what_is(self._session, outcome)
            return self._ended(diff, False, exit_codes.CANNOT_WRITE, error=outcome.error)
        self._say_done(plan, outcome)
        return self._ended(diff, True, exit_codes.OK, outcome.change)

    def _show(self, plan: Plan) -> str:
        """Shows the diff, to people, and to who asks for JSON where the question is asked; returns it."""
        diff = "".join(unified(step) for step in plan.steps if isinstance(step, Edit))
        if not self._talk.json or self._talk.can_ask():
            self._talk.lines(diff.splitlines())
        for said in sentences(self._session.host, plan):
            streams.say(said)
        if self._keys:
            for one in conf_set.remarks(self._facts, plan):
                streams.say(f"{LEVEL_WORDS[one.level]}: {harmless(one.message)}")
        return diff

    def _shown_again(self, diff: str, error: HostError) -> int:
        """The file is not what was shown: what would be written now is shown, and not written."""
        streams.say(unchanged(error))
        self._facts = self._session.new_facts()
        plan = self._made()
        if isinstance(plan, Refused):
            streams.say(str(plan))
        else:
            self._talk.line(_("What would be written now:"))
            diff = self._show(plan)
        return self._ended(diff, False, exit_codes.CANNOT_WRITE, error=str(error))

    def _say_done(self, plan: Plan, outcome: mending.Outcome) -> None:
        path = next(step.path for step in plan.steps if isinstance(step, Edit))
        what = ", ".join(self._keys) if 0 < len(self._keys) < _MOST_NAMES else _("all")
        self._talk.line(
            _(
                "{path}: {what} written. `./wizard undo {change}` takes it back.",
                path=harmless(path),
                what=what,
                change=outcome.change,
            )
        )
        self._talk.line(takes_effect_words(self._facts, self._keys))

    def _ended(self, diff: str, applied: bool, code: int, change: str | None = None, error: str = "") -> int:
        self._talk.document(self._document(diff, applied, change, error))
        return code

    def _document(self, diff: str, applied: bool, change: str | None, error: str) -> dict[str, Any]:
        said = {"diff": diff, "applied": applied, "change": change, "error": harmless(error, _LONGEST)}
        return {"schema": SCHEMA, "version": __version__, **said}


def _quiet(event: mending.Progress) -> None:
    """The one step was shown already."""
