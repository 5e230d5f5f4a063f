"""Judge of the way back: does this machine reach itself under its public address?"""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.network.hairpin import Reflection, Turned, reflections
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement

_BACK = ("arrived", "same", "alike")
_NOT_KNOWN = ("open", "not allowed", "failed")
_REMEDIES = (
    _(
        "In the router: switch on NAT loopback (also called hairpin NAT or NAT reflection), and pass "
        "ports 80, 443 and 25 on to this machine."
    ),
    _(
        "Where it cannot: set SKIP_HTTP_VERIFICATION=y in mailcow.conf, so that certificates are "
        "asked for without this test; programs on this machine should then use its private address."
    ),
)
_REMEDY_OF_MAIL = _(
    "Where network.outbound-25 says that port 25 is blocked, this is gone once that is; else pass port 25 "
    "on to this machine in the router."
)
_PASS_MAIL_ON = _("In the router: pass port 25 on to this machine, too. Other servers bring mail there.")
_MAIL = 25  # the port that providers stop on the way out, wherever it leads


_WORST = ("fail", "unknown", "warn", "pass", "skipped")


def judge_hairpin(found: tuple[Reflection, ...]) -> tuple[Judgement, ...]:
    """One judgement for each family: of several public addresses the worst."""
    families = dict.fromkeys(one.addresses.family for one in found)
    return tuple(
        _worst([_judge(one) for one in found if one.addresses.family == family])._replace(
            subject=f"v{family}"
        )
        for family in families
    )


def _worst(judged: list[Judgement]) -> Judgement:
    return min(judged, key=lambda one: _WORST.index(one.status))


def _judge(found: Reflection) -> Judgement:
    family = found.addresses.family
    if not found.addresses.own:
        return Judgement(
            "skipped", _("skipped: this machine has no IPv{family}", family=family), certainty="untested"
        )
    if not found.public:
        return Judgement(
            "unknown",
            _(
                "which public address this machine has is not known: {trouble}",
                trouble=found.addresses.trouble or _("none was given"),
            ),
            certainty="untested",
            remedies=(_("Name it: `--address ADDRESS`."),),
        )
    if found.local:
        return Judgement(
            "pass",
            _("{public} is this machine's own address: what it sends there stays here", public=found.public),
            found=_("no NAT"),
            evidence=(Evidence(f"ip route get {found.public}", _("local")),),
        )
    return _turned(found)


def _turned(found: Reflection) -> Judgement:
    common = Judgement(
        "pass",
        "",
        found=listed([_("port {port}: {ended}", port=one.port, ended=_ended(one)) for one in found.turned]),
        evidence=tuple(_evidence(found, one) for one in found.turned),
    )
    back = [one for one in found.turned if one.outcome in _BACK]
    lost = [one for one in found.turned if one.outcome not in (*_BACK, *_NOT_KNOWN)]
    if not lost and _is_proved(found, back):
        return common._replace(
            summary=_(
                "what this machine sends to {public}, its public address, comes back to it ({ports})",
                public=found.public,
                ports=_ports(back),
            )
        )
    if lost:
        return _lost(found, common, lost, back)
    return common._replace(
        status="unknown",
        summary=_(
            "whether {public} leads back to this machine could not be proved: {why_not}",
            public=found.public,
            why_not=_why_not(found, back),
        ),
        certainty="untested",
        remedies=(_("Run the wizard as root: sudo ./wizard"),)
        if any(one.outcome == "not allowed" for one in found.turned)
        else (_("`./wizard reach` proves it from outside."),),
    )


def _is_proved(found: Reflection, back: list[Turned]) -> bool:
    """Whether the port is among them on which mailcow asks itself, where it does. A page that is alike is no
    proof of its own: a router may have such a one."""
    ports = {one.port for one in back}
    told = any(one.outcome != "alike" for one in back)
    return told and (bool(found.unchecked) or found.web in ports)


def _lost(found: Reflection, common: Judgement, lost: list[Turned], back: list[Turned]) -> Judgement:
    foreign = [one for one in lost if one.outcome in ("foreign", "other")]
    if foreign:
        how = _(
            "something else answers there on {ports}, most likely the router itself", ports=_ports(foreign)
        )
    elif back:
        how = ngettext(
            "{ports} comes back, {lost} not ({ended})",
            "{ports} come back, {lost} not ({ended})",
            len(back),
            ports=_ports(back),
            lost=_ports(lost),
            ended=_ended(lost[0]),
        )
    else:
        how = f"{_ports(lost)}: {_ended(lost[0])}"
    summary = _(
        "this machine does not reach itself under {public}, its public address: {how}",
        public=found.public,
        how=how,
    )
    if found.unchecked:
        return common._replace(
            status="warn",
            severity="advice",
            stops="way",
            certainty="inferred",
            summary=_(
                "{summary}; {unchecked}=y says that certificates do not need it",
                summary=summary,
                unchecked=found.unchecked,
            ),
            remedies=_REMEDIES[:1],
        )
    common = common._replace(stops="way", certainty="inferred", summary=summary)
    if not _is_of_mail_alone(found, lost, back):
        return common._replace(status="fail", remedies=_REMEDIES)
    if found.mail_leaves:
        return common._replace(status="fail", remedies=(_PASS_MAIL_ON,))
    # A provider that lets no mail out drops this, too.
    return common._replace(status="warn", severity="degrades", remedies=(_REMEDY_OF_MAIL,))


def _is_of_mail_alone(found: Reflection, lost: list[Turned], back: list[Turned]) -> bool:
    """Whether what mailcow asks for its certificate comes back, and nothing is missing but mail's port, where
    nothing answers."""
    dropped = all((one.port, one.outcome) == (_MAIL, "silent") for one in lost)
    return dropped and _is_proved(found, back)


def _ports(some: list[Turned]) -> str:
    return ngettext("port {ports}", "ports {ports}", len(some), ports=listed([str(one.port) for one in some]))


def _ended(one: Turned) -> str:
    words = {
        "arrived": _("comes back"),
        "same": _("comes back to who listens here"),
        "alike": _("shows the same page as who listens here"),
        "silent": _("nothing comes back"),
        "foreign": _("somebody else answers"),
        "other": _("somebody else answers"),
        "open": _("somebody answers, who could not be told"),
        "not allowed": _("only root may try it"),
        "failed": _("it could not be tried"),
    }
    return words.get(one.outcome, one.outcome)


def _why_not(found: Reflection, back: list[Turned]) -> str:
    doubted = next((one for one in found.turned if one not in back), None)
    if doubted is None:
        return _ended(back[0]) if back else _("nothing was tried")
    return f"{_ports([doubted])}: {_ended(doubted)}" if back else _ended(doubted)


def _evidence(found: Reflection, one: Turned) -> Evidence:
    target = f"[{found.public}]" if ":" in found.public else found.public
    what = _(
        "curl -m 3 http://{target}:{port}/ (while something listens here)", target=target, port=str(one.port)
    )
    return Evidence(what, _ended(one))


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.hairpin",
        title=_("Way back to itself"),
        needed=_("this machine reaches itself under its public address"),
        why=_(
            "Behind NAT the router has to send such packets back. mailcow asks itself under its "
            "public name before it asks for a certificate, and so do programs on the same "
            "network."
        ),
        doc=need.DOC_HAIRPIN,
        severity="breaks",
        source=reflections,
        judge=judge_hairpin,
        per="family",
        network=True,
    ),
)
