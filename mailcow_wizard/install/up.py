"""The stage of the start: containers are made and started, and watched until they are healthy."""

from __future__ import annotations

import json
import time

from mailcow_wizard.checks.mail_words import Meaning, meaning
from mailcow_wizard.engine.selection import UnknownSelector, select
from mailcow_wizard.facts.mail.containers import Box
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install import gate
from mailcow_wizard.install.compose import Compose
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.pull import await_engine
from mailcow_wizard.install.services import Service, health_said, services, short, state_of, what
from mailcow_wizard.install.standing import STARTED
from mailcow_wizard.install.troubles import KILLED, Trouble, of_end
from mailcow_wizard.language import _
from mailcow_wizard.model import Finding
from mailcow_wizard.patterns import pattern
from mailcow_wizard.redaction import of_compose
from mailcow_wizard.requirements import PORTS
from mailcow_wizard.typed import NamedTuple

_UP_S = 1800.0
_RESTART_S = 120.0
_TRIES = 3
_LOOK_EVERY_S = 1.0
_STEADY_S = 5.0
_PATIENCE_S = 300.0
_GIVE_UP_S = 45.0
_LOG_LINES, _LOOKED_AT = 12, 60
_WARNING = pattern(r'level=warning msg="(.*)"$')
_DAEMON, _UNHEALTHY = "daemon", "unhealthy"
_NAMES = "network.recursion"
_OF_UNBOUND = ("network.icmp", _NAMES, "firewall.backend", "time.offset", "network.outbound-hosts")


def run(job: Job) -> str:
    """Starts mailcow and waits until it stands. Raises Failed."""
    compose = Compose(job)
    watch = _Watch(job)
    job.mark(STARTED)
    _start_ill_again(compose, job, watch.project)
    argv = compose.with_progress("up", "-d", "--remove-orphans")
    for number in range(1, _TRIES + 1):
        said = _Said(job)
        code = compose.run(argv, _UP_S, said.hear, watch.look)
        if not code:
            return watch.until_steady()
        trouble = of_end(code, said.errors)
        last = number == _TRIES or (trouble.kind == _UNHEALTHY and number > 1)
        if trouble.kind not in (_DAEMON, _UNHEALTHY, KILLED) or last:
            raise _explained(job, watch, trouble)
        if trouble.kind == _UNHEALTHY:
            watch.until_none_is_ill(trouble)
        job.tell(_("{trouble}; tries again", trouble=trouble.words))
        await_engine(job)
    return ""


def _start_ill_again(compose: Compose, job: Job, project: str) -> None:
    """What an earlier start left unhealthy begins anew: its caches may remember what is mended meanwhile, and
    docker compose does not wait for what is unhealthy already."""
    try:
        ill = [one.service for one in services(job.facts(), project) if one.health == _UNHEALTHY]
    except HostError:
        return
    if ill:
        names = ", ".join(short(one) for one in ill)
        job.tell(_("unhealthy since an earlier start, so started again: {names}", names=names))
        compose.run(compose.argv("restart", *ill), _RESTART_S, lambda line: None)


class _Said:
    """What docker compose says while it starts containers."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._warned: set[str] = set()
        self.errors: list[str] = []

    def hear(self, line: str) -> None:
        """A line of it."""
        text = line.strip()
        warning = _WARNING.search(text)
        if warning:
            # It says the same for each container, and none of it stops the start.
            if warning[1] not in self._warned:
                self._warned.add(warning[1])
                self._job.tell("  " + _("warning: {words}", words=of_compose(warning[1])))
            return
        if text.startswith("{"):
            try:
                said = json.loads(text)
            except (ValueError, RecursionError):
                said = {}
            parts = [said.get(key) for key in ("id", "text", "status", "details", "message", "msg")]
            text = " ".join(str(one) for one in parts if one)
        low = text.lower()
        # What a container does is no error; what else is said may be one.
        calm = low.startswith(("container ", "network ", "volume ")) and "error" not in low
        if text and not calm:
            text = of_compose(text)
            self.errors.append(text)
            self._job.tell(f"  {text}")


class Told(NamedTuple):
    """What a container says that struggles: its health test (empty where that passes, or says nothing), the
    last lines of its log."""

    test: str = ""
    lines: tuple[str, ...] = ()


class _Watch:
    """Looks at the containers about once a second, and tells what is new."""

    def __init__(self, job: Job) -> None:
        self._job = job
        conf = job.facts().get(mailcow_conf)
        self.project = conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
        self._at = 0.0
        self._words: dict[str, str] = {}
        self._logged: set[str] = set()
        self.seen: tuple[Service, ...] = ()
        self.trouble = ""
        """Why Docker does not tell how they are; what was seen before counts no more then."""

    def look(self) -> None:
        """Looks, unless it has just done so."""
        if time.monotonic() - self._at >= _LOOK_EVERY_S:
            self.look_now()

    def look_now(self) -> None:
        """Looks, whenever it was done last."""
        self._at = time.monotonic()
        try:
            self.seen = services(self._job.facts(), self.project)
        except HostError as error:
            self.trouble = str(error)
            return
        self.trouble = ""
        for one in self.seen:
            self._tell(one)
        right = sum(one.right for one in self.seen)
        waits = ", ".join(short(one.service) for one in self.seen if not one.right)
        words = _("{number} of {all} run", number=right, all=len(self.seen)) if self.seen else _("begins")
        if waits:
            words += "; " + _("waits for {names}", names=waits)
        self._job.progress(words, right, len(self.seen), now=True)

    def _tell(self, one: Service) -> None:
        state = one.health or one.state
        if self._words.get(one.service) == state:
            return
        self._words[one.service] = state
        does = what(one.service) if state == "starting" else ""
        self._job.tell(f"{short(one.service)}: {state_of(one)}{f' ({does})' if does else ''}")
        if one.struggles and one.service not in self._logged:
            self._logged.add(one.service)
            self.tell_log(one)

    def tell_log(self, one: Service) -> Told:
        """What a container's health test says, and the last lines of its log."""
        test, said = "", list[str]()
        try:
            last = health_said(self._job.facts(), one)
            if last:
                words = _("its test says: {words}", words=last)
                if one.health == _UNHEALTHY:
                    test = words
                else:
                    said.append(words)
            ran = self._job.session.host.run(
                ("docker", "logs", "--tail", str(_LOOKED_AT), one.id), 8.0, begun=True
            )
            said += [line for line in (ran.out + ran.err).splitlines() if line.strip()][-_LOOKED_AT:]
        except HostError as error:
            said.append(str(error))
        for line in (*([test] if test else []), *said[-_LOG_LINES:]):
            self._job.tell(f"  {short(one.service)} | {line}")
        return Told(test, tuple(said))

    def until_none_is_ill(self, trouble: Trouble) -> None:
        """Waits until no container is unhealthy, or long enough: docker compose itself does not wait for what
        is unhealthy already, and what is in its way may be mended meanwhile."""
        self._job.tell(_("{trouble}; waits up to {seconds:.0f} s", trouble=trouble.words, seconds=_GIVE_UP_S))
        end = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < end:
            self.look_now()
            if not self.trouble and not any(one.health == _UNHEALTHY for one in self.seen):
                return
            self._job.wait(_LOOK_EVERY_S)

    def until_steady(self) -> str:
        """Waits until all are right for a while. Raises Failed where one does not come up."""
        begun = time.monotonic()
        right_since = trouble_since = 0.0
        while True:
            self.look()
            if self.trouble:
                await_engine(self._job)
            moment = time.monotonic()
            all_right = not self.trouble and bool(self.seen) and all(one.right for one in self.seen)
            right_since = (right_since or moment) if all_right else 0.0
            struggling = [one for one in self.seen if one.struggles]
            trouble_since = (trouble_since or moment) if struggling else 0.0
            if right_since and moment - right_since >= _STEADY_S:
                return _("{number} containers run", number=len(self.seen))
            if trouble_since and moment - trouble_since >= _GIVE_UP_S:
                raise _struggling(self._job, self, struggling)
            if moment - begun > _PATIENCE_S:
                if self.trouble or not self.seen:
                    raise self._unseen()
                slow = [one for one in self.seen if not one.right]
                if all(one.state == "running" for one in slow):
                    names = ", ".join(short(one.service) for one in slow)
                    return _(
                        "{number} containers run, {names} still at the start",
                        number=len(self.seen),
                        names=names,
                    )
                raise _struggling(self._job, self, slow)
            self._job.wait(_LOOK_EVERY_S)

    def _unseen(self) -> Failed:
        if self.trouble:
            words = _("Docker does not say whether they run: {trouble}", trouble=self.trouble)
        else:
            words = _(
                "docker compose names no failure, and no container of the project {project} exists",
                project=self.project,
            )
        return Failed(words, ("docker ps --all",))


def _explained(job: Job, watch: _Watch, trouble: Trouble) -> Failed:
    """A failed start in words, with what the checks say of its cause."""
    if trouble.kind == "port":
        port = next((one for one in PORTS if str(one.number) == trouble.what), None)
        findings = _findings(job, (port.id,) if port else ("ports",))
        if findings:
            named = tuple(line for one in findings for line in gate.remedies(one)[:2])
            return Failed(
                _("mailcow could not be started: {words}", words=findings[0].summary), named, findings
            )
        return Failed(
            _("mailcow could not be started: {words}", words=trouble.words),
            (f"ss -ltnp sport = :{trouble.what}",),
        )
    if trouble.kind == "limit":
        job.again("override")
    if trouble.kind == _UNHEALTHY:
        watch.look_now()
        some = [one for one in watch.seen if one.name == trouble.what or not one.right]
        named_first = sorted(some, key=lambda one: one.name != trouble.what)
        if named_first:
            return _struggling(job, watch, named_first[:1])
    return Failed(_("mailcow could not be started: {words}", words=trouble.words), trouble.remedies)


def _struggling(job: Job, watch: _Watch, some: list[Service]) -> Failed:
    one = some[0]
    told = watch.tell_log(one)
    findings: tuple[Finding, ...] = ()
    means = Meaning()
    if one.service == "unbound-mailcow":
        findings = _causes(job)
    else:
        means = meaning(Box(one.id, one.name, one.service, one.state, 0.0, said=told.test, lines=told.lines))
    said = told.test or (told.lines[-1] if told.lines else "")
    words = findings[0].summary if findings else means.words or said[:160]
    why = f" ({words})" if words else ""
    remedies = [line for finding in findings for line in gate.remedies(finding)[:1]]
    remedies += [means.remedy] if means.remedy and not findings else []
    remedies.append(_("All that it says: docker logs {name}", name=one.name))
    words = _("mailcow's {name} is {state}", name=short(one.service), state=state_of(one))
    return Failed(f"{words}{why}", remedies, findings)


def _causes(job: Job) -> tuple[Finding, ...]:
    """Why unbound is not healthy: what is surely wrong; else what may be, on this machine itself, or on the
    way to the names that its test looks up."""
    found = _looked(job, _OF_UNBOUND)
    wrong = tuple(one for one in found if one.status == "fail")
    return wrong or tuple(
        one
        for one in found
        if one.status == "unknown" and (one.stops == "here" or (one.id == _NAMES and one.stops))
    )


def _findings(job: Job, ids: tuple[str, ...]) -> tuple[Finding, ...]:
    return tuple(one for one in _looked(job, ids) if one.status in ("fail", "warn"))


def _looked(job: Job, ids: tuple[str, ...]) -> tuple[Finding, ...]:
    some = []
    for one in ids:
        try:
            some += list(select((one,)))
        except UnknownSelector:
            continue
    return job.look(some) if some else ()
