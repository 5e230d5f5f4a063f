"""mailcow.conf of the machine, as far as checks need its values."""

from collections.abc import Mapping
from types import MappingProxyType

from mailcow_wizard.conf import parse
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Missing
from mailcow_wizard.typed import NamedTuple

DEFAULT_PROJECT = "mailcowdockerized"
DEFAULT_NETWORK = "172.22.1"


class MailcowConf(NamedTuple):
    """The file's path, whether it is there, and what it sets."""

    path: str
    exists: bool
    values: Mapping[str, str]

    def get(self, key: str, default: str = "") -> str:
        """A key's value; `default` where it is unset or empty, as mailcow's compose file takes it."""
        return self.values.get(key) or default


def mailcow_conf(facts: Facts) -> MailcowConf:
    """Reads mailcow.conf in mailcow's directory; a missing file sets nothing, an unreadable one raises."""
    path = f"{facts.settings.directory.rstrip('/')}/mailcow.conf"
    try:
        text = facts.host.text(path)
    except Missing:
        return MailcowConf(path, False, MappingProxyType({}))
    return MailcowConf(path, True, MappingProxyType(parse.values(text)))
