"""The judge of exported variables that beat mailcow.conf."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import skipped
from mailcow_wizard.facts import environment
from mailcow_wizard.model import Check, Evidence, Judgement

_REMEDY = "Unset {} in this shell before `docker compose`: `unset {}`"


def judge_env_leak(found: environment.Environment) -> Judgement:
    """Names only: a value may be a password."""
    if found.skip:
        return skipped(found.skip)
    evidence: tuple[Evidence, ...] = ()
    here = [leak.name for leak in found.leaks if leak.where == environment.HERE]
    files = [leak for leak in found.leaks if leak.where != environment.HERE]
    if here:
        evidence += (Evidence("env | cut -d= -f1 | sort", f"{', '.join(here)} among them"),)
    evidence += tuple(
        Evidence(f"grep -n {leak.name} {leak.where.partition(',')[0]}", leak.where.rpartition(", ")[2])
        for leak in files
    )
    if not found.leaks:
        if found.unread:
            return Judgement(
                "unknown",
                f"needs root: {', '.join(found.unread)} could not be read",
                "none in what could be read",
                certainty="untested",
                remedies=("Run the wizard as root: sudo ./wizard",),
            )
        return Judgement("pass", "no exported variable gets in the way of mailcow.conf", "none")
    names = list(dict.fromkeys(leak.name for leak in found.leaks))
    few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    verb = "is exported and counts" if len(names) == 1 else "are exported and count"
    remedies = [_REMEDY.format(", ".join(here), " ".join(here))] if here else []
    remedies += [f"Take {leak.name} out of {leak.where}, and log in anew." for leak in files]
    places = list(dict.fromkeys(leak.where.partition(",")[0] for leak in found.leaks))
    return Judgement(
        "warn",
        f"{few} {verb} before mailcow.conf",
        f"{', '.join(names)} in {', '.join(places)}",
        evidence,
        tuple(remedies),
        certainty="proved" if here else "inferred",
    )


ENV_LEAK = Check(
    id="config.env-leak",
    title="Exported variables",
    needed="no exported variable that docker compose would take before mailcow.conf's value",
    why="docker compose takes a variable of the shell before the one in the file: the containers then get "
    "another value than mailcow's scripts, and at the next start from elsewhere another one again.",
    doc=need.DOC_COMPOSE_PRECEDENCE,
    severity="breaks",
    source=environment.environment,
    judge=judge_env_leak,
)
