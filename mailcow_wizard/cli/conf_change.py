"""`conf set` and `conf new`: show the diff, ask, and have the journal do it, so that `undo` takes it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.conf import dump
from mailcow_wizard.cli.making import Refused, Talk, code_of, mention_unfinished, permitted, told, what_next
from mailcow_wizard.engine import mending
from mailcow_wizard.engine.diff import unified
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import conf_new, conf_set
from mailcow_wizard.fixes.mailcow_conf import takes_effect
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host import streams
from mailcow_wizard.host.door import HostError
from mailcow_wizard.model import Edit, Plan

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
        self._write = write
        self._facts = session.new_facts()
        self._plan = plan
        self._keys = keys

    def run(self) -> int:
        """Plans, shows, asks, does; returns the exit code."""
        try:
            plan = self._plan(self._facts)
        except conf_set.Unsuitable as error:
            raise UsageError(f"nothing was changed: {harmless(str(error))}") from None
        except HostError as error:
            streams.say(f"nothing was changed: {harmless(str(error))}")
            return exit_codes.CANNOT_WRITE
        mention_unfinished(self._session)
        code = self._shown(plan)
        self._talk.end()
        return code

    def _shown(self, plan: Plan) -> int:
        diff = "".join(unified(step) for step in plan.steps if isinstance(step, Edit))
        self._show(diff)
        if self._keys:
            for one in conf_set.remarks(self._facts, plan):
                streams.say(f"{one.level}: {harmless(one.message)}")
        if self._options.dry_run:
            return self._ended(diff, False, exit_codes.OK)
        if not mending.works(plan):
            streams.say("nothing to change: it is so already")
            return self._ended(diff, False, exit_codes.OK)
        try:
            if not permitted(self._talk, self._session, plan, "Write this?"):
                streams.say("nothing was changed")
                return self._ended(diff, False, exit_codes.OK)
            outcome = told(
                self._talk,
                self._session,
                lambda listen: mending.apply(self._session, plan, _quiet, back=True),
            )
        except Refused as refusal:
            streams.say(str(refusal))
            return self._ended(diff, False, refusal.code)
        except HostError as error:
            streams.say(f"nothing was changed: {harmless(str(error))}")
            return self._ended(diff, False, code_of(error))
        if outcome.state != "applied":
            self._say_what_is(outcome)
            return self._ended(diff, False, exit_codes.CANNOT_WRITE)
        self._say_effect()
        return self._ended(diff, True, exit_codes.OK, outcome.change)

    def _show(self, diff: str) -> None:
        """For people, and for who asks for JSON where the question is asked."""
        if not self._talk.json or self._talk.can_ask():
            self._talk.lines(diff.splitlines())

    def _say_effect(self) -> None:
        effect = takes_effect(self._facts, self._keys) if self._keys else None
        if effect:
            streams.say(effect.text)

    def _say_what_is(self, outcome: mending.Outcome) -> None:
        if outcome.state == "undone":
            streams.say(f"{outcome.error}; what was changed was taken back")
            return
        change = Journal(self._session.state).get(outcome.change)
        streams.say(f"change {change.id} is {change.state}: {outcome.error}; {what_next(change)}")

    def _ended(self, diff: str, applied: bool, code: int, change: str | None = None) -> int:
        if self._talk.json:
            dump({"diff": diff, "applied": applied, "change": change}, self._write)
        return code


def _quiet(event: mending.Progress) -> None:
    """The one step was shown already."""
