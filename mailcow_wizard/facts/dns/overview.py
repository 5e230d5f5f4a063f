"""All that is said of DNS at once: the table of records, and the names on the certificate."""

from __future__ import annotations

import threading

from mailcow_wizard.facts.dns.certificate import Certificate, certificate
from mailcow_wizard.facts.dns.table import Row, table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple


class Overview(NamedTuple):
    """The rows in the order of need; the certificate, None where that could not be asked (`trouble`)."""

    rows: tuple[Row, ...]
    certificate: Certificate | None
    trouble: str = ""


def overview(facts: Facts) -> Overview:
    """Asks for both at the same time. Raises HostError where the table could not be asked for."""
    found: list[Certificate] = []
    problems: list[str] = []

    def ask() -> None:
        try:
            found.append(facts.get(certificate))
        except HostError as error:
            problems.append(str(error))

    beside = threading.Thread(target=ask, daemon=True, name="certificate")
    beside.start()
    rows = facts.get(table)
    beside.join()
    return Overview(rows, next(iter(found), None), next(iter(problems), ""))
