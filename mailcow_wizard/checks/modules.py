"""The judge of the kernel's parts."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import listed, word
from mailcow_wizard.facts import modprobe, modules
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement, Severity
from mailcow_wizard.typed import NamedTuple

WORDS = {
    "built in": _("built in"),
    "loaded": _("loaded"),
    "loadable": _("loadable"),
    "forbidden": _("not allowed to be loaded"),
    "missing": _("missing"),
    "unknown": _("unknown"),
}
"""The states of a module, for people."""
_WORST_FIRST = ("missing", "forbidden", "unknown", "loadable", "loaded", "built in")
_BETTER: dict[str, int] = {state: place for place, state in enumerate(_WORST_FIRST)}
_REBOOT = _("Reboot: the kernel was updated, and its new version is on the disk but not yet running.")


def judge_modules(found: modules.Modules) -> Judgement:
    """A part is there when one whole set of its modules is; the worst part decides."""
    states = dict(found.states)
    evidence = (Evidence(_how(found), _shown(found)),)
    lacking = _lacking(states)
    if found.others and any(lacking):
        return _upgraded(found, evidence)
    if lacking.missing:
        return _missing(found, [*lacking.missing, *lacking.missing_v6], evidence)
    if lacking.forbidden:
        return _forbidden(found, lacking.forbidden, evidence)
    if lacking.unknown:
        return _unknown(found, lacking.unknown, evidence)
    if lacking.recent:
        return _without_raw(evidence)
    if lacking.missing_v6:
        return _without_ipv6(lacking.missing_v6, evidence)
    count = {
        state: sum(one == state for _unused, one in found.states)
        for state in ("built in", "loaded", "loadable")
    }
    words = ", ".join(f"{number} {WORDS[state]}" for state, number in count.items() if number)
    return Judgement("pass", _("all parts are there: {words}", words=words), words, evidence)


class _Lacking(NamedTuple):
    """What is not there of the kernel's parts: those without which Docker does not run, those that IPv6 or a
    recent Docker alone needs, modules that may not be loaded, and those of which nothing is known."""

    missing: tuple[str, ...]
    missing_v6: tuple[str, ...]
    recent: tuple[str, ...]
    forbidden: tuple[str, ...]
    unknown: tuple[str, ...]


def _lacking(states: dict[str, modules.State]) -> _Lacking:
    found: dict[str, list[str]] = {name: [] for name in _Lacking._fields}
    for part in need.KERNEL_PARTS:
        best = max(part.sets, key=lambda names: _worst(names, states))
        bad = [name for name in best if _BETTER[states[name]] < _BETTER["loadable"]]
        missing = [name for name in bad if states[name] == "missing"]
        forbidden = [name for name in bad if states[name] == "forbidden"]
        if (part.ipv6 or part.recent) and (missing or forbidden):
            kind = "missing_v6" if part.ipv6 else "recent"
            found[kind].append(f"{' '.join(missing or forbidden)} ({part.purpose})")
        elif missing:
            found["missing"].append(f"{' '.join(missing)} ({part.purpose})")
        elif forbidden:
            found["forbidden"] += forbidden
        elif bad:
            found["unknown"].append(" ".join(bad))
    return _Lacking(**{name: tuple(dict.fromkeys(words)) for name, words in found.items()})


def _worst(names: tuple[str, ...], states: dict[str, modules.State]) -> int:
    return min(_BETTER[states[name]] for name in names)


def _shown(found: modules.Modules) -> str:
    """The states, worst first, each with its modules."""
    by_state: dict[str, list[str]] = {}
    for name, state in sorted(found.states, key=lambda one: _BETTER[one[1]]):
        by_state.setdefault(state, []).append(name)
    return "; ".join(f"{WORDS[state]}: {' '.join(names)}" for state, names in by_state.items())


def _how(found: modules.Modules) -> str:
    return f"modprobe -n -a {' '.join(name for name, _unused in found.states)}"


def _upgraded(found: modules.Modules, evidence: tuple[Evidence, ...]) -> Judgement:
    place = f"/lib/modules/{found.release}"
    return Judgement(
        "fail",
        _("the modules of the running kernel are gone ({place}): reboot", place=place),
        _(
            "running {release}; modules on disk are for {others}",
            release=found.release,
            others=", ".join(found.others[-3:]),
        ),
        (*evidence, Evidence("uname -r; ls /lib/modules", f"{found.release}; {' '.join(found.others)}")),
        (_REBOOT,),
        why=_("What is not loaded yet cannot be loaded any more, so Docker cannot make its networks."),
    )


def _missing(found: modules.Modules, missing: list[str], evidence: tuple[Evidence, ...]) -> Judgement:
    words = "; ".join(missing)
    return Judgement(
        "fail",
        _("the kernel lacks {words}", words=words),
        _("missing in {release}: {words}", release=found.release, words=words),
        evidence,
        (
            _(
                "Install the kernel's extra modules: dnf install -y kernel-modules-extra-$(uname -r) "
                "(Enterprise Linux 10), apt-get install -y linux-modules-extra-$(uname -r) (Ubuntu)."
            ),
            _(
                "Boot your distribution's own kernel (Debian: apt-get install linux-image-amd64; "
                "Ubuntu: apt-get install linux-image-generic), then reboot."
            ),
            _("Where the provider supplies the kernel, ask for one with Docker's modules."),
        ),
    )


def _forbidden(found: modules.Modules, names: tuple[str, ...], evidence: tuple[Evidence, ...]) -> Judgement:
    """They lie here and are not loaded, and no command can load them."""
    spared = set(names) == {"br_netfilter"}
    severity: Severity | None = "degrades" if spared else None
    seldom = _(
        "Docker needs it where its proxy is off (userland-proxy), and for networks whose containers may not "
        "talk to each other."
    )
    by_file: dict[str, list[str]] = {}
    for name, path in found.forbidden:
        if name in names:
            by_file.setdefault(path, []).append(name)
    words = listed(names)
    if modprobe.LOCK in by_file:
        evidence += (Evidence("sysctl -n kernel.modules_disabled", "1"),)
        return Judgement(
            "warn" if spared else "fail",
            ngettext(
                "the kernel loads no module any more, and {words} is not loaded",
                "the kernel loads no module any more, and {words} are not loaded",
                len(names),
                words=words,
            ),
            _("not loaded: {words}", words=words),
            evidence,
            (
                _(
                    "Take kernel.modules_disabled = 1 out of /etc/sysctl.conf and /etc/sysctl.d, and reboot. "
                    "It may come back once Docker has started: what is loaded by then stays."
                ),
            ),
            severity=severity,
            why=seldom
            if spared
            else _(
                "Docker loads these modules when it starts. Once set, the lock holds until the next start."
            ),
        )
    places = listed(tuple(by_file))
    evidence += tuple(
        Evidence(f"grep -E '^ *install' {word(path)}", ", ".join(bad)) for path, bad in by_file.items()
    )
    return Judgement(
        "warn" if spared else "fail",
        ngettext(
            "{places} keeps {words} from being loaded",
            "{places} keep {words} from being loaded",
            len(by_file),
            places=places,
            words=words,
        ),
        _("not allowed to be loaded: {words}", words=words),
        evidence,
        (
            _(
                "Take the lines `install {name} …` out of {places}; no restart is needed.",
                name=" | ".join(names),
                places=places,
            ),
        ),
        severity=severity,
        why=seldom
        if spared
        else _(
            "Hardening guides forbid modules that most servers do not need; Docker cannot do without these."
        ),
    )


def _without_raw(evidence: tuple[Evidence, ...]) -> Judgement:
    return Judgement(
        "warn",
        _(
            "the kernel lacks iptable_raw: Docker {since} and newer opens no port",
            since=need.KERNEL_PARTS_RECENT,
        ),
        _("missing: {words}", words="iptable_raw"),
        evidence,
        (
            _("Boot your distribution's own kernel, or one with CONFIG_IP_NF_RAW."),
            _(
                "Or start Docker with DOCKER_INSECURE_NO_IPTABLES_RAW=1 (systemctl edit docker.service); "
                "neighbours in the local network then reach ports that are bound to 127.0.0.1."
            ),
        ),
        severity="breaks",
        why=_(
            "Docker keeps strangers off published ports with rules in this table; without it no container "
            "with a port starts."
        ),
        doc=need.DOC_KERNEL_RAW,
    )


def _without_ipv6(missing: tuple[str, ...], evidence: tuple[Evidence, ...]) -> Judgement:
    words = "; ".join(missing)
    return Judgement(
        "warn",
        _("the kernel lacks {words}: mailcow will run over IPv4 only", words=words),
        _("missing: {words}", words=words),
        evidence,
        (
            _("Boot your distribution's own kernel."),
            _("Or leave IPv6 out: ENABLE_IPV6=false in mailcow.conf."),
        ),
        severity="degrades",
    )


def _unknown(found: modules.Modules, unknown: tuple[str, ...], evidence: tuple[Evidence, ...]) -> Judgement:
    names = list(dict.fromkeys(" ".join(unknown).split()))
    few = ", ".join(names[:4]) + (_(" and {number} more", number=len(names) - 4) if len(names) > 4 else "")
    return Judgement(
        "unknown",
        _(
            "no list of modules of {release} to judge by: {few} may be there or not",
            release=found.release,
            few=few,
        ),
        _("looked at {lists}", lists=", ".join(found.lists) or _("nothing that could be read")),
        evidence,
        (_("Try to load them: modprobe -a {names}", names=" ".join(names)),),
        certainty="untested",
    )


MODULES = Check(
    id="kernel.modules",
    title=_("Kernel modules"),
    needed=_("overlay, bridge, br_netfilter, veth, connection tracking, NAT, and iptables or nftables"),
    why=_(
        "Docker builds mailcow's network and file systems from these parts of the kernel; where "
        "one is missing, `docker compose up` fails with an iptables or mount error."
    ),
    doc=need.DOC_KERNEL_MODULES,
    severity="blocks",
    source=modules.modules,
    judge=judge_modules,
)
