"""Judge of a port that is free, or mailcow's, until the next boot."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Evidence, Judgement


def until_the_next_boot(facts: PortFacts, judged: Judgement) -> Judgement:
    """A warning: services that do not run now start with the machine, and would take the port."""
    where, names = facts.binding.where, listed(facts.returning)
    words = (
        ngettext(
            "mailcow itself listens on {where}, but {names} starts with the machine, and would take it",
            "mailcow itself listens on {where}, but {names} start with the machine, and would take it",
            len(facts.returning),
            where=where,
            names=names,
        )
        if facts.occupants
        else ngettext(
            "{where} is free, but {names} starts with the machine, and would take it",
            "{where} is free, but {names} start with the machine, and would take it",
            len(facts.returning),
            where=where,
            names=names,
        )
    )
    shown, command = _openrc(facts.returning) if _is_openrcs(facts.returning) else _systemd(facts.returning)
    return judged._replace(
        status="warn",
        summary=words,
        found=_("free only until the next boot: {names}", names=names),
        evidence=(*judged.evidence, *shown),
        severity="breaks",
        certainty="inferred",
        remedies=(
            _(
                "Keep it from starting with the machine: {command}",
                command=command,
            ),
        ),
    )


def _is_openrcs(names: Sequence[str]) -> bool:
    """Whether these are OpenRC's, whose names have no kind."""
    return not any(one.endswith((".service", ".socket")) for one in names)


def _systemd(names: Sequence[str]) -> tuple[list[Evidence], str]:
    """What shows that they come back, and the command that keeps them off."""
    shown = [Evidence(f"systemctl is-enabled {quote(one)}", "enabled") for one in names]
    shown += [Evidence(f"systemctl status {quote(one)}", _("it does not run")) for one in names]
    return shown, f"systemctl disable {' '.join(map(quote, names))}"


def _openrc(names: Sequence[str]) -> tuple[list[Evidence], str]:
    shown = [Evidence(f"rc-service {quote(one)} status", _("it does not run")) for one in names]
    listed_in = Evidence("rc-update show", ", ".join(names))
    return [listed_in, *shown], " && ".join(f"rc-update -a del {quote(one)}" for one in names)
