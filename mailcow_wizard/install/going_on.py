"""What was said when an install was begun counts for whoever goes on with it, unless they say otherwise."""

from __future__ import annotations

from mailcow_wizard.engine.given import Choices, Given
from mailcow_wizard.engine.session import Session, joined
from mailcow_wizard.engine.worker import settings_of
from mailcow_wizard.facts.mailcow_conf import pairs
from mailcow_wizard.install.standing import Standing
from mailcow_wizard.model import Settings

_ANEW = "answered "
NAME = "MAILCOW_HOSTNAME"


def settings(session: Session, before: Standing | None) -> Settings:
    """The session's settings; what they leave open is as it was when an unfinished install was begun."""
    now = session.settings
    if before is None or before.state == "done":
        return now
    plain, then = Settings(), settings_of(before.settings)
    said = {name for name, value in now._asdict().items() if value != getattr(plain, name)}
    said |= {"directory"} if session.named else set()
    if not session.given.conf:  # what was chosen since does not take back what a file answered then
        now = now._replace(conf=joined(then.conf, now.conf))
    return then._replace(**{name: getattr(now, name) for name in said})


def choices(session: Session, before: Standing | None) -> Choices:
    """What a file answers; without one, what was chosen when an unfinished install was begun."""
    if before is None or before.state == "done" or session.given != Given():
        return session.given.choices
    return before.choices


def reopened(before: Standing, now: Settings, choices: Choices, secret: bool) -> Standing:
    """An unfinished install with new settings and choices: stages that were done with other answers wait
    again, and the keys of mailcow.conf that were answered anew are marked. `secret`: secret ones were
    answered, too."""
    keys = _answered_anew(before, now)
    asked = {
        "clone": (choices.repository, choices.branch) != (before.choices.repository, before.choices.branch),
        "configuration": secret or bool(keys),
        "override": choices.mtu != before.choices.mtu,
    }
    stages = tuple(one._replace(state="waiting") if asked.get(one.id) else one for one in before.stages)
    marks = tuple(dict.fromkeys((*before.marks, *(f"{_ANEW}{key}" for key in keys))))
    return before._replace(settings=now._asdict(), choices=choices, stages=stages, marks=marks)


def key_of(mark: str) -> str:
    """The key of mailcow.conf that this mark says was answered anew; empty where it says something else."""
    return mark.removeprefix(_ANEW) if mark.startswith(_ANEW) else ""


def _answered_anew(before: Standing, now: Settings) -> tuple[str, ...]:
    then = settings_of(before.settings)
    was, answered = pairs(then.conf), pairs(now.conf)
    keys = tuple(key for key, value in answered.items() if was.get(key) != value)
    name = now.hostname or now.saved_hostname
    known = ("", then.hostname or then.saved_hostname, before.hostname)
    return keys if name in known else (*keys, NAME)
