"""Where mailcow wants to listen, and whether a socket that is there already stands in the way.

Docker binds IPv4 and IPv6 with sockets of their own (the IPv6 one IPV6_V6ONLY), each for one address or for
every address of its family. An address in mailcow.conf binds IPv4 only.
"""

import re
from collections.abc import Mapping

from mailcow_wizard import requirements as need
from mailcow_wizard.host.replies import Listener
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_ADDRESS = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_PORT_VALUE = rf"(?:(?P<address>{_ADDRESS}):)?(?P<number>[0-9]{{1,5}})"
_V4_MAPPED = "::ffff:"
EVERY_ADDRESS_V4 = "0.0.0.0"
LOOPBACK_V4 = "127.0.0.1"
USUAL = {"HTTP_PORT": 80, "HTTPS_PORT": 443}
"""The ports of the web that a proxy has where mailcow's own are bound to loopback, by key of mailcow.conf."""


class Binding(NamedTuple):
    """A port that mailcow will bind. `address` is empty for every address of both families; `problem` says
    why mailcow.conf's value cannot work, `doubt` why it cannot be told; then `number` is the default."""

    port: need.Port
    address: str
    number: int
    problem: str = ""
    doubt: str = ""

    @property
    def where(self) -> str:
        """For people: `port 25`, or `10.0.0.1:25` where it is bound to one address."""
        return f"{self.address}:{self.number}" if self.address else _("port {number}", number=self.number)

    @property
    def from_here(self) -> str:
        """The address at which this machine itself reaches it."""
        return LOOPBACK_V4 if self.address in ("", EVERY_ADDRESS_V4) else self.address

    @property
    def public_number(self) -> int | None:
        """The port at which the world meets it, a proxy's where one is before it; None where the world does
        not."""
        return USUAL.get(self.port.key) if self.address.startswith("127.") else self.number


def bindings(values: Mapping[str, str], odd: Mapping[str, str] | None = None) -> tuple[Binding, ...]:
    """What mailcow will bind, by the values of mailcow.conf; unset keys take mailcow's own defaults.

    `odd` holds lines that bash and compose read differently, by key.
    """
    found = [_doubted(_binding(port, values), odd or {}) for port in need.PORTS]
    return tuple(_with_rival(one, found) for one in found)


def _doubted(binding: Binding, odd: Mapping[str, str]) -> Binding:
    port = binding.port
    line = odd.get(port.key) or (odd.get(port.bind_key) if port.bind_key else None)
    if line is None:
        return binding
    return binding._replace(doubt=_("bash and docker compose read this line differently: {line}", line=line))


def _with_rival(binding: Binding, every: list[Binding]) -> Binding:
    """Says so where another of mailcow's services is put to the same place."""
    for other in every:
        if other is not binding and not binding.problem and _same_place(binding, other):
            first, second = sorted((binding, other), key=lambda one: need.PORTS.index(one.port))
            return binding._replace(
                problem=_(
                    "{key} and {other} both name {where}",
                    key=second.port.key,
                    other=first.port.key,
                    where=binding.where,
                )
            )
    return binding


def _same_place(one: Binding, other: Binding) -> bool:
    every = ("", EVERY_ADDRESS_V4)
    meets = one.address == other.address or one.address in every or other.address in every
    return one.number == other.number and meets


def _binding(port: need.Port, values: Mapping[str, str]) -> Binding:
    text = values.get(port.key) or ""
    if not text:
        address, number = port.address, port.number
    else:
        match = re.fullmatch(_PORT_VALUE, text)
        if not match or not 0 < int(match["number"]) < 65536 or (match["address"] and port.bind_key):
            wanted = _("a port") if port.bind_key else _("a port, or an IPv4 address and a port")
            return Binding(
                port,
                port.address,
                port.number,
                _("{key}={text} is not {wanted}", key=port.key, text=text, wanted=wanted),
            )
        address, number = match["address"] or "", int(match["number"])
    if port.bind_key and number in need.PORTS_RESERVED_IN_NGINX:
        return Binding(
            port,
            address,
            number,
            _("{key}={number} is used inside mailcow's own web server", key=port.key, number=number),
        )
    bind = values.get(port.bind_key) or "" if port.bind_key else ""
    if bind and not re.fullmatch(_ADDRESS, bind):
        return Binding(
            port,
            address,
            number,
            _("{bind_key}={bind} is not an IPv4 address", bind_key=port.bind_key, bind=bind),
        )
    return Binding(port, bind or address, number)


def conflicts(binding: Binding, listener: Listener) -> bool:
    """Whether the listener keeps Docker from binding."""
    if listener.port != binding.number:
        return False
    in_v4 = v4_address(listener)
    if not binding.address:
        return True
    if in_v4 is None:
        return False
    return EVERY_ADDRESS_V4 in (in_v4, binding.address) or in_v4 == binding.address


def only_v6(listener: Listener) -> bool:
    """Whether the listener stands in the way of IPv6 alone."""
    return v4_address(listener) is None


def v4_address(listener: Listener) -> str | None:
    """The IPv4 address that a listener takes; None when it takes none."""
    if listener.family == 4:
        return listener.address
    if listener.address.startswith(_V4_MAPPED):
        return listener.address.removeprefix(_V4_MAPPED)
    if listener.address == "::" and not listener.v6only:
        return EVERY_ADDRESS_V4
    return None
