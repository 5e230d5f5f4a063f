"""Judges of the clock: what keeps it right, its timezone, the hardware clock; and the checks of this step."""

from collections.abc import Iterable

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.time_offset import judge_offset
from mailcow_wizard.facts import time, time_zone
from mailcow_wizard.facts.time_words import install, span, stand, stand_of
from mailcow_wizard.language import _
from mailcow_wizard.model import Certainty, Check, Evidence, Judgement

_RTC_WARN_S = 60.0
_ZONE = "Europe/Berlin"


# --- service ----------------------------------------------------------------------------------------------


def judge_service(state: time.Synchronisation) -> Judgement:
    """Exactly one service should run, and say that it is synchronised."""
    running = [service for service in state.services if service.running]
    evidence = tuple(Evidence(what, value) for what, value in state.word.told)
    unread = f" ({'; '.join(state.unread)})" if state.unread else ""
    if not running:
        return _none_runs(state, evidence, unread)
    names = _(" and ").join(service.name for service in running)
    found = f"{names}{unread}"
    if len(running) > 1:
        keep, others = running[0].name, [service.name for service in running[1:]]
        return Judgement(
            "warn",
            _("{names} run at the same time and pull at one clock", names=names),
            found,
            evidence,
            (
                _(
                    "Keep {keep}, stop {others}: `{stop}`",
                    keep=keep,
                    others=_(" and ").join(others),
                    stop=_stop(state, running[1:]),
                ),
            ),
        )
    return _one_runs(state, running[0], found, evidence, unread)


def _one_runs(
    state: time.Synchronisation,
    service: time.Service,
    found: str,
    evidence: tuple[Evidence, ...],
    unread: str,
) -> Judgement:
    if (
        service.startup in ("disabled", "masked")
        and not service.wanted
        and state.word.synchronised is not False
    ):
        unmask = f"systemctl unmask {service.name} && " if service.startup == "masked" else ""
        return Judgement(
            "warn",
            _(
                "{service} runs, but is not started at boot ({startup})",
                service=service.name,
                startup=service.startup,
            ),
            found,
            evidence,
            (
                _(
                    "Start it at every boot: `{unmask}systemctl enable {service}`",
                    unmask=unmask,
                    service=service.name,
                ),
            ),
        )
    if state.word.synchronised is None:
        return Judgement(
            "unknown",
            _(
                "{service} runs; whether it is synchronised could not be found out{unread}",
                service=service.name,
                unread=unread,
            ),
            found,
            evidence or tuple(_unread(one) for one in state.unread),
            certainty="untested",
        )
    if state.word.synchronised:
        certainty: Certainty = "inferred" if state.word.inferred else "proved"
        return Judgement(
            "pass",
            _("{service} runs and is synchronised", service=service.name),
            found,
            evidence,
            certainty=certainty,
        )
    return _unsynchronised(service, state.word.reason, found, evidence)


def _unsynchronised(service: time.Service, why: str, found: str, evidence: tuple[Evidence, ...]) -> Judgement:
    since = _(", {span} after its start", span=span(service.seconds)) if service.seconds is not None else ""
    reason = f": {why}" if why else ""
    look = {
        "systemd-timesyncd": "timedatectl timesync-status",
        "chrony": "chronyc -n sources",
        "chronyd": "chronyc -n sources",
        "ntpd-rs": "ntp-ctl status",
    }.get(service.name, "ntpq -pn")
    return Judgement(
        "warn",
        _(
            "{service} runs but is not synchronised{since}{reason}",
            service=service.name,
            since=since,
            reason=reason,
        ),
        found,
        evidence,
        (
            _(
                'See whether its servers answer: `{look}`. "Clock offset" shows which servers can be '
                "reached from here. In the first minutes after a start this mends itself.",
                look=look,
            ),
        ),
    )


def _unread(said: str) -> Evidence:
    """What was asked, and why it told nothing."""
    asked, _colon, why = said.partition(": ")
    return Evidence(asked, why)


def _none_runs(state: time.Synchronisation, evidence: tuple[Evidence, ...], unread: str) -> Judgement:
    if state.word.synchronised and not state.services:
        return Judgement(
            "pass",
            _("the kernel says synchronised, by a service that is not known here"),
            _("synchronised{unread}", unread=unread),
            evidence,
            certainty="inferred",
        )
    if any(one.startswith(("systemctl", "processes")) for one in state.unread):
        return Judgement(
            "unknown",
            _("whether a synchronisation service runs could not be found out{unread}", unread=unread),
            "",
            evidence,
            certainty="untested",
        )
    if state.borrowed:
        return Judgement(
            "unknown",
            _(
                "the clock of this {kind} container is its host's; what keeps it right there cannot be "
                "seen from inside",
                kind=state.borrowed,
            ),
            ", ".join(one.name for one in state.services) or _("none"),
            evidence,
            (_("On the host: `timedatectl` shows it, and can set it right."),),
            certainty="untested",
        )
    if state.services:
        service = next((one for one in state.services if one.state == "failed"), state.services[0])
        unmask = f"systemctl unmask {service.name} && " if service.startup == "masked" else ""
        start = _(
            "Start it, now and at every boot: `{unmask}systemctl enable --now {service}`",
            unmask=unmask,
            service=service.name,
        )
        failed = service.state == "failed"
        return Judgement(
            "warn",
            _("nothing keeps the clock right: {service} has failed", service=service.name)
            if failed
            else _idle(service),
            f"{service.name}, {service.state}{unread}",
            evidence,
            (_("See why: `journalctl -u {service} -n 20`", service=service.name), start)
            if failed
            else (start,),
        )
    return Judgement(
        "warn",
        _("nothing keeps the clock right: no synchronisation service was found"),
        _("none{unread}", unread=unread),
        evidence,
        (_("Install chrony: `{install}`", install=install(state.installer)),),
    )


def _idle(service: time.Service) -> str:
    """What a service is that does not run."""
    if service.startup not in ("disabled", "masked"):
        return _(
            "nothing keeps the clock right: {service} is installed and does not run", service=service.name
        )
    return _(
        "nothing keeps the clock right: {service} is {word} and does not run",
        service=service.name,
        word=service.startup,
    )


def _stop(state: time.Synchronisation, services: Iterable[time.Service]) -> str:
    if not state.systemd:
        return " && ".join(f"rc-service {one.name} stop && rc-update del {one.name}" for one in services)
    from mailcow_wizard.checks.troubles import word

    units = [word(one.unit or one.name) for one in services if one.unit or not one.process]
    stops = [f"systemctl disable --now {' '.join(units)}"] if units else []
    return " && ".join(stops + [f"kill {one.process}" for one in services if one.process and not one.unit])


# --- timezone ---------------------------------------------------------------------------------------------


def judge_timezone(zone: time_zone.Zone) -> Judgement:
    """Both files should name the same zone, one that exists."""
    shown = {"copy": _("a plain file"), "broken": _("a link to nothing"), "missing": _("not there")}
    evidence: tuple[Evidence, ...] = (
        Evidence("readlink /etc/localtime", zone.linked or shown.get(zone.localtime, _("no zone's file"))),
        Evidence("cat /etc/timezone", _("not there") if zone.written is None else zone.written or _("empty")),
    )
    # generate_config.sh: the content of /etc/timezone if there is one, else where /etc/localtime leads.
    name = zone.linked if zone.written is None else zone.written
    if zone.mailcow:
        from mailcow_wizard.checks.troubles import word

        evidence += (Evidence(f"grep ^TZ= {word(zone.conf)}", zone.mailcow),)
    if not name:
        return Judgement(
            "warn",
            _("no timezone can be read from /etc/timezone or /etc/localtime"),
            _("none"),
            evidence,
            (_set_zone(zone.linked or _ZONE),),
            why=_(
                "mailcow's generate_config.sh then asks for it, and where nobody answers it asks for ever."
            ),
        )
    if zone.missing:
        remedies = (_set_zone(_ZONE),)
        if not zone.zoneinfo:
            remedies = (_("Install the zones: the package is called tzdata. {then}", then=remedies[0]),)
        return Judgement(
            "warn",
            _("{missing} is no timezone of this machine", missing=zone.missing[0]),
            name,
            evidence,
            remedies,
        )
    if not zone.same or zone.localtime == "broken":
        other = zone.linked or {"copy": _("another zone"), "link": _("another zone"), "missing": "UTC"}.get(
            zone.localtime, _("nothing")
        )
        return Judgement(
            "warn",
            _("/etc/timezone says {name}, /etc/localtime is {other}", name=name, other=other),
            _("{name} and {other}", name=name, other=other),
            evidence,
            tuple(_set_zone(one) for one in dict.fromkeys((name, zone.linked)) if one),
        )
    summary = _("the timezone is {name}", name=name)
    if not zone.linked and zone.localtime in ("copy", "link"):
        kind = _("a plain copy") if zone.localtime == "copy" else _("a link to a copy")
        summary += _("; /etc/localtime is {kind}, so the name comes from /etc/timezone", kind=kind)
    if zone.mailcow and zone.mailcow != name:
        summary += _("; mailcow uses {mailcow} (its TZ)", mailcow=zone.mailcow)
    return Judgement("pass", summary, name, evidence)


def _set_zone(name: str) -> str:
    command = f"ln -sfn {time_zone.ZONEINFO}/{name} /etc/localtime && echo {name} > /etc/timezone"
    if name == _ZONE:
        return _("Set {name}: `{command}` (or the zone that you are in).", name=name, command=command)
    return _("Set {name}: `{command}`", name=name, command=command)


# --- hardware clock ---------------------------------------------------------------------------------------


def judge_rtc(clock: time.HardwareClock) -> Judgement:
    """The hardware clock should be kept in UTC and be near the system's."""
    evidence: tuple[Evidence, ...] = (Evidence(*clock.told),)
    if clock.ahead is not None:
        evidence += (Evidence(f"cat /sys/class/rtc/{clock.device}/since_epoch", stand(clock.ahead)),)
    if clock.local:
        return Judgement(
            "warn",
            _("the hardware clock is kept in local time"),
            _("local time"),
            evidence,
            (_("Keep it in UTC: `timedatectl set-local-rtc 0`, or `hwclock --systohc --utc`."),),
        )
    if not clock.device:
        return Judgement(
            "pass",
            _("there is no hardware clock; the time comes from the network at boot"),
            _("none"),
            evidence,
        )
    if clock.ahead is None:
        return Judgement(
            "unknown",
            _("the hardware clock could not be read: {trouble}", trouble=clock.trouble),
            clock.device,
            evidence,
            certainty="untested",
        )
    if abs(clock.ahead) > _RTC_WARN_S:
        hours = round(clock.ahead / 3600)
        whole = hours and abs(hours) <= 14 and abs(clock.ahead - hours * 3600) <= _RTC_WARN_S
        hint = _(": whole hours, it may hold local time") if whole else ""
        return Judgement(
            "warn",
            _(
                "the hardware clock is {offset} the system clock{hint}",
                offset=stand_of(clock.ahead),
                hint=hint,
            ),
            stand(clock.ahead),
            evidence,
            (_('When the clock itself is right (see "Clock offset"): `hwclock --systohc --utc`.'),),
        )
    return Judgement(
        "pass", _("the hardware clock is kept in UTC and agrees with the clock"), "UTC", evidence
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="time.offset",
        title=_("Clock offset"),
        needed=_("within 1 s of the true time (30 s at the very most)"),
        why=_(
            "Codes of two-factor logins (TOTP) are good for 30 s either way; certificates, DNSSEC "
            "and mail filters compare times too, and log lines that are seconds off cannot be "
            "matched."
        ),
        doc=need.DOC_TIME,
        severity="breaks",
        source=time.offset,
        judge=judge_offset,
        network=True,
    ),
    Check(
        id="time.service",
        title=_("Synchronisation"),
        needed=_("one service that keeps the clock right (NTP), synchronised"),
        why=_(
            "Every clock drifts by seconds a week, that of a virtual machine faster, and by any "
            "amount after a pause or a move of the machine."
        ),
        doc=need.DOC_TIME,
        severity="degrades",
        source=time.synchronisation,
        judge=judge_service,
    ),
    Check(
        id="time.timezone",
        title=_("Timezone"),
        needed=_("one timezone, the same in /etc/localtime and /etc/timezone"),
        why=_(
            "mailcow's generate_config.sh proposes it as TZ for all containers; where the two "
            "files differ, times on this machine and in mailcow's logs differ too."
        ),
        doc=need.DOC_TIME,
        severity="advice",
        source=time_zone.zone,
        judge=judge_timezone,
    ),
    Check(
        id="time.rtc",
        title=_("Hardware clock"),
        needed=_("kept in UTC, within a minute of the system clock"),
        why=_(
            "The system takes its first time at boot from it. Kept in local time it is an hour "
            "wrong around each change of daylight saving, until a time server answers."
        ),
        doc=need.DOC_TIME,
        severity="advice",
        source=time.hardware_clock,
        judge=judge_rtc,
    ),
)
