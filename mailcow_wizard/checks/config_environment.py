"""The judge of exported variables that beat mailcow.conf."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import skipped, word
from mailcow_wizard.facts import environment
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement

_REMEDY = _("Unset {} in this shell before `docker compose`: `unset {}`")


def judge_env_leak(found: environment.Environment) -> Judgement:
    """Names only: a value may be a password."""
    if found.skip:
        return skipped(found.skip)
    evidence: tuple[Evidence, ...] = ()
    here = [leak.name for leak in found.leaks if leak.where == environment.HERE]
    files = [leak for leak in found.leaks if leak.where != environment.HERE]
    if here:
        evidence += (Evidence("env | cut -d= -f1 | sort", _("{here} among them", here=", ".join(here))),)
    evidence += tuple(
        Evidence(f"grep -n {leak.name} {word(leak.where.partition(',')[0])}", leak.where.rpartition(", ")[2])
        for leak in files
    )
    if not found.leaks:
        if found.unread:
            return Judgement(
                "unknown",
                _("needs root: {unread} could not be read", unread=", ".join(found.unread)),
                _("none in what could be read"),
                certainty="untested",
                remedies=(_("Run the wizard as root: sudo ./wizard"),),
            )
        return Judgement("pass", _("no exported variable gets in the way of mailcow.conf"), _("none"))
    names = list(dict.fromkeys(leak.name for leak in found.leaks))
    few = ", ".join(names[:3]) + (_(" and {number} more", number=len(names) - 3) if len(names) > 3 else "")
    remedies = [_REMEDY.format(", ".join(here), " ".join(here))] if here else []
    remedies += [
        _("Take {leak} out of {where}, and log in anew.", leak=leak.name, where=leak.where) for leak in files
    ]
    places = list(dict.fromkeys(leak.where.partition(",")[0] for leak in found.leaks))
    return Judgement(
        "warn",
        ngettext(
            "{names} is exported and counts before mailcow.conf",
            "{names} are exported and count before mailcow.conf",
            len(names),
            names=few,
        ),
        _("{names} in {places}", names=", ".join(names), places=", ".join(places)),
        evidence,
        tuple(remedies),
        certainty="proved" if here else "inferred",
    )


ENV_LEAK = Check(
    id="config.env-leak",
    title=_("Exported variables"),
    needed=_("no exported variable that docker compose would take before mailcow.conf's value"),
    why=_(
        "docker compose takes a variable of the shell before the one in the file: the containers "
        "then get another value than mailcow's scripts, and at the next start from elsewhere "
        "another one again."
    ),
    doc=need.DOC_COMPOSE_PRECEDENCE,
    severity="breaks",
    source=environment.environment,
    judge=judge_env_leak,
)
