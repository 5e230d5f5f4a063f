"""Judges of the thirteen ports that mailcow listens on: is each free, and if not, who holds it."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.bindings import Binding, only_v6
from mailcow_wizard.facts.ports import Occupant, PortFacts, survey
from mailcow_wizard.host.replies import Listener
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Certainty, Check, Evidence, Judgement

_SMTP = 25
_NO_SCOPE = ("", "0.0.0.0", "::")
_LISTENS = _("{name} is listening on {where}")
_DOES = {
    "bound": _("{name} is bound to {where} without listening"),
    "connected": _("{name} has a connection from {where}"),
    "published": _("{name} has {where} from Docker, though nothing listens there"),
}
_NOBODYS = {
    "closing": _("a connection that is being closed still holds"),
    "unseen": _("something that no list shows holds"),
}


def judge_port(facts: PortFacts) -> Judgement:
    """A foreign listener in the way fails; mailcow's own containers and a free port pass."""
    judged = _judge_now(facts)
    if judged.status != "pass" or not facts.returning:
        return judged
    from mailcow_wizard.checks.port_returning import until_the_next_boot

    return until_the_next_boot(facts, judged)


def _judge_now(facts: PortFacts) -> Judgement:
    binding = facts.binding
    if binding.problem or binding.doubt or facts.foreign_address:
        return _misconfigured(facts)
    foreign = tuple(one for one in facts.occupants if one.own is False)
    undecided = tuple(one for one in facts.occupants if one.own is None)
    if foreign and all(one.is_this_program for one in foreign):
        return _while_reaching(facts, foreign)
    if foreign:
        return _conflict(facts, foreign)
    if undecided:
        return _undecided(facts, undecided)
    if facts.occupants:
        names = ", ".join(
            sorted({one.container.name if one.container else "docker-proxy" for one in facts.occupants})
        )
        return Judgement(
            "pass",
            _("mailcow itself listens on {where} ({names})", where=binding.where, names=names),
            found=_("mailcow's own container {names}", names=names),
            evidence=_evidence(binding, facts.occupants),
            certainty="proved" if all(map(_is_seen, facts.occupants)) else "inferred",
        )
    return _free(facts) if facts.left is False else _left(facts)


def _is_seen(occupant: Occupant) -> bool:
    return bool(occupant.container) and occupant.listener.state != "published"


def _while_reaching(facts: PortFacts, own: tuple[Occupant, ...]) -> Judgement:
    """`reach` listens for a while; what else would is not known until it has ended."""
    where = facts.binding.where
    return Judgement(
        "unknown",
        _(
            "the wizard itself listens on {where}, to prove what can be reached from outside ({processes})",
            where=where,
            processes=_processes(own[0]),
        ),
        found=_all_in_full(facts, own),
        evidence=_evidence(facts.binding, own),
        remedies=(_("Let `reach` end, then run this check again."),),
        certainty="untested",
    )


def _left(facts: PortFacts) -> Judgement:
    """Nobody listens; a packet may go to a container all the same, and the port with it, once Docker runs."""
    words = _(
        "nobody listens on {where}, but Docker does not run and its containers go on: one may have the port",
        where=facts.binding.where,
    )
    if facts.left is None:
        words = _(
            "nobody listens on {where}; whether containers go on without Docker, and have the port, is not "
            "known",
            where=facts.binding.where,
        )
    return Judgement(
        "unknown",
        words,
        found=_("nothing listens there"),
        evidence=(
            Evidence(_ss(facts.binding), _("no listener")),
            Evidence("pgrep -a containerd-shim", _("containers of Docker's (moby), which does not answer")),
        ),
        remedies=(_("Start Docker: systemctl start docker"),),
        certainty="untested",
    )


def _misconfigured(facts: PortFacts) -> Judgement:
    """What mailcow.conf says cannot work (it fails), or is read in two ways (nobody knows)."""
    binding = facts.binding
    key = binding.problem.partition("=")[0].partition(" ")[0] or binding.port.key
    said = binding.problem or binding.doubt
    if not said:
        key = binding.port.bind_key or key
        said = _(
            "{key} names {address}, an address that this machine does not have",
            key=key,
            address=binding.address,
        )
    return Judgement(
        "unknown" if binding.doubt and not binding.problem else "fail",
        _("mailcow.conf: {said}", said=said),
        certainty="untested" if binding.doubt and not binding.problem else "proved",
        evidence=(Evidence(facts.conf.command_for(key), said),),
        remedies=(_("Correct {key} in {path}, then run this check again.", key=key, path=facts.conf.source),),
    )


def _undecided(facts: PortFacts, undecided: tuple[Occupant, ...]) -> Judgement:
    """Docker holds the port, and who is behind it could not be asked."""
    hidden, remedy = (
        _("a container that only root can name"),
        _("Run the wizard as root: it then sees whether the container is mailcow's own."),
    )
    if facts.is_root:
        hidden, remedy = (
            _("a container that it does not name"),
            _("See whose it is: {docker_ps}", docker_ps=_docker_ps(facts.binding)),
        )
    return Judgement(
        "unknown",
        _("Docker publishes {where} for {hidden}", where=facts.binding.where, hidden=hidden),
        found=_all_in_full(facts, undecided),
        evidence=_evidence(facts.binding, undecided),
        remedies=(remedy,),
        certainty="untested",
    )


def _free(facts: PortFacts) -> Judgement:
    binding = facts.binding
    certainty: Certainty = "inferred" if facts.untried or facts.source != "netlink" else "proved"
    evidence = (Evidence(_ss(binding), _("no listener")),)
    unreachable = _out_of_reach(binding)
    if unreachable:
        return Judgement(
            "warn",
            unreachable,
            found=_(
                "{where}, by {key} in {path}; it is free",
                where=binding.where,
                key=binding.port.key,
                path=facts.conf.path,
            ),
            evidence=evidence,
            severity="breaks",
            certainty=certainty,
            remedies=(
                _(
                    "Set SMTP_PORT=25 in {path}, unless a relay on this server passes mail on.",
                    path=facts.conf.path,
                ),
            ),
        )
    moved = (
        _(", where mailcow's {key} puts it", key=binding.port.key)
        if binding.number != binding.port.number
        else ""
    )
    return Judgement(
        "pass",
        _("{where} is free{moved}", where=binding.where, moved=moved),
        found=_("nothing listens there"),
        evidence=evidence,
        certainty=certainty,
    )


def _out_of_reach(binding: Binding) -> str:
    """Why other mail servers could not deliver to this place; nothing where they can."""
    if binding.port.number != _SMTP:
        return ""
    if binding.number != _SMTP:
        return _(
            "mailcow's SMTP_PORT is {port}; other mail servers deliver to port 25 only",
            port=binding.number,
        )
    if binding.address.startswith("127."):
        return _(
            "mailcow's SMTP_PORT is bound to {address}, where no other machine can deliver",
            address=binding.address,
        )
    return ""


def _conflict(facts: PortFacts, foreign: tuple[Occupant, ...]) -> Judgement:
    # Its words are needed for conflicts only, which are rare.
    from mailcow_wizard.checks.port_remedies import remedies

    binding = facts.binding
    harmless_without_v6 = facts.conf.ipv6 == "false" and all(only_v6(one.listener) for one in foreign)
    certainty: Certainty = "proved"
    if facts.source != "netlink" and any(one.listener.address == "::" for one in foreign):
        certainty = "inferred"
    if binding.address and any(one.listener.state == "unseen" for one in foreign):
        certainty = "inferred"
    return Judgement(
        "warn" if harmless_without_v6 else "fail",
        "; ".join(_grouped(binding, foreign)),
        found=_all_in_full(facts, foreign),
        evidence=_evidence(binding, foreign),
        remedies=remedies(facts),
        certainty=certainty,
        severity="degrades" if harmless_without_v6 else None,
    )


def _grouped(binding: Binding, foreign: tuple[Occupant, ...]) -> list[str]:
    """One phrase for each holder, however many sockets it has on the port.

    A container has a proxy process for each address family.
    """
    groups: dict[tuple[object, ...], list[Occupant]] = {}
    for one in foreign:
        pids = () if one.container else tuple(process.pid for process in one.holder.processes)
        user = "" if one.holder.processes else one.holder.user
        groups.setdefault((one.listener.state, _name(one), one.unit, pids, user), []).append(one)
    return [_phrase(binding, members) for members in groups.values()]


def _phrase(binding: Binding, members: list[Occupant]) -> str:
    first = members[0]
    where = _(" and ").join(dict.fromkeys(_where(binding, one.listener) for one in members))
    state = first.listener.state
    if state in _NOBODYS:
        return f"{_NOBODYS[state]} {where}"
    facts = [_processes(first)] if state != "published" else []
    if first.unit and not first.container:
        facts.append(_("unit {unit}", unit=first.unit))
    known = ", ".join(filter(None, facts))
    does = _DOES.get(state, _LISTENS).format(name=_name(first), where=where)
    return does + (f" ({known})" if known else "")


def _name(occupant: Occupant) -> str:
    if occupant.container and occupant.container.home:
        return _("the mailcow in {directory}", directory=occupant.container.home)
    if occupant.container:
        return _("the container {container}", container=occupant.container.name)
    if occupant.docker:
        return _("a Docker container")
    names = list(dict.fromkeys(one.name for one in occupant.holder.processes))
    return _(" with ").join(names[:3]) if names else _("an unknown process")


def _processes(occupant: Occupant) -> str:
    processes = occupant.holder.processes
    if not processes:
        return _("user {user}", user=occupant.holder.user)
    more = len(processes) - 1
    return _("process {pid}", pid=processes[0].pid) + (_(" and {more} more", more=more) if more else "")


def _where(binding: Binding, listener: Listener) -> str:
    address = f"[{listener.address}]" if listener.family == 6 else listener.address
    interface = _(" on {interface}", interface=listener.interface) if listener.interface else ""
    if listener.address == "::" and listener.v6only:
        return _("port {port} of IPv6", port=binding.number)
    if listener.address in _NO_SCOPE:
        return _("port {port}{interface}", port=binding.number, interface=interface)
    return f"{address}:{binding.number}{interface}"


def _all_in_full(facts: PortFacts, occupants: tuple[Occupant, ...]) -> str:
    # A holder has a socket for each family, as a rule.
    return "; ".join(dict.fromkeys(_in_full(one, facts.is_root) for one in occupants))


def _in_full(occupant: Occupant, is_root: bool) -> str:
    """Everything known of a holder: process, user, command, unit, package, container."""
    from mailcow_wizard.redaction import redacted

    parts = []
    for process in occupant.holder.processes[:3]:
        command = " ".join(redacted(process.command))[:120]
        parts.append(
            _(
                "process {pid} {process}, user {user}",
                pid=process.pid,
                process=process.name,
                user=process.user,
            )
            + (f": {command}" if command else "")
        )
    if len(occupant.holder.processes) > 3:
        more = len(occupant.holder.processes) - 3
        parts.append(ngettext("and {n} more process", "and {n} more processes", more))
    state = occupant.listener.state
    if state in _NOBODYS:
        parts.append(_NOBODYS[state] + _(" the port: the kernel refuses it"))
    elif state == "published":
        parts.append(_("Docker keeps the port for it, and its proxy is gone"))
    elif not occupant.holder.processes:
        hidden = (
            _(
                "no process of this machine's own list holds it: a service of the kernel, or another "
                "container's"
            )
            if is_root
            else _("which process it is only root can see")
        )
        parts.append(_("socket of user {user}; {hidden}", user=occupant.holder.user, hidden=hidden))
    if occupant.unit:
        parts.append(_("unit {unit}", unit=occupant.unit))
    if occupant.package:
        parts.append(_("package {package}", package=occupant.package))
    if occupant.container:
        compose = (
            _(" of the compose project {project}", project=occupant.container.project)
            if occupant.container.project
            else ""
        )
        parts.append(_("container {container}{compose}", container=occupant.container.name, compose=compose))
    return ", ".join(parts)


def _evidence(binding: Binding, occupants: tuple[Occupant, ...]) -> tuple[Evidence, ...]:
    from mailcow_wizard.checks.troubles import word

    rows = []
    for one in occupants:
        if one.listener.state == "published":
            continue
        owner = "".join(f" {process.name}/{process.pid}" for process in one.holder.processes[:5])
        state = one.listener.state.upper() if one.listener.state != "listening" else "LISTEN"
        rows.append(f"{state} {_where(binding, one.listener)}{owner}")
    evidence = [Evidence(_ss(binding, occupants), "; ".join(rows) or _("no listener"))]
    evidence += [
        Evidence(f"systemctl status {word(unit)}", _("the unit that holds it"))
        for unit in dict.fromkeys(one.unit for one in occupants if one.unit and not one.docker)
    ]
    evidence += [
        Evidence(_docker_ps(binding), name)
        for name in dict.fromkeys(one.container.name for one in occupants if one.container)
    ]
    return tuple(evidence)


def _docker_ps(binding: Binding) -> str:
    return f"docker ps --filter publish={binding.number}"


def _ss(binding: Binding, occupants: tuple[Occupant, ...] = ()) -> str:
    states = {one.listener.state for one in occupants} - {"published"}
    kinds = "-HtnpB" if "bound" in states else "-Hatnp" if states - {"listening"} else "-Hltnp"
    return f"ss {kinds} 'sport = :{binding.number}'"


_WHY = {
    "postfix-mailcow": _(
        "Docker cannot start Postfix while something else holds its port: mail "
        "would reach the other program, or nobody."
    ),
    "dovecot-mailcow": _(
        "Docker cannot start Dovecot while something else holds its port: people "
        "could not read or filter their mail."
    ),
    "nginx-mailcow": _(
        "Docker cannot start mailcow's web server while something else holds its "
        "port: no web interface, and no certificate from Let's Encrypt."
    ),
    "mysql-mailcow": _("Docker cannot start the database while something else holds its local port."),
    "redis-mailcow": _("Docker cannot start Redis while something else holds its local port."),
}


def _check(port: need.Port) -> Check:
    scope = f"{port.address}:{port.number}" if port.address else _("port {port}", port=port.number)
    return Check(
        id=port.id,
        title=f"{port.service.removeprefix('Postfix ').removeprefix('Dovecot ')} ({port.number})",
        needed=_("{scope} free for {service}, or held by mailcow itself", scope=scope, service=port.service),
        why=_WHY[port.container],
        doc=need.DOC_PROXY if port.bind_key else need.DOC_PORTS,
        severity="blocks",
        source=survey,
        judge=lambda every: judge_port(every[port.id]),
    )


CHECKS: tuple[Check, ...] = tuple(_check(port) for port in need.PORTS)
