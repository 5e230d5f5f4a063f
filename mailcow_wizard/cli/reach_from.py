"""`reach --from HOST TOKEN`: the far side, on another machine; its table is that of the near side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailcow_wizard import __version__
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.engine.reach_words import Asked, BadReport, extra_of, ports_of
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.processes.in_time import why
from mailcow_wizard.host.reach import asker as reach_asker
from mailcow_wizard.host.reach.talk import Door
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, heard
from mailcow_wizard.report.document import SCHEMA

_STATES = {
    "a": "arrived",
    **dict.fromkeys(("o", "t"), "open"),
    "m": "answered by something else",
    "r": "refused on the way",
    "s": "never arrived",
    "n": "no way there from here",
}
"""What became of a port, in the document."""
_SAID = {
    "a": _("arrived"),
    **dict.fromkeys(("o", "t"), _("open")),
    "m": _("answered by something else"),
    "r": _("refused on the way"),
    "s": _("never arrived"),
    "n": _("no way there from here"),
}


def ask(options: Options, write: Callable[[str], None]) -> int:
    """Knocks at every port and reports; returns the exit code. Raises UsageError."""
    token = options.words[0] if options.words else ""
    try:
        ports = ports_of(token)
    except BadReport as error:
        raise UsageError(
            _("--from HOST is followed by the token that the near side shows: {why}", why=error)
        ) from None
    try:
        addresses = [one for host in options.asked_from.split(",") for one in reach_asker.addresses_of(host)]
    except OSError:
        raise UsageError(
            _("--from {host}: no address is known", host=harmless(options.asked_from, 80))
        ) from None
    results, report = _knocked(addresses, ports, token)
    shown = _told(results, token, report)
    if options.json:
        import json

        rows = [
            {"address": one.address, "port": one.port, "state": _STATES[answer[0]]}
            for one, answer in results.items()
        ]
        document = {"schema": SCHEMA, "version": __version__, "report": report}
        write(json.dumps({**document, "told": shown is not None, "ports": rows}) + "\n")
    else:
        write(_lines(results, shown, report))
    extra = extra_of(token)
    codes = {answer[0] for door, answer in results.items() if door.port != extra}
    if codes & {"m", "r", "s"}:
        return exit_codes.FAIL
    return exit_codes.OK if codes & {"a", "o", "t"} else exit_codes.UNKNOWN


def knock(addresses: Sequence[str], token: str) -> str:
    """The same for a near side that asked for it: shows nothing here, and brings the report there; the report
    itself where that cannot be done. Raises BadReport."""
    results, report = _knocked(addresses, ports_of(token), token)
    return report if _told(results, token, report) is None else ""


def _knocked(addresses: Sequence[str], ports: Sequence[Asked], token: str) -> tuple[dict[Door, str], str]:
    """What became of each port, at the first address of each family, and the report of it."""
    one_each = {(":" in one): one for one in reversed(addresses)}
    doors = [Door(address, *one) for address in one_each.values() for one in ports]
    results = reach_asker.knock(doors, token)
    report = _report(results)
    if any(door.port == 25 and answer in ("s", "r") for door, answer in results.items()):
        leaves = reach_asker.mail_leaves()
        report += "" if leaves is None else f";c:{'o' if leaves else 's'}"
    return results, report


def _report(results: dict[Door, str]) -> str:
    parts = []
    for family, mark in ((4, "."), (6, ":")):
        codes = [
            f"{one.port}{answer}" for one, answer in results.items() if (":" in one.address) == (mark == ":")
        ]
        if codes:
            parts.append(f"{family}:{'.'.join(codes)}")
    return ";".join(parts)


def _told(results: dict[Door, str], token: str, report: str) -> str | None:
    """The near side's table; None where nothing could be brought there. Where it was silent once it is so at
    its other ports."""
    silent: set[str] = set()
    for door, answer in results.items():
        if answer == "a" and door.address not in silent:
            try:
                return reach_asker.tell(door, token, report)
            except OSError as error:
                streams.say(_("the report did not arrive: {why}", why=heard(why(error))))
                if isinstance(error, TimeoutError):
                    silent.add(door.address)
    return None


def _lines(results: dict[Door, str], shown: str | None, report: str) -> str:
    if shown is not None:
        return "".join(f"{harmless(line)}\n" for line in shown.splitlines())
    rows = "".join(f"{one.port:>5}  {one.address}  {_SAID[answer[0]]}\n" for one, answer in results.items())
    by_hand = f"mailcow-wizard reach --result '{report}'"
    return rows + _("The report could not be brought there. On the server: {line}", line=by_hand) + "\n"
