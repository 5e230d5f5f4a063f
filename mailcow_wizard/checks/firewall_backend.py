"""Judge of the programs that write firewall rules, and of how Docker gets along with them."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.docker_settings import USUAL_BACKEND, WITH_IPTABLES
from mailcow_wizard.checks.docker_words import RESTART
from mailcow_wizard.checks.firewall_local import OUTCOMES
from mailcow_wizard.checks.firewall_switches import switching_on
from mailcow_wizard.checks.troubles import Trouble, judged, listed
from mailcow_wizard.facts.firewall.entries import Entry
from mailcow_wizard.facts.firewall.foreseen import own_tables
from mailcow_wizard.facts.firewall.rules import program
from mailcow_wizard.facts.firewall.state import State, docker_tables, has_docker_rules, state
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement

_KINDS = {"iptables-nft": "iptables (nf_tables)", "iptables-legacy": "iptables-legacy"}
_MOST = 3
_SEE_DAEMON = _("See docker.daemon first.")
_ONE = _(
    "Keep one and switch the others off: each must let a packet through, and nobody looks at all of them."
)


def judge_backend(seen: State) -> Judgement:
    """All that gets in each other's way."""
    troubles = [
        *_docker(seen),
        *_kinds(seen),
        *_beside_docker(seen),
        *_several(seen),
        *(Trouble("unknown", one) for one in seen.entries.unread),
    ]
    evidence = _evidence(seen)
    if troubles:
        return judged(troubles, evidence, _said(seen))
    return Judgement("pass", _said(seen), _said(seen), evidence)


def _said(seen: State) -> str:
    names = list(seen.tools.names)
    who = (
        ngettext("{names} writes the rules", "{names} write the rules", len(names), names=listed(names))
        if names
        else _("nobody filters")
    )
    if not has_docker_rules(seen):
        return (
            _("{who}; no rules of Docker's yet", who=who)
            if names
            else _("no firewall is set up on this machine")
        )
    kinds = ", ".join(_docker_kinds(seen)) or "nftables"
    return _("{who}; Docker has its own ({kinds})", who=who, kinds=kinds)


def _docker_kinds(seen: State) -> list[str]:
    return sorted({_KINDS.get(table.owner, "nftables") for table in docker_tables(seen.rules)})


def _docker(seen: State) -> list[Trouble]:
    """What Docker itself is told, and what stops the packets of its containers."""
    troubles = []
    rules = seen.entries.docker_rules
    if rules and not rules.iptables:
        words = _(
            "Docker makes no firewall rules (iptables: false): containers have no way out, "
            "and strangers look like neighbours to postfix, which relays for those"
        )
        troubles.append(Trouble("fail", words, (WITH_IPTABLES,), "breaks", doc=need.DOC_ISSUE.format(2104)))
    elif rules and seen.running is None and not has_docker_rules(seen):
        words = _("Docker does not say whether containers run, and none of its rules are here")
        troubles.append(Trouble("unknown", words, (), "breaks"))
    elif rules and seen.running and not has_docker_rules(seen) and not seen.entries.unread:
        troubles.append(_gone(seen))
    elif rules and seen.running is not False and seen.engine != "answers":
        words = _(
            "Docker does not answer, and its containers go on: whether its rules are still those that they "
            "need is not known"
        )
        troubles.append(Trouble("unknown", words, (_SEE_DAEMON,), "breaks"))
    elif rules and seen.running and seen.entries.passed_by:
        troubles.append(_passed_by(seen.entries.passed_by, rules.proxy))
    if seen.backend.startswith("nftables"):
        words = _("Docker uses its nftables backend, which mailcow's netfilter does not know yet")
        troubles.append(Trouble("warn", words, (USUAL_BACKEND,), doc=need.DOC_ISSUE.format(6904)))
    out = seen.entries.outward
    off = next((one for one in seen.entries.switched_off if one.family == 4), None)
    if off:
        words = _(
            "the kernel passes nothing on that containers send to the world ({name} is 0)", name=off.name
        )
        troubles.append(Trouble("fail", words, (switching_on(off),), "breaks"))
    elif out and out.outcome in ("dropped", "refused") and out.place:
        words = _(
            "what containers send to the world is {outcome} by {words}",
            outcome=OUTCOMES.get(out.outcome, out.outcome),
            words=out.place.words,
        )
        remedy = _("Let packets from mailcow's containers pass there: -i br-mailcow, and answers to them.")
        if out.place.chain.table.owner == "nft":
            table, chain = out.place.chain.table, out.place.chain.name
            remedy = _(
                "Let packets of containers pass there: nft insert rule {family} {table} {chain} "
                'iifname "br-*" accept, and in nft\'s own file.',
                family=table.family,
                table=table.name,
                chain=chain,
            )
        troubles.append(Trouble("fail", words, (remedy,), "breaks"))
    elif out and out.outcome == "unknown" and out.place:
        words = _(
            "whether containers can send to the world is not known: {why}, in {words}",
            why=out.why,
            words=out.place.words,
        )
        troubles.append(Trouble("unknown", words))
    return troubles


def _gone(seen: State) -> Trouble:
    """Docker's rules for containers that run."""
    doc = need.DOC_ISSUE.format(5735)
    if seen.engine in ("absent", "refused"):
        words = _(
            "containers go on without Docker, and its firewall rules are gone: they have no way out, and "
            "nobody is sent on to them"
        )
        return Trouble("fail", words, (_("Start Docker: systemctl start docker"),), "breaks", doc=doc)
    words = _(
        "containers run and Docker's firewall rules are gone, as after a firewall's start or reload: "
        "they have no way out, and strangers look like neighbours to postfix, which relays for those"
    )
    return Trouble("fail", words, (RESTART,), "breaks", doc=doc)


def _passed_by(lost: tuple[Entry, ...], proxy: bool) -> Trouble:
    """Docker's other rules are there; those that send connections on to containers are not."""
    numbers = tuple(dict.fromkeys(str(one.number) for one in lost))
    ports = listed(numbers) if len(numbers) <= _MOST else f"{', '.join(numbers[:_MOST])}, …"
    words = _(
        "no rule of Docker's sends connections on to containers any more (port {ports}, over {families})",
        ports=ports,
        families=listed(tuple(dict.fromkeys(f"IPv{one.family}" for one in lost))),
    )
    if proxy:
        words += _("; its proxy takes them, and strangers look like neighbours to postfix: open relay")
    remedies = (
        RESTART,
        _("Find what empties the table nat when it starts or reloads, and let it spare Docker's chains."),
    )
    return Trouble("fail", words, remedies, "breaks", doc=need.DOC_ISSUE.format(5735))


def _kinds(seen: State) -> list[Trouble]:
    """Old and new iptables at the same time."""
    kinds = seen.tools.kinds
    # What nft itself has written to, too, is read as nft's own, whichever program made it.
    docker = {table.owner for table in docker_tables(seen.rules)} - {"nft"}
    usual = seen.tools.usual
    doc = need.DOC_ISSUE.format(5847)
    if len(kinds) > 1:
        words = _("iptables-legacy and iptables (nf_tables) both hold rules: each packet must pass both")
        remedy = _(
            "Move to one: update-alternatives --config iptables (and ip6tables), then restart the machine, "
            "so that what the other one holds is gone."
        )
        return [Trouble("warn", words, (remedy,), doc=doc)]
    if docker and usual and usual not in docker:
        words = _(
            "Docker's rules are in {kinds}, and iptables now stands for {usual}",
            kinds=_KINDS[next(iter(docker))],
            usual=_KINDS[usual],
        )
        back = _("Or take the change of update-alternatives back: mailcow bans in one of them.")
        return [Trouble("warn", words, (RESTART, back), doc=doc)]
    return []


def _beside_docker(seen: State) -> list[Trouble]:
    """P18: rules for input do not concern containers, and a reload may take Docker's rules along."""
    troubles: list[Trouble] = []
    if seen.entries.guarded:
        return troubles
    ufw, docker = seen.tools.ufw, seen.entries.docker
    if ufw and ufw.active:
        words = (
            _("ufw is active: its rules for incoming packets do not concern what containers publish")
            if docker
            else _("ufw is active: its rules for incoming packets will not concern what containers publish")
        )
        remedies = (
            _("Write rules that containers shall keep to into DOCKER-USER, or switch ufw off: ufw disable."),
            _("After ufw reload or ufw enable Docker's rules may be gone: systemctl restart docker."),
        )
        troubles.append(Trouble("warn", words, remedies, doc=need.DOC_ISSUE.format(1678)))
    if seen.tools.firewalld:
        words = (
            _("firewalld is active: its zones do not filter what containers publish")
            if docker
            else _("firewalld is active: its zones will not filter what containers publish")
        )
        words += _(", and its reload can take Docker's rules along")
        remedies = (
            _(
                "Write rules that containers shall keep to into DOCKER-USER, or switch firewalld off: "
                "systemctl disable --now firewalld, then systemctl restart docker."
            ),
            _("After firewall-cmd --reload: systemctl restart docker."),
        )
        troubles.append(Trouble("warn", words, remedies, doc=need.DOC_ISSUE.format(5735)))
    return troubles


def _several(seen: State) -> list[Trouble]:
    names = list(seen.tools.names)
    return (
        [Trouble("warn", _("several programs write rules: {listed}", listed=listed(names)), (_ONE,))]
        if len(names) > 1
        else []
    )


def _evidence(seen: State) -> tuple[Evidence, ...]:
    found = []
    for command in dict.fromkeys(f"{program(table)} -S" for table in docker_tables(seen.rules)):
        found.append(Evidence(command, _("Docker's chains")))
    for table in own_tables(seen.rules):
        found.append(Evidence(f"nft list table {table.family} {table.name}", _("Docker's chains")))
    if seen.tools.ufw:
        found.append(Evidence("ufw status verbose", _("active") if seen.tools.ufw.active else _("inactive")))
    if seen.tools.firewalld:
        found.append(Evidence("firewall-cmd --state", _("running")))
    for table in seen.tools.own_nft[:2]:
        found.append(
            Evidence(f"nft list table {table.family} {table.name}", _("rules that nft itself was given"))
        )
    usual = _KINDS.get(seen.tools.usual, "not installed")
    return (*found, Evidence("iptables --version", usual))


CHECKS: tuple[Check, ...] = (
    Check(
        id="firewall.backend",
        title=_("Firewall programs"),
        needed=_("one program writes the rules, Docker may write its own, and containers get out"),
        why=_(
            "Where several write rules, or take Docker's away, containers lose their network or stand open."
        ),
        doc=need.DOC_FIREWALL,
        severity="degrades",
        source=state,
        judge=judge_backend,
        deadline=20.0,
    ),
)
