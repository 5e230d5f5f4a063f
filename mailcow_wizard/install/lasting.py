"""Whether what a stage did is still there when an install goes on: somebody may have removed it meanwhile."""

from __future__ import annotations

from mailcow_wizard.facts import docker
from mailcow_wizard.facts.config import MARKS, conf_file, place
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CLONED = MARKS[:2]


def lasts(stage: str, facts: Facts) -> bool:
    """Whether a stage that was done need not be done again. Raises HostError where nobody can tell."""
    question = _QUESTIONS.get(stage)
    return question is None or question(facts)


def _engine(facts: Facts) -> bool:
    return facts.get(docker.engine).state == "answers"


def _checkout(facts: Facts) -> bool:
    names = facts.get(place).names or ()
    return all(one in names for one in _CLONED)


def _configured(facts: Facts) -> bool:
    return facts.get(conf_file).kind == "file"


_QUESTIONS: dict[str, Callable[[Facts], bool]] = {
    "docker": _engine,
    "clone": _checkout,
    "configuration": _configured,
}
