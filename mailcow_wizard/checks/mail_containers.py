"""Judge of mailcow's containers: all there, running for a while, healthy; of the one that struggles its last
words, and what they mean."""

from __future__ import annotations

from collections.abc import Collection

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.mail_words import CRASHED, ILLEGAL, KILLED, meaning, wait_remedy, waits_for
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.mail.containers import (
    RESTARTED_LATELY_S,
    STEADY_S,
    WAITS_LONG_S,
    Box,
    Stack,
    stack,
)
from mailcow_wizard.language import _, ngettext, pgettext
from mailcow_wizard.model import Check, Evidence, Judgement

_UP = _("Start it: `docker compose up -d` in mailcow's directory.")
_SEE_DOCKER = _("See docker.daemon first: its containers start with Docker.")
_LOGS = _("See its whole log: `docker compose logs --tail 100 {}` in mailcow's directory.")
_PS = "docker compose ps -a"
_SHOWN_LINES = 4


def judge_containers(stack: Stack) -> Judgement:
    """All run, for a while, and none is ill."""
    about = stack.about
    if about.skip:
        return skipped(about.skip)
    if about.down:
        return Judgement(
            "fail",
            _("mailcow does not run: {down}", down=about.down),
            _("no container; the mail of this server's users is still there"),
            (Evidence(_PS, _("none")),),
            (_SEE_DOCKER,) if about.dead else (_UP,),
        )
    ill = [(box.service, trouble) for box in stack.boxes if (trouble := _trouble(box))]
    by_watchdog = _by_watchdog(stack, [service for service, _unused in ill])
    troubles = [*_missing(stack), *(trouble for _unused, trouble in ill), *by_watchdog]
    evidence = _evidence(stack)
    steady = [one for one in stack.boxes if not one.done]
    number = len(steady)
    if troubles:
        well = sum(one.runs and not one.crashes for one in steady)
        return judged(troubles, evidence, _("{well} of {number} run", well=well, number=number))
    young = min(steady or stack.boxes, key=lambda one: one.age)
    starting = [one for one in stack.boxes if one.health == "starting"]
    if starting or young.age < STEADY_S:
        what = (
            _("{service} is still being tried", service=starting[0].service)
            if starting
            else _("{service} has run for {span}", service=young.service, span=span(young.age))
        )
        return Judgement(
            "unknown",
            _(
                "all {number} containers run, but not for long enough to be sure: {what}",
                number=number,
                what=what,
            ),
            _("{number} containers run", number=number),
            evidence,
            (_("Look again in a minute."),),
            certainty="untested",
        )
    checked = sum(bool(one.health) for one in stack.boxes)
    healthy = (
        ngettext(", one of them says that it is healthy", ", {n} of them say that they are healthy", checked)
        if checked
        else ""
    )
    return Judgement(
        "pass",
        _(
            "all {number} containers have been running for {span} or longer{healthy}",
            number=number,
            span=span(young.age),
            healthy=healthy,
        ),
        _("{number} containers; the newest is {service}", number=number, service=young.service),
        evidence,
    )


def span(seconds: float) -> str:
    """A time span for people."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _missing(stack: Stack) -> list[Trouble]:
    if stack.missing is None:
        words = _("which containers there should be is not known: docker-compose.yml could not be read")
        compare = _("Compare what `docker compose config --services` and `docker compose ps` list.")
        return [Trouble("unknown", words, (compare,))]
    if not stack.missing:
        return []
    names = ", ".join(stack.missing[:4]) + (
        _(" and {number} more", number=len(stack.missing) - 4) if stack.missing[4:] else ""
    )
    has = ngettext("has no container", "have no containers", len(stack.missing))
    return [Trouble("fail", f"{names} {has}", (_UP,))]


def _by_watchdog(stack: Stack, known: Collection[str]) -> list[Trouble]:
    """What runs at the moment, and is restarted by mailcow's watchdog again and again."""
    often = [(service, times) for service, times in stack.restarted if times > 1 and service not in known]
    return [
        Trouble(
            "warn",
            _(
                "mailcow's watchdog has restarted {service} {times} times within an hour",
                service=service,
                times=times,
            ),
            (
                _("See what it finds wrong: `docker compose logs --since 1h watchdog-mailcow`"),
                _LOGS.format(service),
            ),
        )
        for service, times in often
    ]


def _trouble(box: Box) -> Trouble | None:
    """What is wrong with a container; None where nothing is."""
    if box.done:
        return None
    means = meaning(box)
    because = f": {means.words}" if means.words else ""
    remedies = tuple(filter(None, (means.remedy, _LOGS.format(box.service))))
    if box.crashes:
        how = _("{restarts} times", restarts=box.restarts) if box.restarts > 1 else _("once")
        last = _("the last time {span} ago", span=span(box.age)) if box.age else _("just now")
        return Trouble(
            "fail",
            _(
                "{service} was restarted {how}, {last}{ended}{because}",
                service=box.service,
                how=how,
                last=last,
                ended=_ended(box),
                because=because,
            ),
            remedies,
        )
    if box.state == "paused":
        return Trouble(
            "fail",
            _("{service} is paused", service=box.service),
            (_("Let it go on: `docker unpause {box}`", box=box.name),),
        )
    if box.state in ("created", "removed", "removing"):
        words = (
            _("was made and never started") if box.state == "created" else _("was taken away a moment ago")
        )
        return Trouble("fail", f"{box.service} {words}{because}", (*remedies[:-1], _UP))
    if box.state != "running":
        ago = _(" {span} ago", span=span(box.age)) if box.age else ""
        return Trouble(
            "fail",
            _(
                "{service} stopped{ago}{ended}{because}",
                service=box.service,
                ago=ago,
                ended=_ended(box),
                because=because,
            ),
            (*remedies[:-1], _UP, remedies[-1]),  # Docker starts what ends by itself: somebody has stopped it
        )
    if box.health == "unhealthy":
        said = because or (f": {box.said}" if box.said else "")
        return Trouble(
            "fail", _("{service} runs and is not healthy{said}", service=box.service, said=said), remedies
        )
    if box.restarts > 1 and box.age < RESTARTED_LATELY_S:
        words = _(
            "{service} was restarted {restarts} times, the last time {span} ago{because}",
            service=box.service,
            restarts=box.restarts,
            span=span(box.age),
            because=because,
        )
        return Trouble("warn", words, (*remedies, _("Look again in ten minutes.")))
    if box.health == "healthy" and box.failed:
        said = because or (f": {box.said}" if box.said else "")
        words = _(
            "{service} is healthy now, but {failed} of its last {checked} health checks failed",
            service=box.service,
            failed=box.failed,
            checked=box.checked,
        )
        return Trouble("warn", f"{words}{said}", remedies)
    return _waiting(box)


def _waiting(box: Box) -> Trouble | None:
    """One whose start script still waits for another container: it runs, and does nothing yet."""
    line = box.lines[-1] if box.lines else ""
    if box.health or not waits_for(line):
        return None
    words = _(
        "{service} has run for {span}, and does not serve yet: {line}",
        service=box.service,
        span=span(box.age),
        line=line,
    )
    if box.age < WAITS_LONG_S:
        return Trouble("unknown", words, (_("Look again in some minutes."),))
    return Trouble("fail", words, (wait_remedy(line), _LOGS.format(box.service)))


def _ended(box: Box) -> str:
    if box.out_of_memory:
        return _(", ended for want of memory")
    if box.exit_code in (KILLED, CRASHED, ILLEGAL):
        words = {
            KILLED: _("killed"),
            CRASHED: pgettext("a program", "crashed"),
            ILLEGAL: _("an instruction that this processor lacks"),
        }
        return f" ({words[box.exit_code]})"
    return _(" (exit code {exit_code})", exit_code=box.exit_code) if box.exit_code else ""


def _evidence(stack: Stack) -> tuple[Evidence, ...]:
    rows = []
    for box in stack.boxes:
        if not _trouble(box):
            continue
        said = [*([box.error] if box.error else []), *([box.said] if box.said else []), *box.lines]
        shown, line = said[-_SHOWN_LINES:], meaning(box).line
        if line and line not in shown:
            shown = [line, "…", *shown[1:]]
        rows.append(Evidence(f"docker logs --tail 60 {box.name}", " | ".join(shown) or _("no words")))
    states = ", ".join(f"{one.service} {one.health or one.state}" for one in stack.boxes)
    return (*rows[:4], Evidence(_PS, states))


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.containers",
        title=_("Containers"),
        needed=_("every container of mailcow runs, has done so for a while, and is healthy"),
        why=_(
            "Most troubles of mailcow are seen here first: one container that does not come up "
            "keeps others waiting."
        ),
        doc=need.DOC_INSTALL,
        severity="breaks",
        source=stack,
        judge=judge_containers,
        deadline=90.0,
    ),
)
