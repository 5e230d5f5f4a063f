"""`verify --api-key`: a lasting key of mailcow's API, in mailcow.conf; shown once."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.fix import Making
from mailcow_wizard.cli.making import Talk, mention_unfinished, planned
from mailcow_wizard.cli.session_talk import in_session
from mailcow_wizard.engine import api_key as engine
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _
from mailcow_wizard.names import HERE


def api_key(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    return in_session(options, write, lambda session, talk: _made(session, options, talk))


def _made(session: Session, options: Options, talk: Talk) -> int:
    mention_unfinished(session)
    plan = planned(lambda: engine.planned(session, "" if options.api_key == HERE else options.api_key))
    making = Making(session, options, talk, plan)
    code = making.run()
    if making.applied:
        if streams.on_terminal() and not talk.json:
            talk.line(_("The key of mailcow's API, shown this once: {key}", key=engine.made(plan)))
        talk.line(_("It stays in mailcow.conf: ./wizard conf get API_KEY"))
    return code
