"""The DKIM keys that mailcow signs with, where it runs on this machine: it keeps them in its Redis."""

from __future__ import annotations

from collections.abc import Mapping

from mailcow_wizard.facts.containers import Container, containers
from mailcow_wizard.facts.dns.mail_server import mail_server
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

SELECTOR = "dkim"
"""The selector that mailcow proposes."""
_SERVICE = "redis-mailcow"
# Asked in the container, with the password that it was given itself: none leaves it, and none is in an
# argument. Of each hash one line for each domain, empty where it has none.
SCRIPT = (
    'if [ -n "$REDISPASS" ]; then export REDISCLI_AUTH="$REDISPASS"; fi; '
    'redis-cli --raw HMGET DKIM_SELECTORS "$@" && redis-cli --raw HMGET DKIM_PUB_KEYS "$@"'
)
_PATIENCE_S = 5.0
_NAME = pattern(r"[A-Za-z0-9._-]{1,200}")
_BASE64 = pattern(r"[A-Za-z0-9+/]{40,4000}={0,2}")


class SigningKey(NamedTuple):
    """What mailcow signs a domain's mail with. `public` is the key's text in Base64, empty where there is
    none; `runs` that mailcow was asked, `trouble` why that was not possible although it may run."""

    selector: str = SELECTOR
    public: str = ""
    runs: bool = False
    trouble: str = ""

    @property
    def record(self) -> str:
        """The record as mailcow shows it; empty where there is no key."""
        return f"v=DKIM1;k=rsa;t=s;s=email;p={self.public}" if self.public else ""


def signing_keys(facts: Facts) -> Mapping[str, SigningKey]:
    """Of each mail domain the key. Raises NoName."""
    domains = facts.get(mail_server).domains
    try:
        redis = _redis(facts)
    except HostError as error:
        return dict.fromkeys(domains, SigningKey(trouble=str(error)))
    if redis is None:
        return dict.fromkeys(domains, SigningKey())
    try:
        ran = facts.host.run(("docker", "exec", redis.id, "sh", "-c", SCRIPT, "sh", *domains), _PATIENCE_S)
    except HostError as error:
        return dict.fromkeys(domains, SigningKey(trouble=str(error)))
    lines = ran.out.removesuffix("\n").split("\n")
    count = len(domains)
    rows = zip(lines[:count], lines[count:], strict=False)
    keys = [_key(selector.strip(), public.strip()) for selector, public in rows]
    if ran.code != 0 or len(lines) != 2 * count or not all(keys):
        return dict.fromkeys(domains, SigningKey(trouble=_("mailcow's Redis does not tell its DKIM keys")))
    return {domain: key for domain, key in zip(domains, keys, strict=True) if key}


def _redis(facts: Facts) -> Container | None:
    """mailcow's Redis, where it runs. Raises HostError where that is not known."""
    try:
        running = facts.get(containers)
    except Missing:
        return None
    except HostError:
        if not facts.get(mailcow_conf).exists:
            return None
        raise
    project = facts.get(mailcow_conf).get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
    directory = facts.settings.directory.rstrip("/")
    own = [
        one
        for one in running
        if one.service == _SERVICE and (one.project == project or one.directory.rstrip("/") == directory)
    ]
    return next(iter(own), None)


def _key(selector: str, public: str) -> SigningKey | None:
    """A key as mailcow keeps it; None where it is something else."""
    if not public:
        return SigningKey(runs=True)
    if not _BASE64.fullmatch(public) or not _NAME.fullmatch(selector or SELECTOR):
        return None
    return SigningKey(selector or SELECTOR, public, True)
