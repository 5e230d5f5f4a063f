"""`verify --first-mailbox`: the first mailbox through mailcow's API, and a test message to it."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.fix import Making
from mailcow_wizard.cli.making import Refused, Talk, mention_unfinished, planned
from mailcow_wizard.cli.opening import absolute
from mailcow_wizard.cli.session_talk import in_session
from mailcow_wizard.engine import first_mailbox as engine
from mailcow_wizard.engine.session import Session
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _


def first_mailbox(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    return in_session(options, write, lambda session, talk: _made(session, options, talk))


def _made(session: Session, options: Options, talk: Talk) -> int:
    mention_unfinished(session)
    mailbox = options.first_mailbox
    kept = absolute(options.password_file, session.host)
    if not kept and not options.dry_run and (talk.json or not streams.on_terminal()):
        raise Refused(
            exit_codes.USAGE,
            _(
                "nothing was changed: the new password is shown on a terminal only; without one it takes "
                "--password-file FILE"
            ),
        )
    plan = planned(lambda: engine.planned(session, mailbox, kept))
    password = None if kept else (mailbox, engine.password_file(session))
    making = Making(session, options, talk, plan, password=password)
    with engine.tried(session, mailbox, kept):
        code = making.run()
    if making.applied:
        record = engine.made(session, mailbox)
        if record:
            talk.line(
                _("To publish (./wizard dns shows and watches it): {record}", record=harmless(record, 1000))
            )
        talk.line(
            _("A program of yours needs mailcow's API? ./wizard verify --api-key here makes a key of it.")
        )
    return code
