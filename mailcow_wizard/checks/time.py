"""Judges of the clock: what keeps it right, its timezone, the hardware clock; and the checks of this step."""

from collections.abc import Iterable

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.time_offset import judge_offset
from mailcow_wizard.facts import time, time_zone
from mailcow_wizard.facts.time_words import install, of, span, stand
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
    names = " and ".join(service.name for service in running)
    found = f"{names}{unread}"
    if len(running) > 1:
        keep, others = running[0].name, [service.name for service in running[1:]]
        return Judgement(
            "warn",
            f"{names} run at the same time and pull at one clock",
            found,
            evidence,
            (f"Keep {keep}, stop {' and '.join(others)}: `{_stop(state, running[1:])}`",),
        )
    service = running[0]
    if (
        service.startup in ("disabled", "masked")
        and not service.wanted
        and state.word.synchronised is not False
    ):
        unmask = f"systemctl unmask {service.name} && " if service.startup == "masked" else ""
        return Judgement(
            "warn",
            f"{service.name} runs, but is not started at boot ({service.startup})",
            found,
            evidence,
            (f"Start it at every boot: `{unmask}systemctl enable {service.name}`",),
        )
    if state.word.synchronised is None:
        return Judgement(
            "unknown",
            f"{service.name} runs; whether it is synchronised could not be found out{unread}",
            found,
            evidence,
            certainty="untested",
        )
    if state.word.synchronised:
        certainty: Certainty = "inferred" if state.word.inferred else "proved"
        return Judgement(
            "pass", f"{service.name} runs and is synchronised", found, evidence, certainty=certainty
        )
    since = f", {span(service.seconds)} after its start" if service.seconds is not None else ""
    reason = f": {state.word.reason}" if state.word.reason else ""
    look = {
        "systemd-timesyncd": "timedatectl timesync-status",
        "chrony": "chronyc -n sources",
        "chronyd": "chronyc -n sources",
        "ntpd-rs": "ntp-ctl status",
    }.get(service.name, "ntpq -pn")
    return Judgement(
        "warn",
        f"{service.name} runs but is not synchronised{since}{reason}",
        found,
        evidence,
        (
            f'See whether its servers answer: `{look}`. "Clock offset" shows which servers can be reached '
            "from here. In the first minutes after a start this mends itself.",
        ),
    )


def _none_runs(state: time.Synchronisation, evidence: tuple[Evidence, ...], unread: str) -> Judgement:
    if state.word.synchronised and not state.services:
        return Judgement(
            "pass",
            "the kernel says synchronised, by a service that is not known here",
            f"synchronised{unread}",
            evidence,
            certainty="inferred",
        )
    if any(one.startswith(("systemctl", "processes")) for one in state.unread):
        return Judgement(
            "unknown",
            f"whether a synchronisation service runs could not be found out{unread}",
            "",
            evidence,
            certainty="untested",
        )
    if state.services:
        service = next((one for one in state.services if one.state == "failed"), state.services[0])
        word = service.startup if service.startup in ("disabled", "masked") else "installed"
        unmask = f"systemctl unmask {service.name} && " if service.startup == "masked" else ""
        start = f"Start it, now and at every boot: `{unmask}systemctl enable --now {service.name}`"
        failed = service.state == "failed"
        how = "has failed" if failed else f"is {word} and does not run"
        return Judgement(
            "warn",
            f"nothing keeps the clock right: {service.name} {how}",
            f"{service.name}, {service.state}{unread}",
            evidence,
            (f"See why: `journalctl -u {service.name} -n 20`", start) if failed else (start,),
        )
    return Judgement(
        "warn",
        "nothing keeps the clock right: no synchronisation service was found",
        f"none{unread}",
        evidence,
        (f"Install chrony: `{install(state.installer)}`",),
    )


def _stop(state: time.Synchronisation, services: Iterable[time.Service]) -> str:
    if not state.systemd:
        return " && ".join(f"rc-service {one.name} stop && rc-update del {one.name}" for one in services)
    units = [one.unit or one.name for one in services if one.unit or not one.process]
    stops = [f"systemctl disable --now {' '.join(units)}"] if units else []
    return " && ".join(stops + [f"kill {one.process}" for one in services if one.process and not one.unit])


# --- timezone ---------------------------------------------------------------------------------------------


def judge_timezone(zone: time_zone.Zone) -> Judgement:
    """Both files should name the same zone, one that exists."""
    shown = {"copy": "a plain file", "broken": "a link to nothing", "missing": "not there"}
    evidence: tuple[Evidence, ...] = (
        Evidence("readlink /etc/localtime", zone.linked or shown.get(zone.localtime, "no zone's file")),
        Evidence("cat /etc/timezone", "not there" if zone.written is None else zone.written or "empty"),
    )
    # generate_config.sh: the content of /etc/timezone if there is one, else where /etc/localtime leads.
    name = zone.linked if zone.written is None else zone.written
    if zone.mailcow:
        evidence += (Evidence("grep ^TZ= mailcow.conf", zone.mailcow),)
    if not name:
        return Judgement(
            "warn",
            "no timezone can be read from /etc/timezone or /etc/localtime",
            "none",
            evidence,
            (_set_zone(zone.linked or _ZONE),),
            why="mailcow's generate_config.sh then asks for it, and where nobody answers it asks for ever.",
        )
    if zone.missing:
        remedies = (_set_zone(_ZONE),)
        if not zone.zoneinfo:
            remedies = (f"Install the zones: the package is called tzdata. {remedies[0]}",)
        return Judgement(
            "warn", f"{zone.missing[0]} is no timezone of this machine", name, evidence, remedies
        )
    if not zone.same or zone.localtime == "broken":
        other = zone.linked or {"copy": "another zone", "link": "another zone", "missing": "UTC"}.get(
            zone.localtime, "nothing"
        )
        return Judgement(
            "warn",
            f"/etc/timezone says {name}, /etc/localtime is {other}",
            f"{name} and {other}",
            evidence,
            tuple(_set_zone(one) for one in dict.fromkeys((name, zone.linked)) if one),
        )
    summary = f"the timezone is {name}"
    if not zone.linked and zone.localtime in ("copy", "link"):
        kind = "a plain copy" if zone.localtime == "copy" else "a link to a copy"
        summary += f"; /etc/localtime is {kind}, so the name comes from /etc/timezone"
    if zone.mailcow and zone.mailcow != name:
        summary += f"; mailcow uses {zone.mailcow} (TZ in mailcow.conf)"
    return Judgement("pass", summary, name, evidence)


def _set_zone(name: str) -> str:
    return (
        f"Set {name}: `ln -sfn {time_zone.ZONEINFO}/{name} /etc/localtime && echo {name} > /etc/timezone`"
        + (" (or the zone that you are in)." if name == _ZONE else "")
    )


# --- hardware clock ---------------------------------------------------------------------------------------


def judge_rtc(clock: time.HardwareClock) -> Judgement:
    """The hardware clock should be kept in UTC and be near the system's."""
    evidence: tuple[Evidence, ...] = (Evidence(*clock.told),)
    if clock.ahead is not None:
        evidence += (Evidence(f"cat /sys/class/rtc/{clock.device}/since_epoch", stand(clock.ahead)),)
    if clock.local:
        return Judgement(
            "warn",
            "the hardware clock is kept in local time",
            "local time",
            evidence,
            ("Keep it in UTC: `timedatectl set-local-rtc 0`, or `hwclock --systohc --utc`.",),
        )
    if not clock.device:
        return Judgement(
            "pass", "there is no hardware clock; the time comes from the network at boot", "none", evidence
        )
    if clock.ahead is None:
        return Judgement(
            "unknown",
            f"the hardware clock could not be read: {clock.trouble}",
            clock.device,
            evidence,
            certainty="untested",
        )
    if abs(clock.ahead) > _RTC_WARN_S:
        hours = round(clock.ahead / 3600)
        whole = hours and abs(hours) <= 14 and abs(clock.ahead - hours * 3600) <= _RTC_WARN_S
        hint = ": whole hours, it may hold local time" if whole else ""
        return Judgement(
            "warn",
            f"the hardware clock is {stand(clock.ahead)}{of(clock.ahead)} the system clock{hint}",
            stand(clock.ahead),
            evidence,
            ('When the clock itself is right (see "Clock offset"): `hwclock --systohc --utc`.',),
        )
    return Judgement("pass", "the hardware clock is kept in UTC and agrees with the clock", "UTC", evidence)


CHECKS: tuple[Check, ...] = (
    Check(
        id="time.offset",
        title="Clock offset",
        needed="within 1 s of the true time (30 s at the very most)",
        why="Codes of two-factor logins (TOTP) are good for 30 s either way; certificates, DNSSEC and mail "
        "filters compare times too, and log lines that are seconds off cannot be matched.",
        doc=need.DOC_TIME,
        severity="breaks",
        source=time.offset,
        judge=judge_offset,
        network=True,
    ),
    Check(
        id="time.service",
        title="Synchronisation",
        needed="one service that keeps the clock right (NTP), synchronised",
        why="Every clock drifts by seconds a week, that of a virtual machine faster, and by any amount after "
        "a pause or a move of the machine.",
        doc=need.DOC_TIME,
        severity="degrades",
        source=time.synchronisation,
        judge=judge_service,
    ),
    Check(
        id="time.timezone",
        title="Timezone",
        needed="one timezone, the same in /etc/localtime and /etc/timezone",
        why="mailcow's generate_config.sh proposes it as TZ for all containers; where the two files differ, "
        "times on this machine and in mailcow's logs differ too.",
        doc=need.DOC_TIME,
        severity="advice",
        source=time_zone.zone,
        judge=judge_timezone,
    ),
    Check(
        id="time.rtc",
        title="Hardware clock",
        needed="kept in UTC, within a minute of the system clock",
        why="The system takes its first time at boot from it. Kept in local time it is an hour wrong around "
        "each change of daylight saving, until a time server answers.",
        doc=need.DOC_TIME,
        severity="advice",
        source=time.hardware_clock,
        judge=judge_rtc,
    ),
)
