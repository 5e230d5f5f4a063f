"""What Docker says where it cannot start one of mailcow's containers, at the first start as later, and what
helps."""

from __future__ import annotations

from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

RESTART = _(
    "Restart Docker (its containers stop and come back, unless it has live-restore): systemctl restart docker"
)


class Said(NamedTuple):
    """A message by its `pattern`: `kind` names it, `words` say what it means in a sentence's part."""

    kind: str
    pattern: str
    words: str
    remedy: str


MESSAGES = (
    Said(
        "address",
        # The whole message, with no port in it: two containers are given one address.
        r"(?im)(?:^|(?:daemon|networking): )address already in use$",
        _("another container has an address in mailcow's network that one of mailcow's needs"),
        _(
            "See who has which address: `docker network ls -qf name=mailcow-network | xargs docker network "
            "inspect`. Stop that container, or give it another."
        ),
    ),
    Said(
        "bind",
        r"(?i)(?:bind|listen)\b.{0,400}\bcannot assign requested address\b",
        _("mailcow is to listen at an address that this machine does not have"),
        _("Correct the address in mailcow.conf: `check config.values`"),
    ),
    Said(
        "rules",
        r"(?i)no chain/target/match by that name|couldn't load target",
        _("Docker's firewall rules are gone, another program has taken them away"),
        _(
            "Let Docker make them again (`systemctl restart docker`), and see who takes them away: "
            "`check firewall.backend`"
        ),
    ),
    Said(
        "gone",
        r"(?im)\bnetwork \S{1,200} not found$",
        _("the network that mailcow's containers were made for is gone"),
        _(
            "Make mailcow's network anew: `docker compose down`, then `docker compose up -d`. Mail and "
            "settings stay."
        ),
    ),
)
