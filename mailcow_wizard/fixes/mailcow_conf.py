"""Changes of the machine's mailcow.conf: the edit, and what makes mailcow take it up."""

import shlex
from collections.abc import Collection, Mapping

from mailcow_wizard.conf.document import Document
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit, Manual

# Docker makes networks and published ports when containers are created, and the network only once
# (mailcow's documentation, "IPv6", "IP bindings").
_NEEDS_DOWN = frozenset({"ENABLE_IPV6", "IPV4_NETWORK", "IPV6_NETWORK", "MAILCOW_HOSTNAME"})

# No container is made from these: mailcow's scripts read them each time.
_SCRIPTS_ONLY = frozenset({"DOCKER_COMPOSE_VERSION"})


def path_of(facts: Facts) -> str:
    """Where the machine's mailcow.conf is."""
    return facts.settings.within("mailcow.conf")


def content(facts: Facts) -> bytes:
    """The bytes of mailcow.conf. Raises NoPlan where there is no file, or none that can be edited."""
    return content_of(facts.host, path_of(facts))


def content_of(host: Host, path: str) -> bytes:
    """The bytes of a file that should be a mailcow.conf. Raises NoPlan, and HostError (Denied)."""
    try:
        kind = host.info(path).kind
        if kind != "file":
            raise NoPlan(
                _(
                    "{path} is {kind}, not a file",
                    path=path,
                    kind=_("a directory") if kind == "directory" else _("something else"),
                )
            )
        data = host.read(path)
    except Missing:
        words = (
            _("{path} is a link that leads nowhere", path=path)
            if is_link(host, path)
            else _("there is no {path}", path=path)
        )
        raise NoPlan(words) from None
    if b"\0" in data:
        raise NoPlan(_("{path} is not a text file", path=path))
    return data


def is_link(host: Host, path: str) -> bool:
    """Whether there is a link of this name, wherever it leads."""
    try:
        return host.info(path, follow=False).kind == "link"
    except HostError:
        return False


def is_lacking(host: Host, path: str) -> bool:
    """Whether there is nothing of this name, not even a link that leads nowhere; no where the machine does
    not tell."""
    try:
        return not host.exists(path) and not is_link(host, path)
    except HostError:
        return False


def said_of_none(facts: Facts, said: str) -> str:
    """What is said where there is no mailcow.conf, with where the mailcow is that runs, or what makes one."""
    try:
        here = facts.get(place)
    except HostError:
        return said
    if here.elsewhere:
        return f"{said}; {here.apart}"
    if here.moved:
        return f"{said}; {here.absent}"
    return _("{said}; `./wizard conf new` makes it", said=said)


def edit(facts: Facts, values: Mapping[str, str]) -> Edit:
    """The step that gives these keys these values. Raises NoPlan, and HostError where it cannot be read."""
    before = content(facts)
    try:
        document = changed(before, values)
    except Unwritable as error:
        raise NoPlan(str(error)) from None
    return Edit(path_of(facts), before, document.data, 0o600)


def changed(before: bytes, values: Mapping[str, str]) -> Document:
    """The document with these values. Raises Unwritable, also where not both readers would read them."""
    document = Document.read(before)
    for key, value in values.items():
        document = document.set(key, value)
    unread = document.unread(values)
    if unread:
        raise Unwritable(_("{unread}; correct that line first", unread=unread))
    return document


def takes_effect(facts: Facts, keys: Collection[str]) -> Manual | None:
    """What has to be run for a change of these keys to count; None where mailcow does not run here."""
    return Manual(_effect(facts, keys)) if set(keys) - _SCRIPTS_ONLY and _runs(facts) else None


def takes_effect_words(facts: Facts, keys: Collection[str]) -> str:
    """The same as a line that is never empty; no `keys`: a new file."""
    if not keys:
        return _("mailcow takes it up when it is started.")
    if not set(keys) - _SCRIPTS_ONLY:
        return _("mailcow's scripts take it up when they run next; nothing has to be started anew.")
    if _runs(facts):
        return _effect(facts, keys)
    return _(
        "mailcow does not run here. If it has been started before, it takes it up with: {commands}",
        commands=_commands(facts, keys),
    )


def _effect(facts: Facts, keys: Collection[str]) -> str:
    commands = _commands(facts, keys)
    if _needs_down(keys):
        return _("To take it up, mailcow has to stop and start: {commands}", commands=commands)
    return _("To take it up, mailcow's changed containers are made anew: {commands}", commands=commands)


def _needs_down(keys: Collection[str]) -> bool:
    """Whether making the changed containers anew is not enough."""
    return any(key in _NEEDS_DOWN or key.endswith(("_PORT", "_BIND")) for key in keys)


def _commands(facts: Facts, keys: Collection[str]) -> str:
    """What a shell is given to have mailcow take up these keys, in one line."""
    compose = " ".join(compose_words(facts))
    down = (f"{compose} down",) if _needs_down(keys) else ()
    return " && ".join((f"cd {shlex.quote(facts.settings.directory)}", *down, f"{compose} up -d"))


def compose_words(facts: Facts) -> tuple[str, ...]:
    """How Compose is called here."""
    from mailcow_wizard.facts.mailcow_conf import mailcow_conf

    standalone = facts.get(mailcow_conf).get("DOCKER_COMPOSE_VERSION") == "standalone"
    return ("docker-compose",) if standalone else ("docker", "compose")


def _runs(facts: Facts) -> bool:
    """Whether containers of mailcow run. Where Docker does not say, that it may be so counts."""
    from mailcow_wizard.facts.containers import containers, docker_socket
    from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf

    try:
        project = facts.get(mailcow_conf).get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
        return any(one.project == project for one in facts.get(containers))
    except HostError:
        return facts.host.exists(docker_socket(facts))
