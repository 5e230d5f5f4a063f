"""Which checks a selector names: a step, a prefix of ids, or an id."""

from collections.abc import Sequence

from mailcow_wizard import checks
from mailcow_wizard.model import STEP_OF_TOPIC, Check


class Chosen:
    """The checks that selectors name; without one all, which are imported when they are needed."""

    def __init__(self, selectors: Sequence[str]) -> None:
        """Raises UnknownSelector."""
        self._named = select(selectors) if selectors else ()

    @property
    def first(self) -> tuple[Check, ...]:
        """Those to begin with."""
        return self._named or checks.longest()

    @property
    def all(self) -> tuple[Check, ...]:
        """In the order of the steps."""
        return self._named or checks.all_checks()


class UnknownSelector(Exception):
    """No step, prefix or id is called that."""


def select(selectors: Sequence[str]) -> tuple[Check, ...]:
    """The checks that the selectors name, in the order of the steps, each once; all without a selector.

    Only the topics asked for are imported. Raises UnknownSelector.
    """
    if not selectors:
        return checks.all_checks()
    chosen: set[str] = set()
    for selector in selectors:
        found = _named(selector)
        if not found:
            raise UnknownSelector(selector)
        chosen |= found
    topics = [topic for topic in checks.TOPICS if any(name.startswith(f"{topic}.") for name in chosen)]
    return tuple(check for topic in topics for check in checks.of_topic(topic) if check.id in chosen)


def _named(selector: str) -> set[str]:
    topic = selector.partition(".")[0]
    found: set[str] = set()
    for name in checks.TOPICS:
        if selector in (name, STEP_OF_TOPIC.get(name)):
            found |= {check.id for check in checks.of_topic(name)}
        elif topic and name.startswith(topic):
            found |= {check.id for check in checks.of_topic(name) if check.id.startswith(selector)}
    # `ports.smtp` is an id, and also the beginning of `ports.smtps`.
    return {selector} if selector in found else found
