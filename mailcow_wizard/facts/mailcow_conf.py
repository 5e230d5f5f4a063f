"""mailcow.conf of the machine, as far as checks need its values."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from mailcow_wizard.conf.switch import is_yes
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

DEFAULT_PROJECT = "mailcowdockerized"
BRIDGE = "/sys/class/net/br-mailcow"
"""There since mailcow was started, until its network is taken away."""
DEFAULT_NETWORK = "172.22.1"
DEFAULT_NETWORK_V6 = "fd4d:6169:6c63:6f77::/64"
_NARROWEST_V6 = 120  # as many addresses as the /24 of IPv4 has
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_THREE = pattern(rf"({_OCTET}\.{_OCTET}\.{_OCTET})(?![\d])")


class MailcowConf(NamedTuple):
    """The file's path, whether it is there, what it sets, and the lines that cannot be relied on, by key.

    Of those, `values` has what docker compose takes, if it takes anything. Where there is no file yet,
    `values` is what was answered for it.
    """

    path: str
    exists: bool
    values: Mapping[str, str]
    odd: Mapping[str, str] = MappingProxyType({})

    def get(self, key: str, default: str = "") -> str:
        """A key's value; `default` where it is unset or empty, as mailcow's compose file takes it."""
        return self.values.get(key) or default

    def yes(self, key: str, default: str = "n") -> bool:
        """Whether a switch is on."""
        return is_yes(self.get(key, default))

    @property
    def ipv6(self) -> str:
        """What ENABLE_IPV6 says, in small letters; empty where no line does. Nothing behind it is `true`: so
        mailcow's compose file takes it."""
        return "true" if self.values.get("ENABLE_IPV6") == "" else self.get("ENABLE_IPV6").lower()

    @property
    def source(self) -> str:
        """Where a value is corrected: in the file, or where it was answered for one that is not there yet."""
        if self.exists:
            return self.path
        return _("the settings for the install (s in the step Configuration, or the file of answers)")

    def command_for(self, key: str) -> str:
        """How a value is seen by hand."""
        return f"grep ^{key}= {self.path}" if self.exists else "./wizard answers"

    @property
    def network(self) -> str:
        """The first three numbers of the containers' /24. Of a value that mailcow cannot use, those that it
        begins with: what it is to be corrected to; else mailcow's own."""
        found = _THREE.match(self.get("IPV4_NETWORK", DEFAULT_NETWORK))
        return found[1] if found else DEFAULT_NETWORK

    @property
    def network_v6(self) -> str:
        """The containers' network of IPv6; mailcow's own in place of a value that is none, or too narrow."""
        import ipaddress

        try:
            found = ipaddress.IPv6Network(self.get("IPV6_NETWORK", DEFAULT_NETWORK_V6))
        except ValueError:
            return DEFAULT_NETWORK_V6
        return str(found) if found.prefixlen <= _NARROWEST_V6 else DEFAULT_NETWORK_V6


def mailcow_conf(facts: Facts) -> MailcowConf:
    """Reads mailcow.conf in mailcow's directory; a missing file sets what was answered for it, an unreadable
    one raises."""
    path = facts.settings.within("mailcow.conf")
    try:
        content = facts.host.read(path)
    except Missing:
        if _is_dangling(facts, path):
            raise HostError(_("{path} is a link that leads nowhere", path=path)) from None
        return MailcowConf(path, False, MappingProxyType(answered(facts)))
    # A server without the file, which most are that are looked at, needs no reader of it.
    from mailcow_wizard.conf.reading import readings, text_of

    text = text_of(content)
    if "\0" in text:
        raise HostError(_("{path} is not a text file", path=path))
    read = readings(text)
    values = {key: _alone(key, value) for key, value in read.values().items()}
    return MailcowConf(path, True, MappingProxyType(values), MappingProxyType(read.odd_lines()))


def answered(facts: Facts) -> dict[str, str]:
    """What mailcow.conf is to hold, by key, as it was answered."""
    return pairs(facts.settings.conf)


def pairs(conf: Iterable[str]) -> dict[str, str]:
    """Answers for mailcow.conf, which are kept as KEY=value, by key."""
    return dict(one.split("=", 1) for one in conf)


def _alone(key: str, value: str) -> str:
    """A value, which is shown, without a secret that was joined to it on one line."""
    if not re.search(r"[\s=]", value):
        return value
    from mailcow_wizard.redaction import is_secret, value_shown

    return value if is_secret(key) else value_shown(key, value)


def _is_dangling(facts: Facts, path: str) -> bool:
    try:
        return facts.host.info(path, follow=False).kind == "link"
    except HostError:
        return False
