"""Which Docker Compose is installed, as mailcow's scripts look for it: the plugin first, then the program."""

import re

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.typed import NamedTuple

# Where root's own Docker client finds plugins that the clean environment of our commands does not name.
_ROOTS_PLUGIN = "/root/.docker/cli-plugins/docker-compose"
_TIMEOUT_S = 5.0


class Compose(NamedTuple):
    """The versions of the plugin (`docker compose`) and of the program (`docker-compose`); empty where it is
    not installed. `client`: the command docker is there. `unread` says what could not be asked."""

    native: str
    standalone: str
    client: bool
    unread: str

    @property
    def flavour(self) -> str:
        """What mailcow's update.sh would choose: native, standalone, or empty."""
        for name, version in (("native", self.native), ("standalone", self.standalone)):
            if version:
                return name if _major(version) >= 2 else ""
        return ""

    @property
    def flavours(self) -> tuple[str, ...]:
        """All that mailcow's scripts can work with, the one that update.sh would choose first."""
        both = (("native", self.native), ("standalone", self.standalone))
        return tuple(name for name, version in both if version and _major(version) >= 2)


def compose(facts: Facts) -> Compose:
    """Asks both for their version."""
    native, client, trouble = _asked(facts, ("docker", "compose", "version", "--short"))
    if not native and client and facts.host.exists(_ROOTS_PLUGIN):
        native, _, trouble = _asked(facts, (_ROOTS_PLUGIN, "version", "--short"))
    standalone, _, other = _asked(facts, ("docker-compose", "version", "--short"))
    return Compose(native, standalone, client, trouble or other)


def _asked(facts: Facts, command: tuple[str, ...]) -> tuple[str, bool, str]:
    """The version, whether the command is there, and what stood in the way."""
    try:
        ran = facts.host.run(command, _TIMEOUT_S)
    except Missing:
        return "", False, ""
    except HostError as error:
        return "", True, str(error)
    found = re.match(r"v?(\d{1,4}\.\d+[\w.+~-]*)\s*$", ran.out.strip())
    return (found[1] if found and ran.code == 0 else ""), True, ""


def _major(version: str) -> int:
    return int(version.partition(".")[0])
