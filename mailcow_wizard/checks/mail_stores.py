"""Whether MariaDB and Redis serve who comes: they take a connection and say that they do not, too."""

from __future__ import annotations

from mailcow_wizard.checks.mail_web import LOGS
from mailcow_wizard.checks.troubles import Trouble
from mailcow_wizard.facts.mail.talks import Talk
from mailcow_wizard.language import _
from mailcow_wizard.model import Status
from mailcow_wizard.patterns import pattern

_SHOWN = 120
# MariaDB's first packet: three bytes of length, a number, then 255, the error's number, sometimes its state.
_ERROR = pattern(r"(?s)....\xff(..)(?:#.{5})?(.*)")
_NOT_FROM_HERE = 1130  # ER_HOST_NOT_PRIVILEGED: the containers come from elsewhere
_REFUSAL = pattern(r"-(?!NOAUTH\b|NOPERM\b)[A-Z].*")
_FOR_A_MOMENT = "-LOADING"


def serves_nobody(talk: Talk) -> Trouble | None:
    """An error in place of a greeting, or of the answer to PING."""
    port = talk.binding.port
    said = {"ports.mysql": _of_mariadb, "ports.redis": _of_redis}.get(port.id, lambda _talk: "")(talk)
    if not said:
        return None
    words = _("{where} serves nobody: {greeting}", where=talk.where, greeting=said[:_SHOWN])
    status: Status = "unknown" if said.startswith(_FOR_A_MOMENT) else "fail"
    return Trouble(status, words, (LOGS.format(port.container),))


def _of_mariadb(talk: Talk) -> str:
    error = _ERROR.match(talk.spoken.greeting)
    return error[2] if error and _number(error[1]) != _NOT_FROM_HERE else ""


def _of_redis(talk: Talk) -> str:
    refusal = _REFUSAL.match(talk.spoken.replies[0])
    return refusal[0] if refusal else ""


def _number(two: str) -> int:
    return int.from_bytes(two.encode("latin-1"), "little")
