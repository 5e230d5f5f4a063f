"""The stage of mailcow.conf: made by mailcow's script, or by us where that could do harm; then corrected."""

from __future__ import annotations

from mailcow_wizard.conf.document import Document
from mailcow_wizard.conf.new import SECRETS
from mailcow_wizard.engine.selection import select
from mailcow_wizard.facts import checkout, docker_json
from mailcow_wizard.facts.config import conf_file
from mailcow_wizard.facts.free_subnet import free_subnet
from mailcow_wizard.facts.mailcow_conf import DEFAULT_NETWORK, answered
from mailcow_wizard.facts.volumes import database
from mailcow_wizard.fixes import conf_new, conf_set
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import fresh_secrets
from mailcow_wizard.install import by_itself, conf_files, gate, going_on
from mailcow_wizard.install.compose import Compose
from mailcow_wizard.install.docker import reaches_ipv6
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

SCRIPT = "generate_config.sh"
_SCRIPT_S = 900.0
_OWN_EXAMPLE = "data/assets/ssl-example/"
_BEGUN = "generating"
"""The mark that mailcow's script was at work: what a killed one has left may be half a file."""
_OURS, _OPEN = "configured", "answering"
"""The marks that the install has made the file, and that its answers are not in it yet."""
_DOTS = pattern(r"[.+*-]{5,}")
"""What openssl says while it looks for a key."""
_FROM_SECRET = {"DBPASS": "MAILCOW_DBPASS", "DBROOT": "MAILCOW_DBROOT", "REDISPASS": "MAILCOW_REDISPASS"}


def run(job: Job) -> str:
    """Makes mailcow.conf unless it is there, and sets what mailcow's script leaves open. Raises Failed."""
    job.read_secrets()
    _clear_half_made(job)
    if job.facts().get(conf_file).kind == "file":
        how = _("mailcow.conf was there already and is used")
    else:
        how = _made(job)
    job.read_secrets()
    given = _answered(job)
    ours = _to_be_set(job, given)
    if other := _different(job, {key: value for key, value in given.items() if key not in ours}):
        how = _(
            "mailcow.conf was there already, and stays; answered otherwise: {keys}", keys=", ".join(other)
        )
    _corrected(job, ours)
    marks = tuple(one for one in job.standing.marks if one != _OPEN and not going_on.key_of(one))
    job.stand(marks=marks, hostname=ours.get(going_on.NAME, job.standing.hostname))
    conf_files.complete(job)
    job.unmark(_BEGUN)
    job.record.save_secrets({})
    job.session.chosen_is_written()
    some = select(("config",))
    findings, _number = by_itself.allowed(job, some, job.look(some), job.standing.choices.fixes)
    gate.pass_through(job, findings)
    return how


def variables(job: Job, secrets: dict[str, str]) -> dict[str, str]:
    """What the script finds in its environment, so that it asks nothing."""
    known = conf_new.answers(job.facts())
    return {
        "MAILCOW_HOSTNAME": job.standing.hostname,
        "MAILCOW_TZ": known.get("TZ") or "Etc/UTC",
        "MAILCOW_BRANCH": job.standing.choices.branch,
        "SKIP_CLAMD": known.get("SKIP_CLAMD", "n"),
        "FORCE": "1",
        **{name: secrets[key] for key, name in _FROM_SECRET.items()},
    }


def _clear_half_made(job: Job) -> None:
    """What the script of a killed run may have left half written. Its passwords are kept beside it, and
    nothing was made with them yet."""
    if not job.marked(_BEGUN):
        return
    known = database(job.facts())
    if known.project or known.doubt:
        return
    job.tell(_("mailcow.conf of the run before may be half written; it is made anew with the same passwords"))
    job.changing.remove(f"{job.directory}/mailcow.conf")
    job.unmark(_BEGUN)


def _answered(job: Job) -> dict[str, str]:
    """What was answered for mailcow.conf, secrets too."""
    secrets = job.record.secrets()
    return {**answered(job.facts()), **{key: value for key, value in secrets.items() if key not in SECRETS}}


def _to_be_set(job: Job, given: dict[str, str]) -> dict[str, str]:
    """What of the answers is set in the file: all, where they are not in it yet (a script that was killed,
    beside a database, has made half of it); what was answered anew since, where the install has made the
    file; nothing in one that somebody else has made."""
    if job.marked(_OPEN) or job.marked(_BEGUN):
        return given
    if not job.marked(_OURS):
        return {}
    anew = {going_on.key_of(one) for one in job.standing.marks}
    settings = job.session.settings
    name = settings.hostname or settings.saved_hostname
    known = {**given, **({going_on.NAME: name} if name else {})}
    document, secrets = Document.read(job.facts().get(conf_file).data), job.record.secrets()
    lacking = {key for key in secrets if document.get(key) is None}
    return {key: value for key, value in known.items() if key in anew or key in lacking}


def _different(job: Job, given: dict[str, str]) -> list[str]:
    """The keys of a mailcow.conf that was there which were answered with another value."""
    document = Document.read(job.facts().get(conf_file).data)
    return [key for key, value in given.items() if document.get(key) != value]


def _made(job: Job) -> str:
    known = database(job.facts())
    if known.project or known.doubt:
        why = known.doubt or _(
            "the database of {project} is here, and new passwords would not open it", project=known.project
        )
        raise Failed(
            _("mailcow.conf is not made anew: {why}", why=why),
            (_("Put its mailcow.conf back, or see ./wizard check docker.leftovers"),),
        )
    secrets = job.record.secrets()
    if not set(SECRETS) <= set(secrets):
        fresh = {key: fresh_secrets.letters_and_digits(length) for key, length in SECRETS.items()}
        secrets = {**fresh, **secrets}
        job.record.save_secrets(secrets)
    job.hide(tuple(secrets.values()))
    for one in (_OURS, _OPEN):
        job.mark(one)
    why = _harm(job)
    if not why:
        why = _by_script(job, secrets)
    if not why:
        return _("made by {script}", script=SCRIPT)
    job.tell(_("{script} is not used: {why}", script=SCRIPT, why=why))
    _by_us(job, secrets)
    return _("made by the wizard, because {why}", why=why)


def _harm(job: Job) -> str:
    """What the script would change besides; empty where nothing."""
    facts = job.facts()
    found = facts.get(checkout.checkout)
    if found.git == "missing":
        return _("it needs git's history, and there is none")
    # The script makes the example certificate anew, and git knows that file.
    edited = tuple(one for one in found.edited if one != ".env" and not one.startswith(_OWN_EXAMPLE))
    if edited:
        return _("it would undo what was edited here ({files})", files=", ".join(edited[:3]))
    if found.branch and found.branch != job.standing.choices.branch:
        return _("it would leave branch {branch}", branch=found.branch)
    if reaches_ipv6(job.session.host):
        file = facts.get(docker_json.daemon_json)
        version = docker_json.engine_version(facts)
        if docker_json.lacking_for_ipv6(file.settings, version):
            return _("it would change Docker's settings and restart Docker")
    return ""


def _by_script(job: Job, secrets: dict[str, str]) -> str:
    """Runs mailcow's script; empty where it succeeded, else why not."""
    job.mark(_BEGUN)
    said: list[str] = []

    def listen(line: str) -> None:
        if _DOTS.fullmatch(line):
            return
        said.append(line)
        job.tell(f"  {line}")

    given = variables(job, secrets)
    code = job.run(
        ("bash", f"{job.directory}/{SCRIPT}"),
        _SCRIPT_S,
        listen,
        directory=job.directory,
        variables=given,
        patience=_SCRIPT_S,
    )
    job.unmark(_BEGUN)
    wrong = _wrong(job, secrets)
    if code == 0 and not wrong:
        return ""
    job.changing.remove(f"{job.directory}/mailcow.conf")
    last = said[-1] if said else _("it does not say why")
    return _("it ended with exit code {code}: {last}", code=code, last=last) if code else wrong


def _wrong(job: Job, secrets: dict[str, str]) -> str:
    """What is wrong with the file that the script has written."""
    file = job.facts().get(conf_file)
    if file.kind != "file":
        return _("it has written no mailcow.conf")
    document = Document.read(file.data)
    if document.get("MAILCOW_HOSTNAME") != job.standing.hostname:
        return _("it has written another server's name")
    return next(
        (
            _("it has written another {key}", key=key)
            for key in _FROM_SECRET
            if document.get(key) != secrets[key]
        ),
        "",
    )


def _by_us(job: Job, secrets: dict[str, str]) -> None:
    given = {"MAILCOW_HOSTNAME": job.standing.hostname, **secrets}
    try:
        try:
            plan = conf_new.plan(job.facts(), given)
        except conf_new.NoTimezone:
            plan = conf_new.plan(job.facts(), {**given, "TZ": "Etc/UTC"})
        job.change(plan)
    except HostError as error:
        raise Failed(_("mailcow.conf could not be made: {error}", error=error)) from None


def _corrected(job: Job, given: dict[str, str]) -> None:
    """Sets what was answered, and what the script leaves open or cannot know."""
    document = Document.read(job.facts().get(conf_file).data)
    wanted = {**given, "DOCKER_COMPOSE_VERSION": Compose(job).flavour}
    kept = job.record.secrets().get("SOGO_URL_ENCRYPTION_KEY")
    if kept:
        wanted["SOGO_URL_ENCRYPTION_KEY"] = kept
    network = document.get("IPV4_NETWORK") or DEFAULT_NETWORK
    if "IPV4_NETWORK" not in given and network == DEFAULT_NETWORK and not _has_started(job):
        try:
            wanted["IPV4_NETWORK"] = job.facts().get(free_subnet)
        except HostError as error:
            job.tell(_("the containers' network stays {network}: {error}", network=network, error=error))
    values = {key: value for key, value in wanted.items() if document.get(key) != value}
    if not values:
        return
    try:
        job.change(conf_set.plan(job.facts(), values))
    except HostError as error:
        raise Failed(
            _("mailcow.conf could not be corrected: {error}", error=error), ("./wizard conf lint",)
        ) from None


def _has_started(job: Job) -> bool:
    known = database(job.facts())
    return bool(known.project or known.doubt)
