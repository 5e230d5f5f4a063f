"""What was said when an install was begun counts for whoever goes on with it, unless they say otherwise."""

from __future__ import annotations

from mailcow_wizard.engine.given import Choices, Given
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.worker import settings_of
from mailcow_wizard.install.standing import Standing
from mailcow_wizard.model import Settings


def settings(session: Session, before: Standing | None) -> Settings:
    """The session's settings; what they leave open is as it was when an unfinished install was begun."""
    now = session.settings
    if before is None or before.state == "done":
        return now
    plain, then = Settings(), settings_of(before.settings)
    return Settings(
        **{
            name: said if said != getattr(plain, name) else getattr(then, name)
            for name, said in now._asdict().items()
        }
    )


def choices(session: Session, before: Standing | None) -> Choices:
    """What a file answers; without one, what was chosen when an unfinished install was begun."""
    if before is None or before.state == "done" or session.given != Given():
        return session.given.choices
    return before.choices
