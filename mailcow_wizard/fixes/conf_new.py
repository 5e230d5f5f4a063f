"""A new mailcow.conf from what is known of the machine, with fresh secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mailcow_wizard.conf.new import SECRETS, new
from mailcow_wizard.conf.rules import lint
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.facts import system, time_zone
from mailcow_wizard.facts.addresses import uses_v6
from mailcow_wizard.facts.compose import compose
from mailcow_wizard.facts.config import BACKUP
from mailcow_wizard.facts.free_subnet import free_subnet
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mailcow_conf import answered
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.surroundings import surroundings
from mailcow_wizard.facts.volumes import database
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.conf_set import Unsuitable
from mailcow_wizard.fixes.mailcow_conf import is_link, path_of
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.files import fresh_secrets
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

CHECK = "config.present"
FIX = "conf-new"
# generate_config.sh asks about ClamAV at 2.5 GiB and below (2621440 KiB).
CLAMAV_ABOVE = 2_621_440 << 10


class NoTimezone(Unsuitable):
    """The machine has no timezone, or one that it does not know itself."""


def answers(facts: Facts) -> dict[str, str]:
    """What is found on the machine, by key; what is not found is left out. What was answered counts more."""
    found = {
        key: value
        for key, ask in (
            ("MAILCOW_HOSTNAME", lambda: _full(hostname(facts).name)),
            ("TZ", lambda: _timezone(facts)),
            ("DOCKER_COMPOSE_VERSION", lambda: facts.get(compose).flavour or "native"),
            ("SKIP_CLAMD", lambda: "n" if facts.get(system.memory).total > CLAMAV_ABOVE else "y"),
            ("IPV4_NETWORK", lambda: facts.get(free_subnet)),
            ("ENABLE_IPV6", lambda: "true" if uses_v6(facts) else "false"),
        )
        if (value := _or_nothing(ask))
    }
    return {**found, **answered(facts)}


def plan(facts: Facts, given: Mapping[str, str]) -> Plan:
    """The plan that writes a new file; `given` counts more than what is found.

    Raises NoPlan where a file or a database is there already, Unsuitable where an answer is missing or wrong,
    HostError where the machine does not say.
    """
    path = path_of(facts)
    _refuse_over(facts, path)
    refuse_beside_database(facts)
    data = text(facts, given)
    about = facts.get(surroundings)._replace(exported=None, env=None)
    wrong = next((one for one in lint(data, about) if one.level == "error"), None)
    if wrong:
        raise (NoTimezone if wrong.key == "TZ" else Unsuitable)(wrong.message)
    steps: list[PlanStep] = [Edit(path, None, data, 0o600)]
    link = facts.settings.within(".env")
    if not facts.host.exists(link) and not is_link(facts.host, link):
        steps.append(Command(("ln", "-s", "mailcow.conf", link), (("rm", link),)))
    return Plan(
        CHECK,
        None,
        FIX,
        _("Write a new mailcow.conf"),
        tuple(steps),
        "low",
        True,
        facts.host.info(facts.settings.directory).uid == 0,
        _("mailcow.conf is complete, with passwords that nobody knows yet."),
    )


def text(facts: Facts, given: Mapping[str, str]) -> bytes:
    """What a new file would hold, held against no rule; `given` counts more than what is found. Raises
    Unsuitable where an answer is missing or cannot be written, and HostError, as `plan` does."""
    values = {
        **{key: fresh_secrets.letters_and_digits(length) for key, length in SECRETS.items()},
        **answers(facts),
        **given,
    }
    if not values.get("MAILCOW_HOSTNAME"):
        raise Unsuitable(_("the server's name is not known: give it with --hostname mail.example.org"))
    if not values.get("TZ"):
        raise NoTimezone(_("the timezone is not known: give it as TZ=Europe/Berlin"))
    try:
        return new(values)
    except Unwritable as error:
        raise Unsuitable(str(error)) from None


def _refuse_over(facts: Facts, path: str) -> None:
    """Raises NoPlan where the new file would take something's place."""
    directory = facts.settings.directory
    try:
        if facts.host.info(directory).kind != "directory":
            raise NoPlan(_("{directory} is not a directory", directory=directory))
    except Missing:
        raise NoPlan(_("there is no directory {directory}", directory=directory)) from None
    try:
        facts.host.info(path, follow=False)
    except Missing:
        pass
    else:
        raise NoPlan(_("{path} is there already; it is not replaced", path=path))


def refuse_beside_database(facts: Facts) -> None:
    """Raises NoPlan where new passwords would not open a database that is there."""
    known = database(facts)
    if known.doubt:
        raise NoPlan(
            _("new passwords would not open a database that is there already: {doubt}", doubt=known.doubt)
        )
    if known.project:
        copy = facts.settings.within(BACKUP)
        where = _("; {copy} may be it", copy=copy) if facts.host.exists(copy) else ""
        raise NoPlan(
            _(
                "the database of {project} is still there, and new passwords would not open it. Put "
                "its mailcow.conf back{where}",
                project=known.project,
                where=where,
            )
        )


def _or_nothing(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except HostError:
        return ""


def _full(name: str) -> str:
    return name if "." in name and not name.startswith("localhost") else ""


def _timezone(facts: Facts) -> str:
    zone = facts.get(time_zone.zone)
    return zone.linked or zone.written or ""
