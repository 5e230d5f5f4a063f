"""Judge of mailcow's containers: all there, running for a while, healthy; of the one that struggles its last
words, and what they mean."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.mail.boxes import RESTARTED_LATELY_S, STEADY_S, Box, Stack, stack
from mailcow_wizard.model import Check, Evidence, Judgement

_UP = "Start it: `docker compose up -d` in mailcow's directory."
_LOGS = "See its whole log: `docker compose logs --tail 100 {}` in mailcow's directory."
_PS = "docker compose ps -a"
_SHOWN_LINES = 4
_KILLED, _CRASHED, _ILLEGAL = 137, 139, 132

# What a container's log or health check says, in words, and what helps: service, pattern, meaning, remedy.
_MEANINGS: tuple[tuple[str, str, str, str], ...] = (
    (
        "unbound",
        r"(?i)ping",
        "its health check pings 1.1.1.1, 8.8.8.8 and 9.9.9.9, and two of them do not answer",
        "Let ICMP out (`check network.icmp`), or set SKIP_UNBOUND_HEALTHCHECK=y in mailcow.conf.",
    ),
    (
        "unbound",
        r"(?i)names? failed|dns resolution|nslookup|root server",
        "it cannot look up names from the root servers by itself",
        "Let UDP and TCP port 53 out to any server (`check network.recursion`).",
    ),
    (
        "dovecot",
        r"(?i)nofile|setrlimit|too many open files|ulimit",
        "it may not open as many files as it needs",
        "Raise the limit of open files for Docker, or set ulimits for dovecot-mailcow in "
        "docker-compose.override.yml.",
    ),
    (
        "",
        r"(?i)no space left on device|disk full",
        "the disk is full",
        "Free some space (`check system.disk system.inodes`), then `docker compose up -d`.",
    ),
    (
        "",
        r"(?i)address already in use|port is already allocated",
        "a port that it needs is taken",
        "Free the port (`check ports` says who has it), then `docker compose up -d`.",
    ),
    (
        "",
        r"(?i)permission denied",
        "it may not read a file that it needs",
        "Let containers read mailcow's files (`check config.checkout`).",
    ),
    (
        "mysql",
        r"(?i)access denied for user",
        "the database was made with another password than the one in mailcow.conf",
        "Put the old DBPASS and DBROOT back into mailcow.conf (`check config.present`).",
    ),
    (
        "mysql",
        r"(?i)corrupt|crashed|innodb.*error",
        "its data are damaged",
        "See mailcow's manual on repairing the database before anything is deleted.",
    ),
    (
        "",
        r"(?i)could not resolve host|temporary failure in name resolution|name or service not known",
        "it cannot look up names",
        "See unbound-mailcow first: the others ask it.",
    ),
    ("", r"(?i)waiting for", "it waits for another container", "See what that one does."),
    (
        "",
        r"(?i)illegal instruction|vectorscan|hyperscan",
        "this processor lacks an instruction that it needs",
        "See `check system.cpu-features`; in a virtual machine let the guest have the host's processor type.",
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
            f"mailcow does not run: {about.down}",
            "no container; the mail of this server's users is still there",
            (Evidence(_PS, "none"),),
            (_UP,),
        )
    troubles = [*_missing(stack), *(trouble for box in stack.boxes if (trouble := _trouble(box)))]
    evidence = _evidence(stack)
    number = len(stack.boxes)
    if troubles:
        well = sum(one.runs and not one.crashes for one in stack.boxes)
        return judged(troubles, evidence, f"{well} of {number} run")
    young = min(stack.boxes, key=lambda one: one.age)
    ill = [one for one in stack.boxes if one.health == "starting"]
    if ill or young.age < STEADY_S:
        what = (
            f"{ill[0].service} is still being tried"
            if ill
            else f"{young.service} has run for {span(young.age)}"
        )
        return Judgement(
            "unknown",
            f"all {number} containers run, but not for long enough to be sure: {what}",
            f"{number} containers run",
            evidence,
            ("Look again in a minute.",),
            certainty="untested",
        )
    checked = sum(bool(one.health) for one in stack.boxes)
    healthy = f", {checked} of them say that they are healthy" if checked else ""
    return Judgement(
        "pass",
        f"all {number} containers have been running for {span(young.age)} or longer{healthy}",
        f"{number} containers; the newest is {young.service}",
        evidence,
    )


def span(seconds: float) -> str:
    """A time span for people."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _missing(stack: Stack) -> list[Trouble]:
    if not stack.missing:
        return []
    names = ", ".join(stack.missing[:4]) + (
        f" and {len(stack.missing) - 4} more" if stack.missing[4:] else ""
    )
    has = "has no container" if len(stack.missing) == 1 else "have no containers"
    return [Trouble("fail", f"{names} {has}", (_UP,))]


def _trouble(box: Box) -> Trouble | None:
    """What is wrong with a container; None where nothing is."""
    meaning, remedy = _meaning(box)
    because = f": {meaning}" if meaning else ""
    remedies = tuple(filter(None, (remedy, _LOGS.format(box.service))))
    if box.state == "restarting" or box.crashes:
        how = f"{box.restarts} times" if box.restarts > 1 else "once"
        last = f"the last time {span(box.age)} ago" if box.age else "just now"
        return Trouble("fail", f"{box.service} was restarted {how}, {last}{_ended(box)}{because}", remedies)
    if box.state == "paused":
        return Trouble("fail", f"{box.service} is paused", (f"Let it go on: `docker unpause {box.name}`",))
    if box.state in ("created", "removed", "removing"):
        words = "was made and never started" if box.state == "created" else "was taken away a moment ago"
        return Trouble("fail", f"{box.service} {words}{because}", (*remedies[:-1], _UP))
    if box.state != "running":
        ago = f" {span(box.age)} ago" if box.age else ""
        return Trouble("fail", f"{box.service} stopped{ago}{_ended(box)}{because}", (*remedies, _UP))
    if box.health == "unhealthy":
        said = because or (f": {box.said}" if box.said else "")
        return Trouble("fail", f"{box.service} runs and is not healthy{said}", remedies)
    if box.restarts > 1 and box.age < RESTARTED_LATELY_S:
        words = (
            f"{box.service} was restarted {box.restarts} times, the last time {span(box.age)} ago{because}"
        )
        return Trouble("warn", words, (*remedies, "Look again in ten minutes."))
    if box.health == "healthy" and box.failed:
        said = because or (f": {box.said}" if box.said else "")
        words = (
            f"{box.service} is healthy now, but {box.failed} of its last {box.checked} health checks failed"
        )
        return Trouble("warn", f"{words}{said}", remedies)
    return None


def _ended(box: Box) -> str:
    if box.out_of_memory:
        return ", ended for want of memory"
    if box.exit_code in (_KILLED, _CRASHED, _ILLEGAL):
        words = {_KILLED: "killed", _CRASHED: "crashed", _ILLEGAL: "an instruction that this processor lacks"}
        return f" ({words[box.exit_code]})"
    return f" (exit code {box.exit_code})" if box.exit_code else ""


def _meaning(box: Box) -> tuple[str, str]:
    """What the container says means, and what helps; the last line that means something counts."""
    if box.out_of_memory:
        return (
            "",
            "Give this machine more memory, or do without clamd or full text search (`check system.memory`).",
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
            Evidence(f"docker logs --tail 20 {box.name}", " | ".join(said[-_SHOWN_LINES:]) or "no words")
        )
    states = ", ".join(f"{one.service} {one.health or one.state}" for one in stack.boxes)
    return (*rows[:4], Evidence(_PS, states))


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.containers",
        title="Containers",
        needed="every container of mailcow runs, has done so for a while, and is healthy",
        why="Most troubles of mailcow are seen here first: one container that does not come up keeps others "
        "waiting.",
        doc=need.DOC_INSTALL,
        severity="breaks",
        source=stack,
        judge=judge_containers,
        deadline=90.0,
    ),
)
