"""The addresses that packets leave this machine with, and those that they could leave with."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.addresses import Addresses, addresses
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.routes import Address6, own_v4, own_v6
from mailcow_wizard.facts.sending import SNAT, sent_with
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple

_OFF = ("", "n")  # docker-compose.yml has n where mailcow.conf asks for no source


class Egress(NamedTuple):
    """Both families: the address that leaves and the one that the world sees, all that the machine has
    (`all_v4` is None where that could not be read), and which source mailcow.conf asks for (SNAT), by family.
    `sent` is the IPv4 address that containers send with, where the public ones were named and that is not
    this machine's usual one.
    """

    v4: Addresses
    v6: Addresses
    all_v4: tuple[str, ...] | None
    all_v6: tuple[Address6, ...]
    snat: tuple[tuple[int, str, str], ...]
    sent: str = ""

    @property
    def others(self) -> tuple[str, ...]:
        """Public addresses of this machine that packets do not leave with by themselves."""
        v6 = (one.address for one in self.all_v6 if not one.temporary and not one.deprecated)
        leaving = {self.v4.sent or self.sent or self.v4.own, self.v6.sent or self.v6.own}
        return tuple(
            one
            for one in (*(self.all_v4 or ()), *v6)
            if one not in leaving and ipaddress.ip_address(one).is_global
        )

    def has(self, address: str) -> bool | None:
        """Whether it is an address of this machine; None where that could not be read."""
        if address in (self.v4.own, self.v6.own, *(one.address for one in self.all_v6)):
            return True
        if ":" in address:
            return False
        return None if self.all_v4 is None else address in self.all_v4


def egress(facts: Facts) -> Egress:
    """Reads this machine's addresses, and asks outside where they are private. Raises HostError."""
    all_v4: tuple[str, ...] | None
    try:
        all_v4 = facts.get(own_v4) or None  # a list without any is not understood
    except HostError:
        all_v4 = None
    try:
        conf = facts.get(mailcow_conf)
        snat = tuple(
            (family, key, conf.get(key)) for family, key in SNAT.items() if conf.get(key) not in _OFF
        )
    except HostError:
        snat = ()
    v4 = facts.get(addresses, 4)
    sent = sent_with(facts, 4).address if v4.origin == "option" and v4.translated else ""
    sent = "" if sent == v4.own else sent
    return Egress(v4, facts.get(addresses, 6), all_v4, facts.get(own_v6), snat, sent)
