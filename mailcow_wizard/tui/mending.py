"""From a finding to its mending: choices, plan, live log, the check's new state; and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from mailcow_wizard.engine import mending, obstacles, readable
from mailcow_wizard.engine.journal import Change, Journal
from mailcow_wizard.fixes import Offer
from mailcow_wizard.fixes.mail import PASSWORD_FILE, RESETS
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import STEP_OF_TOPIC, Listed, Plan
from mailcow_wizard.tui.background import in_background, when_at_rest
from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.planned import back_lines, change_lines, parts_of, plan_lines, refused_lines
from mailcow_wizard.tui.screens.changes import Changes
from mailcow_wizard.tui.screens.choices import Choices, Planned
from mailcow_wizard.tui.screens.decision import Asked, Decision
from mailcow_wizard.tui.screens.new_password import NewPassword
from mailcow_wizard.tui.screens.text import TextScreen
from mailcow_wizard.tui.screens.working import Working
from mailcow_wizard.tui.work import Work, ending

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard

_DRAWN_EVERY_S = 0.12
INTERRUPTED = (("n", _("Later")), ("f", _("Finish it")), ("u", _("Take it back")))


class Also(NamedTuple):
    """An answer besides yes and no: its key and word, what it means, what is called when it was given."""

    key: str
    word: str
    about: str
    chosen: Callable[[], object]


@contextmanager
def said(app: Wizard) -> Iterator[None]:
    """What the machine does not answer is said in the line of keys."""
    try:
        yield
    except HostError as error:
        app.show_keys(_("This could not be read: {error}", error=error))


def choose(app: Wizard) -> None:
    """`f`: what can be done about the row under the cursor. While a change is under way, its log."""
    row = app.row()
    if app.work and app.work.running:
        show_work(app)
    elif row and row.finding and row.finding.fixes:
        _show_choices(app, row)
    elif row:
        app.show_keys(_nothing_to_choose(row))


def _nothing_to_choose(row: Row) -> str:
    finding = row.finding
    if finding is None:
        return _("Looking…")
    if finding.status != "pass" and finding.remedies:
        return _("By hand (Enter shows all): {remedies}", remedies=finding.remedies[0])
    if finding.status in ("pass", "skipped"):
        return _("There is nothing to mend here.")
    return _("The wizard cannot mend this. Enter shows all that is known about it.")


def _show_choices(app: Wizard, row: Row) -> None:
    screen = Choices(app.look, row, obstacles.is_root(app.session), lambda plan: _asked(app, plan))

    def look() -> None:
        try:
            offers = mending.offers(app.session, row.check.id, row.finding.subject if row.finding else None)
        except HostError as error:
            screen.call_later(screen.failed, _("This could not be looked at: {error}.", error=error))
            return
        if not offers:
            screen.call_later(screen.failed, _("There is nothing left to do about this; r looks again."))
            return
        screen.call_later(screen.offer, offers)
        for number, offer in enumerate(offers):
            screen.call_later(screen.planned, number, _planned(offer))

    def chosen(plan: Plan | None) -> None:
        if plan:
            carry_out(app, plan)

    app.push_screen(screen, chosen)
    in_background(app, "choices", look, screen.failed)


def _planned(offer: Offer) -> Planned:
    try:
        return Planned(offer.plan())
    except NotRecorded:
        return Planned(problem=_("Not possible here: the recording does not hold what this plan needs"))
    except HostError as error:
        return Planned(problem=_("Not possible here: {error}", error=error))
    except Exception as error:  # one choice that cannot be planned must not hide the others
        return Planned(
            problem=_(
                "The wizard made a mistake here: {name}: {error}", name=type(error).__name__, error=error
            )
        )


def _asked(app: Wizard, plan: Plan, instead: str = "") -> Asked:
    """The plan as a question."""
    steps = readable.steps(plan)
    root = obstacles.is_root(app.session)
    subject = f" --subject {plan.subject}" if plan.subject else ""
    under_way = _under_way(app)
    return Asked(
        plan.title,
        _("Do this?"),
        lambda width: plan_lines(plan, steps, root, width),
        obstacle=under_way or obstacles.obstacle_of(app.session, plan),
        instead="" if under_way else _elsewhere(app, instead or f"fix {plan.check} {plan.fix}{subject}"),
    )


def _under_way(app: Wizard) -> str:
    """Why no change can begin now: one is under way here. Empty where none is."""
    if app.work and app.work.running:
        return _("a change is under way here; this one can begin when it has ended")
    return ""


def _elsewhere(app: Wizard, words: str) -> str:
    return _("{elsewhere}: sudo ./wizard {words}", elsewhere=obstacles.elsewhere(app.session), words=words)


def ask(
    app: Wizard,
    plan: Plan,
    instead: str,
    agreed: Callable[[], object],
    made: Callable[[], None],
    meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext,
    also: Also | None = None,
) -> None:
    """Shows a plan that was made on a screen of its own, and carries it out on yes: `agreed` is called first,
    `made` when it was made. `instead` is what to type where it cannot be done here; `meanwhile` holds as long
    as it goes on. `also` is another answer, with which it is carried out, too."""
    asked = _asked(app, plan, instead)
    if also:
        asked = asked.with_answer(also.key, also.word, also.about)

    def answered(answer: str | None) -> None:
        if also and answer == also.key:
            also.chosen()
        if answer == "y" or (also and answer == also.key):
            agreed()
            carry_out(app, plan, made, meanwhile)

    app.push_screen(Decision(app.look, asked), answered)


def carry_out(
    app: Wizard,
    plan: Plan,
    made: Callable[[], None] | None = None,
    meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """Makes the change, and shows how it goes; in the end the password that it made, where it made one."""

    def do(listen: mending.Listen) -> mending.Outcome:
        with meanwhile():
            return mending.apply(app.session, plan, listen)

    def reset() -> None:
        if (plan.check, plan.fix) == RESETS:
            when_at_rest(app, lambda: app.push_screen(NewPassword(app.look, "admin", PASSWORD_FILE)))

    steps = len(plan.steps)
    begin(app, Work(plan.title, plan.check, steps, do, reversible=plan.reversible, made=made or reset))


def begin(app: Wizard, work: Work) -> None:
    """Starts work, and shows its log; while other work goes on, that one's."""
    if app.work and app.work.running:
        show_work(app)
        return
    app.work = work

    def tell() -> None:
        app.call_later(_heard, app, work)

    work.start(tell)
    show_work(app)


def _heard(app: Wizard, work: Work) -> None:
    """A flood of lines is drawn a few times a second; the end at once."""
    if work.running:
        app.set_timer(_DRAWN_EVERY_S, lambda: _draw(app, work))
    else:
        _draw(app, work)


def _draw(app: Wizard, work: Work) -> None:
    work.seen()
    logs = [screen for screen in app.screen_stack if isinstance(screen, Working)]
    for log in logs:
        log.show()
    if work.confirming and not work.asked:
        work.asked = True
        # What is typed at this moment, into a field, would be taken for the answer.
        when_at_rest(app, lambda: _ask_to_confirm(app, work))
    if work.running or work.told:
        return
    work.told = True
    if work.outcome and work.outcome.state == "applied":
        work.made()
    sentences = ending(work)[1]
    app.events_log.append(f"{work.title}: {sentences[0]}")
    for screen in app.screen_stack:
        if isinstance(screen, Changes):
            with said(app):
                screen.show(Journal(app.session.state).list())
    app.look_again(_concerned(app, work))
    if not logs:
        app.show_keys(sentences[0])


def _ask_to_confirm(app: Wizard, work: Work) -> None:
    if work.confirming and not any(isinstance(screen, Working) for screen in app.screen_stack):
        show_work(app)


def _concerned(app: Wizard, work: Work) -> list[Listed]:
    """The checks to which a change may matter: those of its step, of ports and of the configuration; where it
    edits mailcow.conf all, since most read that (whether memory is enough, say, or what DNS should hold)."""
    topic = work.check.partition(".")[0]
    steps = {STEP_OF_TOPIC.get(topic, topic), "ports", "config"}
    with suppress(HostError):
        if work.outcome and _edits_settings(Journal(app.session.state).get(work.outcome.change)):
            steps = {one.id for one in app.board.steps}
    return [check for one in app.board.steps if one.id in steps for check in app.board.checks_of(one.id)]


def _edits_settings(change: Change) -> bool:
    return any(str(step.get("path", "")).endswith("/mailcow.conf") for step in change.steps)


def show_work(app: Wizard) -> None:
    """Shows the log of the change that is under way, or that was the last one."""
    work = app.work
    if work is None:
        return

    def closed(answer: str | None) -> None:
        if answer and work.outcome:
            with said(app):
                change = Journal(app.session.state).get(work.outcome.change)
                (_take_back if answer == "back" else ask_back)(app, change)

    app.push_screen(Working(app.look, work, lambda: _stop(app), lambda: _keep(app, work)), closed)


def _keep(app: Wizard, work: Work) -> None:
    with said(app):
        change = obstacles.under_way(Journal(app.session.state).list())
        if change:
            mending.confirm(app.session, change.id)
            work.confirming = ""


def _stop(app: Wizard) -> None:
    with said(app):
        change = obstacles.under_way(Journal(app.session.state).list())
        if change:
            mending.stop(app.session, change.id)


def undo_newest(app: Wizard) -> None:
    """`u`: asks whether to take back the newest change that is still there."""
    if app.work and app.work.running:
        show_work(app)
        return
    change = obstacles.newest(Journal(app.session.state).list())
    if change is None:
        app.show_keys(_("There is nothing to take back: the wizard has changed nothing on this machine."))
    else:
        ask_back(app, change)


def ask_back(app: Wizard, change: Change) -> None:
    """Shows what taking a change back would do now, and does it on yes."""
    title = _("Take back: {change}", change=change.title)
    try:
        plan = mending.backward(app.session, change.id)
    except HostError as error:
        asked = Asked(title, "", partial(refused_lines, change, error), obstacle=heard(error))
    else:
        steps = readable.steps(plan)
        under_way = _under_way(app)
        asked = Asked(
            title,
            _("Take this back?"),
            lambda width: back_lines(change, steps, plan.interrupts, width),
            obstacle=under_way or obstacles.obstacle(app.session, plan.needs_root),
            instead="" if under_way else _elsewhere(app, f"undo {change.id}"),
        )

    def answered(answer: str | None) -> None:
        if answer == "y":
            _take_back(app, change)

    app.push_screen(Decision(app.look, asked), answered)


def _take_back(app: Wizard, change: Change) -> None:
    def do(listen: mending.Listen) -> mending.Outcome:
        return mending.take_back(app.session, change.id, listen)

    begin(
        app,
        Work(_("Take back: {change}", change=change.title), change.check, len(change.steps), do, back=True),
    )


def _finish(app: Wizard, change: Change) -> None:
    def do(listen: mending.Listen) -> mending.Outcome:
        return mending.finish(app.session, change.id, listen)

    if change.doing == "undo":
        _take_back(app, change)
        return
    title = _("Finish: {change}", change=change.title)
    begin(app, Work(title, change.check, len(change.steps), do, reversible=change.reversible))


def show_changes(app: Wizard) -> None:
    """`U`: all changes."""
    journal = Journal(app.session.state)

    def do(what: str, change: Change) -> None:
        if what == "undo":
            ask_back(app, change)
        elif what == "finish":
            _finish(app, change)
        else:
            app.push_screen(
                TextScreen(
                    app.look,
                    change.title,
                    lambda width: [parts_of(line, app.look) for line in change_lines(change, width - 2)],
                )
            )

    app.push_screen(Changes(app.look, journal.list(), do))


def greet(app: Wizard) -> None:
    """At the start: what is under way is shown, what was interrupted is asked about."""
    with said(app):
        changes = Journal(app.session.state).list()
        under_way, interrupted = obstacles.under_way(changes), obstacles.interrupted(changes)
        if under_way:
            _join(app, under_way)
        elif interrupted:
            _ask_interrupted(app, interrupted)


def _join(app: Wizard, change: Change) -> None:
    def do(listen: mending.Listen) -> mending.Outcome:
        return mending.follow(app.session, change.id, listen)

    back, reversible = change.state == "undoing", change.reversible
    begin(app, Work(change.title, change.check, len(change.steps), do, back, reversible))


def _ask_interrupted(app: Wizard, change: Change) -> None:
    asked = Asked(
        _("Interrupted: {change}", change=change.title),
        _("What now?"),
        lambda width: change_lines(change, width),
        # Where it was being taken back, to finish it would be that.
        tuple(one for one in INTERRUPTED if one[0] != "f" or change.doing == "apply"),
        obstacle=obstacles.obstacle(app.session, False),
    )

    def answered(answer: str | None) -> None:
        if answer == "f":
            _finish(app, change)
        elif answer == "u":
            _take_back(app, change)
        else:
            app.show_keys(_("It stays as it is until you decide; U lists it."))

    app.push_screen(Decision(app.look, asked), answered)
