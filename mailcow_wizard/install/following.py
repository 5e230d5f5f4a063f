"""Beginning an install, following it from anywhere, leaving it, asking it to stop."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.engine import lock
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mail.trips import far_file
from mailcow_wizard.fixes import dns_records
from mailcow_wizard.host import invoker
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.files import far_mailbox, fresh_secrets
from mailcow_wizard.host.network import proxy_variables
from mailcow_wizard.host.processes import detached, handing_on
from mailcow_wizard.host.programs import lexicon
from mailcow_wizard.install import going_on, spoken
from mailcow_wizard.install.standing import Choices, Progress, Record, Standing, fresh
from mailcow_wizard.language import STORED, _
from mailcow_wizard.model import Settings
from mailcow_wizard.typed import NamedTuple

UNIT = "mailcow-wizard-install"
_TURN_S = 0.2
_START_S = 30.0
_RUN_LENGTH = 12
KILLED = _("the work was ended from outside")


class Heard(NamedTuple):
    """What is new, in the language that is spoken: lines of the log, how it stands, how far the stage under
    way is."""

    lines: tuple[str, ...]
    standing: Standing | None
    progress: Progress


Listen = Callable[[Heard], None]


def begin(session: Session, choices: Choices) -> tuple[str, lock.Lock]:
    """Begins, or goes on; the run's id, and the lock, which is still held.

    Raises Locked, Denied (needs root), HostError.
    """
    if session.host.user().uid != 0:
        raise Denied(_("only root can do this"))
    record = Record(session.state)
    held = lock.take(session.state, beside=lock.of_install(session.settings.directory))
    try:
        run = fresh_secrets.letters_and_digits(_RUN_LENGTH)
        before = _unfinished(session, record.look())
        standing = _next(session, before, run, choices)
        session.take_over()
        if session.given.secrets:
            record.save_secrets({**record.secrets(), **session.given.secrets})
        # Its process has another environment than who begins it.
        provider = lexicon.credentials() if session.settings.dns_provider else {}
        record.hand_credentials({**provider, **far_mailbox.variables()})
        if (known := proxy_variables.variables(session.host)) or before is None:
            record.save_proxies(known)
        record.save(standing)
        record.keep_room()
    except BaseException:
        # No process will take them.
        record.forget_credentials()
        held.close()
        raise
    return run, held


def _unfinished(session: Session, before: Standing | None) -> Standing | None:
    """The install that is gone on with; None where a new one begins. One that is done is over: what it has
    made was taken away since."""
    if before is None or before.state == "done" or before.directory != session.settings.directory:
        return None
    return before


def _next(session: Session, before: Standing | None, run: str, choices: Choices) -> Standing:
    settings = _told(session)
    if before is None:
        name, at = hostname(session.new_facts()).name, invoker.utc(session.host.now())
        return fresh(run, at, name, settings._asdict(), choices)
    goes_on = going_on.reopened(before, settings, choices, bool(session.given.secrets))
    return goes_on._replace(run=run, state="running", error="")


def _told(session: Session) -> Settings:
    """The settings, with the files that its process does not find in its environment: a key, and the password
    of a mailbox elsewhere. One of this server is none of them: where mailcow is new there is none yet."""
    settings, facts = session.settings, session.new_facts()
    key = "" if settings.dns_provider else dns_records.key_file(facts)
    mailbox, server, password = far_file(facts)
    return settings._replace(
        tsig=_absolute(session, key),
        far_mailbox=mailbox,
        far_imap=server,
        far_password=_absolute(session, password),
    )


def _absolute(session: Session, path: str) -> str:
    """The path for a process that works elsewhere."""
    return f"{session.host.working_directory()}/{path}" if path and not path.startswith("/") else path


def start(session: Session, choices: Choices, listen: Listen) -> Standing:
    """Begins or goes on, and follows to the end. Raises HostError where nothing was begun.

    Interrupted (KeyboardInterrupt, SystemExit) it leaves; the work goes on.
    """
    record = Record(session.state)
    at = record.log_end()
    run, held = begin(session, choices)
    try:
        process = _worker(session.state.path, run, held)
    finally:
        # Its process took them before it took the lock.
        record.forget_credentials()
        held.close()
    return _Following(record, at, listen, process.ended).run()


def _worker(place: str, run: str, held: lock.Lock) -> detached.Detached | detached.Unit:
    """The process that installs; it has the lock, too, when this returns, unless it did not come."""
    offer = handing_on.Offer(place)
    try:
        held.hand_over(lock.INSTALL)
        # Of its own: the name of a run that was killed is taken as long as a command of it goes on.
        unit = f"{UNIT}-{run}"
        process = detached.start_apart(
            "mailcow_wizard.install.worker", (place, run), unit, "installs mailcow", STORED
        )
        offer.hand_on(held.descriptors, process.ended, _START_S)
        return process
    finally:
        offer.close()


def follow(session: Session, listen: Listen) -> Standing:
    """Joins the install that is under way, and tells all of it. Raises HostError where there is none, or none
    that can be read."""
    record = Record(session.state)
    if record.look() is None and not record.alive():
        raise HostError(_("no install is under way"))
    return _Following(record, record.log_begin(), listen, lambda: True).run()


def stop(session: Session) -> bool:
    """Asks the install that is under way to stop at the next safe place; whether there is one."""
    for _unused in range(round(_START_S / _TURN_S)):
        holder = lock.holder(session.state)
        if holder is None or holder.change != lock.INSTALL:
            return False
        if holder.pid:
            detached.ask_to_stop(holder.pid)
            return True
        # Its process is just starting.
        detached.pause(_TURN_S)
    return False


class _Following:
    def __init__(self, record: Record, at: int, listen: Listen, ended: Callable[[], bool]) -> None:
        """`ended`: whether the process that we started is over (True where we started none)."""
        self._record = record
        self._at = at
        self._listen = listen
        self._ended = ended

    def run(self) -> Standing:
        """Tells what is new until it ends."""
        waited, begun = 0.0, False
        while True:
            # Asked first: what it said last is then read.
            alive = self._record.alive()
            begun = begun or alive
            over = not alive and (begun or self._ended() or waited > _START_S)
            lines, self._at = self._record.log_lines(self._at)
            standing = self._record.load()
            standing = standing and spoken.standing(standing)
            told = tuple(map(spoken.line, lines))
            self._listen(Heard(told, standing, spoken.progress(self._record.progress())))
            if over and lines:
                continue  # they come in pieces where they are many
            if over and standing is not None:
                if standing.state != "running":
                    return standing
                return standing._replace(state="failed", error=self._record.obstacle() or KILLED)
            if over:
                raise HostError(_("the install's record cannot be read any more"))
            detached.pause(_TURN_S)
            waited += _TURN_S
