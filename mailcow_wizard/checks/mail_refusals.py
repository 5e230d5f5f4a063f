"""Why other mail servers refuse mail, by their own words, and what helps there."""

from __future__ import annotations

import re

from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

_GREETED = pattern(r"refused to talk to me: 5\d\d\b")

# The words of a refusal and what helps; all that fit count. Of operators that keep lists of their own, which
# cannot be asked by DNS, the page or address is theirs.
_KNOWN: tuple[tuple[str, str], ...] = (
    (
        r"(?i)\bS31[45]0\b|on our block ?list",
        _(
            "Microsoft keeps this address or its network on a list of its own, as it does with many new "
            "ones: ask for its removal at https://olcsupport.office.com"
        ),
    ),
    (
        r"(?i)banned sending ip|5\.7\.(?:511|60[67])\b|delist@microsoft",
        _("Microsoft blocks this address: ask for its removal at https://sender.office.com"),
    ),
    (
        r"(?i)\bto[sd]a@rx\.t-online\.de",
        _(
            "Deutsche Telekom takes mail from servers that it knows: write to tosa@rx.t-online.de, with this "
            "server's name and address. It wants a PTR record and a page under that name that says who runs "
            "it."
        ),
    ),
    (
        r"(?i)\bptr\b|\br(?:everse )?dns\b|reverse (?:hostname|lookup)|5\.7\.25\b|find your hostname",
        _("Set the reverse name of this server's address at its provider: `check dns.ptr`"),
    ),
    (
        r"(?i)dynamic|dial-?up|transient ip|generic (?:hostname|reverse)|residential",
        _(
            "The name of this address looks like that of a home line: set the server's own (`check "
            "dns.ptr`), or send through a relay host (in mailcow: System, Configuration, Routing)."
        ),
    ),
    (
        r"(?i)blocked using|spamhaus|spamcop|barracuda|dnsbl|black ?list|block ?list",
        _("See on which lists this address is, and how it gets off: `check reputation`"),
    ),
    (
        r"(?i)5\.7\.26\b|unauthenticated|not authenticated|\bspf\b|\bdkim\b|\bdmarc\b",
        _("Mend what proves that the mail is yours: `check dns.spf dns.dkim dns.dmarc`"),
    ),
)
_ANY = _("Mend what it names: `check dns.spf dns.dkim dns.dmarc dns.ptr reputation`.")


def is_refusal(said: str) -> bool:
    """Whether a server that postfix asks again and again has refused for good: its greeting was 5xx."""
    return bool(_GREETED.search(said))


def known(said: str) -> tuple[str, ...]:
    """What helps against a refusal in these words, where they are known."""
    return tuple(helps for pattern, helps in _KNOWN if re.search(pattern, said))


def remedies(said: str) -> tuple[str, ...]:
    """What helps against a refusal in these words, or in any."""
    return known(said) or (_ANY,)
