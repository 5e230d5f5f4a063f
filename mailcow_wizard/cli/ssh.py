"""The option `--ssh`: this command line, run on a server by a copy that leaves again."""

from __future__ import annotations

import contextlib
import shlex
import threading
from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.one_file import build as one_file
from mailcow_wizard.host.reach import ssh as far
from mailcow_wizard.host.reach.desk import Desk, Invitation
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, called, heard
from mailcow_wizard.redaction import assignment_shown

_MOST_PORTS = 20
"""Mailcow has thirteen: a server that asks for many more has something else in mind."""


def ssh(options: Options, write: Callable[[str], None]) -> int:
    """Runs it there; returns the exit code from there, or that of ssh where the line is lost."""
    to = far.destination(options.ssh) or far.Destination(options.ssh)
    file = _Building()
    try:
        with contextlib.closing(far.Connection(to)) as connection:
            _say(_("connecting to {server}…", server=options.ssh))
            place = connection.copy(file.take, lambda part: _progress(options.ssh, part))
            code = _run(options, connection, place, Desk(connection.desk, to.host, _knock))
            refused = code == 1 and place.user != 0 and place.sudo != "none" and not connection.began()
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except far.Lost:
        streams.say(_("there is no connection to {server}", server=options.ssh))
        return far.LOST
    except HostError as error:
        streams.say(f"{options.ssh}: {harmless(heard(error))}")
        return exit_codes.CANNOT_WRITE
    if refused:
        line = f"{_again(_of_root(options.ssh))} {shlex.join(map(assignment_shown, options.line))}".rstrip()
        streams.say(
            _(
                "{sudo} on {server} refused, nothing was run. Let this user use it, or come as root: {line}",
                sudo=place.sudo,
                server=options.ssh,
                line=harmless(line, 400),
            )
        )
        return exit_codes.NEEDS_ROOT
    if code == far.LOST:
        line = f"{_again(options.ssh)} {shlex.join(map(assignment_shown, options.line))}".rstrip()
        streams.say(
            _(
                "the line to {server} was lost. What was begun there goes on. To see it again: {line}",
                server=options.ssh,
                line=harmless(line, 400),
            )
        )
    elif place.user and place.sudo == "none":
        streams.say(_("it ran without root: neither sudo nor doas was found there"))
    return code


def _run(options: Options, connection: far.Connection, place: far.Place, desk: Desk) -> int:
    becomes_root = place.user == 0 or place.sudo != "none"
    as_root = options.ssh if becomes_root else _of_root(options.ssh)
    lines = _again(options.ssh), _again(as_root)
    with contextlib.closing(desk):
        return connection.run(options.line, lines, connection.bring_home(), options.keep)


def _of_root(server: str) -> str:
    return f"root@{server.rpartition('@')[2]}"


def _again(server: str) -> str:
    """How this is begun here, without the words for the other side."""
    return called(f"./wizard --ssh {shlex.quote(server)}")


class _Building:
    """The file is made while ssh connects and asks for a password."""

    def __init__(self) -> None:
        self._data = b""
        self._trouble: HostError | None = None
        self._thread = threading.Thread(target=self._build, daemon=True, name="one-file")
        self._thread.start()

    def _build(self) -> None:
        try:
            self._data = one_file.build()
        except HostError as error:
            self._trouble = error

    def take(self) -> bytes:
        """The file. Raises HostError."""
        self._thread.join()
        if self._trouble:
            raise self._trouble
        return self._data


def _say(text: str) -> None:
    if far.can_draw():
        streams.say(text)


def _progress(server: str, part: int) -> None:
    if far.can_draw():
        text = _("copying to {server}: {part} %", server=server, part=part)
        streams.same_line(f"mailcow-wizard: {text}", part == 100)


def _knock(invitation: Invitation) -> str:
    """Asks the server's ports from here. The table is drawn over there, on the terminal that both have."""
    from mailcow_wizard.cli.reach_from import knock
    from mailcow_wizard.engine.reach_words import BadReport, ports_of

    with contextlib.suppress(BadReport):
        if len(ports_of(invitation.token)) <= _MOST_PORTS:
            return knock(invitation.addresses, invitation.token)
    return ""
