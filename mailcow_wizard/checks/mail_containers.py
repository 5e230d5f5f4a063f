"""Judge of mailcow's containers: all there, running for a while, healthy; of the one that struggles its last
words, and what they mean."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.mail.boxes import RESTARTED_LATELY_S, STEADY_S, Box, Stack, stack
from mailcow_wizard.language import _, ngettext, pgettext
from mailcow_wizard.model import Check, Evidence, Judgement

_UP = _("Start it: `docker compose up -d` in mailcow's directory.")
_LOGS = _("See its whole log: `docker compose logs --tail 100 {}` in mailcow's directory.")
_PS = "docker compose ps -a"
_SHOWN_LINES = 4
_KILLED, _CRASHED, _ILLEGAL = 137, 139, 132

# What a container's log or health check says, in words, and what helps: service, pattern, meaning, remedy.
_MEANINGS: tuple[tuple[str, str, str, str], ...] = (
    (
        "unbound",
        r"(?i)ping",
        _("its health check pings 1.1.1.1, 8.8.8.8 and 9.9.9.9, and two of them do not answer"),
        _("Let ICMP out (`check network.icmp`), or set SKIP_UNBOUND_HEALTHCHECK=y in mailcow.conf."),
    ),
    (
        "unbound",
        "(?i)names? failed|dns resolution|nslookup|root server",
        _("it cannot look up names from the root servers by itself"),
        _("Let UDP and TCP port 53 out to any server (`check network.recursion`)."),
    ),
    (
        "dovecot",
        "(?i)nofile|setrlimit|too many open files|ulimit",
        _("it may not open as many files as it needs"),
        _(
            "Raise the limit of open files for Docker, or set ulimits for dovecot-mailcow in "
            "docker-compose.override.yml."
        ),
    ),
    (
        "",
        "(?i)no space left on device|disk full",
        _("the disk is full"),
        _("Free some space (`check system.disk system.inodes`), then `docker compose up -d`."),
    ),
    (
        "",
        "(?i)address already in use|port is already allocated",
        _("a port that it needs is taken"),
        _("Free the port (`check ports` says who has it), then `docker compose up -d`."),
    ),
    (
        "",
        "(?i)permission denied",
        _("it may not read a file that it needs"),
        _("Let containers read mailcow's files (`check config.checkout`)."),
    ),
    (
        "mysql",
        "(?i)access denied for user",
        _("the database was made with another password than the one in mailcow.conf"),
        _("Put the old DBPASS and DBROOT back into mailcow.conf (`check config.present`)."),
    ),
    (
        "mysql",
        r"(?i)corrupt|crashed|innodb.*error",
        _("its data are damaged"),
        _("See mailcow's manual on repairing the database before anything is deleted."),
    ),
    (
        "",
        "(?i)could not resolve host|temporary failure in name resolution|name or service not known",
        _("it cannot look up names"),
        _("See unbound-mailcow first: the others ask it."),
    ),
    ("", "(?i)waiting for", _("it waits for another container"), _("See what that one does.")),
    (
        "",
        "(?i)illegal instruction|vectorscan|hyperscan",
        _("this processor lacks an instruction that it needs"),
        _(
            "See `check system.cpu-features`; in a virtual machine let the guest have the host's "
            "processor type."
        ),
    ),
)


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
            (_UP,),
        )
    troubles = [*_missing(stack), *(trouble for box in stack.boxes if (trouble := _trouble(box)))]
    evidence = _evidence(stack)
    number = len(stack.boxes)
    if troubles:
        well = sum(one.runs and not one.crashes for one in stack.boxes)
        return judged(troubles, evidence, _("{well} of {number} run", well=well, number=number))
    young = min(stack.boxes, key=lambda one: one.age)
    ill = [one for one in stack.boxes if one.health == "starting"]
    if ill or young.age < STEADY_S:
        what = (
            _("{service} is still being tried", service=ill[0].service)
            if ill
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


def _trouble(box: Box) -> Trouble | None:
    """What is wrong with a container; None where nothing is."""
    meaning, remedy = _meaning(box)
    because = f": {meaning}" if meaning else ""
    remedies = tuple(filter(None, (remedy, _LOGS.format(box.service))))
    if box.state == "restarting" or box.crashes:
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
            (*remedies, _UP),
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
    return None


def _ended(box: Box) -> str:
    if box.out_of_memory:
        return _(", ended for want of memory")
    if box.exit_code in (_KILLED, _CRASHED, _ILLEGAL):
        words = {
            _KILLED: _("killed"),
            _CRASHED: pgettext("a program", "crashed"),
            _ILLEGAL: _("an instruction that this processor lacks"),
        }
        return f" ({words[box.exit_code]})"
    return _(" (exit code {exit_code})", exit_code=box.exit_code) if box.exit_code else ""


def _meaning(box: Box) -> tuple[str, str]:
    """What the container says means, and what helps; the last line that means something counts."""
    if box.out_of_memory:
        return (
            "",
            _(
                "Give this machine more memory, or do without clamd or full text search (`check "
                "system.memory`)."
            ),
        )
    for text in (box.error, box.said, *reversed(box.lines)):
        for service, pattern, words, remedy in _MEANINGS:
            if box.service.startswith(service) and text and re.search(pattern, text):
                return words, remedy
    return "", ""


def _evidence(stack: Stack) -> tuple[Evidence, ...]:
    rows = []
    for box in stack.boxes:
        if not _trouble(box):
            continue
        said = [*([box.error] if box.error else []), *([box.said] if box.said else []), *box.lines]
        rows.append(
            Evidence(f"docker logs --tail 20 {box.name}", " | ".join(said[-_SHOWN_LINES:]) or _("no words"))
        )
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
