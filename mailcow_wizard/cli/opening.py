"""Opens the machine and the session that a command line names."""

import os
from collections.abc import Callable

from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.engine.session import Session
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.files.state import StateDirectory, default_directory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.model import Settings
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.answers.problems import Unfit
    from mailcow_wizard.engine.given import Given

_DEFAULT_DIRECTORY = "/opt/mailcow-dockerized"
_MARKS = ("docker-compose.yml", "generate_config.sh")


class BadAnswers(UsageError):
    """The answers file cannot be used; `problems` are all that is wrong in it."""

    def __init__(self, unfit: "Unfit") -> None:
        number = len(unfit.problems)
        head = ngettext(
            "the answers cannot be used, nothing was run; there is one problem:",
            "the answers cannot be used, nothing was run; there are {n} problems:",
            number,
        )
        super().__init__(f"{head}\n{unfit}")
        self.problems = unfit.problems


def open_session(options: Options) -> Session:
    """The machine, the settings and the state that the options name. Raises UsageError."""
    host, recorded_directory = _host(options)
    given = _given(options, host)
    settings = Settings(
        directory=_directory(options, host, recorded_directory, given.directory if given else ""),
        hostname=options.hostname,
        domains=options.domains,
        offline=options.offline,
        timeout=options.timeout,
        addresses=options.addresses,
        resolver=options.resolver,
        ntp=options.ntp,
        tsig=absolute(options.tsig, host),
        dns_server=options.server,
        dns_provider=options.provider,
        far_mailbox=options.far_mailbox,
        far_imap=options.far_imap,
        far_password=_far_password(options, host),
    )
    if given:
        settings = _with_answers(settings, given)
        if options.command == "verify":
            mailbox, password = given.choices.mailbox
            settings = settings._replace(mailbox=mailbox, mailbox_password=password)
    state = StateDirectory(absolute(options.state_dir or default_directory(), RealHost()))
    _trusted(state.path)
    recorded = options.demo or options.host is not None
    named = options.directory is not None or bool(given and given.directory)
    return Session(host, settings, state, _log(options), recorded, given, named)


def _given(options: Options, host: Host) -> "Given | None":
    """What the file of `--answers` says. Raises UsageError with all that is wrong in it."""
    if options.answers is None:
        return None
    from mailcow_wizard.answers.problems import Unfit
    from mailcow_wizard.answers.reading import read
    from mailcow_wizard.host.terminal import streams

    try:
        given = read(options.answers, None if options.demo or options.host is not None else host)
    except Unfit as error:
        raise BadAnswers(error) from None
    for one in given.over:
        streams.say(one)
    return given


def _with_answers(settings: Settings, given: "Given") -> Settings:
    """What the line says counts more than the file."""
    by_line = settings.tsig or settings.dns_provider
    if not settings.far_mailbox:
        far, imap, password = given.far
        settings = settings._replace(far_mailbox=far, far_imap=imap, far_password=password)
    return settings._replace(
        addresses=settings.addresses or given.addresses,
        resolver=settings.resolver or given.resolver,
        ntp=settings.ntp or given.ntp,
        tsig=settings.tsig if by_line else given.tsig,
        dns_server=settings.dns_server or ("" if by_line else given.dns_server),
        dns_provider=settings.dns_provider if by_line else given.dns_provider,
        conf=given.conf,
    )


def _trusted(path: str) -> None:
    """What lies there says what is taken back and gone on with: nobody else may have written it."""
    from mailcow_wizard.host.files.trust import stranger

    reason = stranger(path)
    if reason:
        raise UsageError(
            _(
                "the state directory {path} cannot be trusted: {reason}; name another with --state-dir",
                path=harmless(path, 100),
                reason=harmless(heard(reason)),
            )
        )


def _log(options: Options) -> Callable[[str], None] | None:
    """Where `--log` says what was done; nowhere without it."""
    if options.log is None:
        return None
    from mailcow_wizard import __version__
    from mailcow_wizard.host.files.log import LogFile

    try:
        log = LogFile(options.log, f"mailcow-wizard {__version__} {options.command or 'wizard'}")
    except HostError as error:
        raise UsageError(f"--log {harmless(heard(error))}") from None
    return log.write


def _host(options: Options) -> tuple[Host, str]:
    """The machine, and mailcow's directory where it is a recorded one."""
    if not options.demo and options.host is None:
        return RealHost(options.state_dir or ""), ""
    from mailcow_wizard.host.recording.recorded import DEMO, BadRecording, load

    path = options.host if options.host is not None else DEMO
    try:
        recorded = load(path)
    except BadRecording as error:
        raise UsageError(f"--host {harmless(path, 100)}: {heard(error)}") from None
    return recorded, recorded.directory


def absolute(path: str, host: Host) -> str:
    """A path for a process that works elsewhere. Raises UsageError."""
    if not path or path.startswith("/"):
        return path
    try:
        return os.path.join(host.working_directory(), path)
    except HostError as error:
        raise UsageError(harmless(heard(error))) from None


def _far_password(options: Options, host: Host) -> str:
    path = absolute(options.far_password, host)
    try:
        if path:
            host.info(path)
    except Missing:
        named = harmless(options.far_password, 100)
        raise UsageError(_("--far-password-file {named} does not exist", named=named)) from None
    except HostError:
        pass  # a recorded machine; whether it can be used is told where it is read
    return path


def _directory(options: Options, host: Host, recorded: str, answered: str) -> str:
    if options.directory is None:
        return recorded or answered or usual_directory(host)
    path = options.directory.rstrip("/") or "/"
    if path == recorded:
        return path
    try:
        if not path.startswith("/"):
            path = os.path.join(host.working_directory(), path)
        kind = host.info(path).kind
    except Missing:
        raise UsageError(_nowhere(path, options.command)) from None
    except HostError as error:
        raise UsageError(f"--dir {harmless(path, 100)}: {harmless(heard(error))}") from None
    if kind != "directory":
        raise UsageError(_("--dir {path} is not a directory", path=harmless(path, 100)))
    return path


def _nowhere(path: str, command: str) -> str:
    """That a directory is not there, and how there can be a new mailcow in it."""
    said = _("--dir {path} does not exist", path=harmless(path, 100))
    if command not in ("", "install") or path != harmless(path, 100):
        return said
    import shlex

    return _("{said}; for a new mailcow make it first: mkdir -p {path}", said=said, path=shlex.quote(path))


def usual_directory(host: Host) -> str:
    """Mailcow's directory where nothing names it: the working directory if it is one, else the usual one."""
    try:
        here = host.working_directory()
        return here if all(host.exists(f"{here}/{mark}") for mark in _MARKS) else _DEFAULT_DIRECTORY
    except HostError:
        return _DEFAULT_DIRECTORY


def no_name(error: HostError) -> UsageError:
    """The server has no name yet, and its name is what everything is asked about."""
    return UsageError(_("{why}; say it with --hostname", why=harmless(heard(error), 300)))
