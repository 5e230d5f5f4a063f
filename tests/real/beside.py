"""This machine, where Docker says that mailcow runs. As a program: what the test messages come to, as JSON.

python -m tests.real.beside DIRECTORY LOG
"""

import json
import sys
from pathlib import Path

from mailcow_wizard.checks.mail_round_trip import CHECKS
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.replies import HttpReply, Listener, Listeners
from mailcow_wizard.model import Settings
from tests.checks.mail_machine import MailMachine, container


class Beside(RealHost):
    """Nobody else holds a port; `log` is what postfix's container says, and `address` this machine's own."""

    def __init__(self, log: Path | None = None, address: str = "127.0.0.1") -> None:
        super().__init__()
        self._log, self._address = log, address

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        lines = self._log.read_text(errors="replace") if self._log else ""
        boxes = (container("postfix-mailcow", 1e9, lines=lines), container("dovecot-mailcow", 1e9))
        return MailMachine(boxes).http(socket_path, target, timeout)

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[()]:
        return ()

    def source_address(self, destination: str) -> str:
        return self._address


def _told(directory: str, log: str, address: str, timeout: str) -> str:
    host = Beside(Path(log), address)
    facts = Facts(host, Settings(directory=directory, addresses=(address,), timeout=float(timeout)))
    (found,) = Run(CHECKS, facts, lambda event: None).run()
    told = found._asdict() | {"evidence": [one.value for one in found.evidence]}
    return json.dumps({key: told[key] for key in ("status", "summary", "found", "remedies", "evidence")})


if __name__ == "__main__":
    print(_told(*sys.argv[1:]))
