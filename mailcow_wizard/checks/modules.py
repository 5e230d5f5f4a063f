"""The judge of the kernel's parts."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import modules
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

WORDS = {
    "built in": _("built in"),
    "loaded": _("loaded"),
    "loadable": _("loadable"),
    "missing": _("missing"),
    "unknown": _("unknown"),
}
"""The states of a module, for people."""
_BETTER: dict[str, int] = {"built in": 4, "loaded": 3, "loadable": 2, "unknown": 1, "missing": 0}
_REBOOT = _("Reboot: the kernel was updated, and its new version is on the disk but not yet running.")


def judge_modules(found: modules.Modules) -> Judgement:
    """A part is there when one whole set of its modules is; the worst part decides."""
    states = dict(found.states)
    evidence = (Evidence(_how(found), _shown(found)),)
    missing: list[str] = []
    missing_v6: list[str] = []
    unknown: list[str] = []
    for part in need.KERNEL_PARTS:
        best = max(part.sets, key=lambda names: _worst(names, states))
        bad = [name for name in best if _BETTER[states[name]] < _BETTER["loadable"]]
        if any(states[name] == "missing" for name in bad):
            words = f"{' '.join(name for name in bad if states[name] == 'missing')} ({part.purpose})"
            (missing_v6 if part.ipv6 else missing).append(words)
        elif bad:
            unknown.append(" ".join(bad))
    if found.others and (missing or missing_v6 or unknown):
        return _upgraded(found, evidence)
    if missing:
        return _missing(found, [*missing, *missing_v6], evidence)
    if unknown:
        return _unknown(found, unknown, evidence)
    if missing_v6:
        words = "; ".join(missing_v6)
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
    count = {
        state: sum(one == state for _unused, one in found.states)
        for state in ("built in", "loaded", "loadable")
    }
    words = ", ".join(f"{number} {WORDS[state]}" for state, number in count.items() if number)
    return Judgement("pass", _("all parts are there: {words}", words=words), words, evidence)


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


def _unknown(found: modules.Modules, unknown: list[str], evidence: tuple[Evidence, ...]) -> Judgement:
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
