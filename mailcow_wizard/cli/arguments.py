"""The command line's grammar: options may stand before or after the command.

Neither argparse, whose import takes longer than the rest of `check ports`, nor getopt, which takes any
beginning of an option for it and stops at the first word where POSIXLY_CORRECT is set.
"""

from collections.abc import Callable, Iterator, Sequence

from mailcow_wizard.cli.values import VALUES, meant, none_of, quoted, unknown_command
from mailcow_wizard.cli.values import UsageError as UsageError
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple


class Options(NamedTuple):
    """What the line says. None and empty: not said."""

    command: str = ""
    words: tuple[str, ...] = ()
    help: bool = False
    version: bool = False
    directory: str | None = None
    hostname: str = ""
    domains: tuple[str, ...] = ()
    state_dir: str | None = None
    host: str | None = None
    demo: bool = False
    record: str | None = None
    offline: bool = False
    timeout: float | None = None
    addresses: tuple[str, ...] = ()
    resolver: str = ""
    ntp: tuple[str, ...] = ()
    json: bool = False
    plain: bool = False
    list: bool = False
    no_color: bool = False
    ascii: bool = False
    mouse: bool = False
    log: str | None = None
    language: str = ""
    yes: bool = False
    dry_run: bool = False
    zone: bool = False
    push: bool = False
    tsig: str = ""
    server: str = ""
    provider: str = ""
    subject: str | None = None
    resume: str | None = None
    changes: bool = False
    remove: bool = False
    mask: bool = False
    reason: str | None = None
    until: str = ""
    format: str = ""
    asked_from: str = ""
    result: str = ""
    minutes: float | None = None
    repository: str = ""
    branch: str = ""
    stop: bool = False
    first_mailbox: str = ""
    password_file: str = ""
    api_key: str = ""
    far_mailbox: str = ""
    far_imap: str = ""
    far_password: str = ""
    answers: str | None = None
    ssh: str = ""
    keep: bool = False
    line: tuple[str, ...] = ()


COMMANDS = (
    "check",
    "fix",
    "undo",
    "ack",
    "conf",
    "dns",
    "reach",
    "install",
    "verify",
    "report",
    "answers",
    "explain",
    "schema",
    "completion",
    "man",
    "build",
)
_FLAGS = {
    "help": "help",
    "version": "version",
    "demo": "demo",
    "offline": "offline",
    "json": "json",
    "plain": "plain",
    "list": "list",
    "no-color": "no_color",
    "ascii": "ascii",
    "mouse": "mouse",
    "yes": "yes",
    "dry-run": "dry_run",
    "zone": "zone",
    "push": "push",
    "changes": "changes",
    "remove": "remove",
    "mask": "mask",
    "stop": "stop",
    "keep": "keep",
}
_CHANGING = ("fix", "undo", "conf")
_LOOKING = ("dns", "reach", "install", "verify", "report")
ONLY_FOR: dict[str, tuple[str, ...]] = {
    "list": ("check", "verify", "undo", "ack"),
    "record": ("check", "verify"),
    "changes": ("check", "verify"),
    "json": ("", "check", *_CHANGING, *_LOOKING, "ack", "explain", "schema"),
    "zone": ("dns",),
    "push": ("dns",),
    "tsig": ("dns", "fix"),
    "server": ("dns", "fix"),
    "provider": ("dns", "fix"),
    "dry-run": (*_CHANGING, "dns", "install", "verify"),
    "subject": ("fix", "ack"),
    "resume": ("fix",),
    "remove": ("ack",),
    "reason": ("ack",),
    "until": ("ack",),
    "mask": ("report",),
    "repository": ("install",),
    "branch": ("install",),
    "stop": ("install",),
    **dict.fromkeys(("first-mailbox", "password-file", "far-mailbox", "far-imap"), ("verify",)),
    **dict.fromkeys(("far-password-file", "api-key"), ("verify",)),
    "from": ("reach",),
    "result": ("reach",),
    "minutes": ("reach",),
    "format": ("check", "verify", "report"),
    "answers": ("", "check", "verify", "fix", "conf", "dns", "reach", "install", "answers"),
}
_MONITORING = ("nagios", "prometheus")
FORMATS = {
    "check": _MONITORING,
    "verify": _MONITORING,
    "report": ("markdown", "json", "html"),
}
CONF_WORDS = ("get", "set", "lint", "new")


def parse(argv: Sequence[str]) -> Options:
    """The options of a command line without its program name. Raises UsageError."""
    pairs, words = _split(argv)
    fields: dict[str, object] = {}
    while words[:1] == ["help"]:
        words, fields["help"] = words[1:], True
    for name, value in pairs:
        if name in _FLAGS:
            fields[_FLAGS[name]] = True
        else:
            field, read = VALUES[name]
            fields[field] = read(name, value, fields.get(field))
    options = Options(**fields)._replace(command=words[0] if words else "", words=tuple(words[1:]))  # type: ignore[arg-type]
    if options.ssh:
        options = options._replace(line=_for_there(argv))
    _agree(options, {name for name, _value in pairs})
    return options


def _split(argv: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Options with their values, and words. After `--` everything is a word."""
    pairs: list[tuple[str, str]] = []
    words: list[str] = []
    left = iter(argv)
    for word in left:
        if word == "--":
            words += left
        elif len(word) < 2 or word[0] != "-":
            words.append(word)
        else:
            pairs.append(_option("--help" if word == "-h" else word, left))
    return pairs, words


def _for_there(argv: Sequence[str]) -> tuple[str, ...]:
    """The line as it is for the server: without what concerns this side alone."""
    kept: list[str] = []
    left = iter(argv)
    for word in left:
        name = word.removeprefix("--")
        if word == "--":
            kept += [word, *left]
        elif word.startswith("--") and name in VALUES:
            kept += [] if name == "ssh" else [word, next(left)]
            if name == "ssh":
                next(left)
        elif word != "--keep" and not word.startswith("--ssh="):
            kept.append(word)
    return tuple(kept)


def _option(word: str, left: Iterator[str]) -> tuple[str, str]:
    """One option; its value is taken from `left` unless it stands behind `=`."""
    option, equals, value = word.partition("=")
    name = option.removeprefix("--")
    if not option.startswith("--") or name not in {**_FLAGS, **VALUES}:
        from mailcow_wizard.harmless import harmless

        said = _("unknown option {option}", option=harmless(option, 60))
        raise UsageError(said + meant(name, (*_FLAGS, *VALUES), "--"))
    if name in _FLAGS:
        if equals:
            raise UsageError(_("{option} takes no value", option=option))
        return name, ""
    if not equals:
        value = next(left, "")
    return name, value


def _agree(options: Options, given: set[str]) -> None:
    """Refuses what does not go together."""
    if options.command and options.command not in COMMANDS:
        raise unknown_command(options.command, COMMANDS)
    if options.help or options.version:
        return
    if options.json and options.plain:
        raise UsageError(_("--json and --plain exclude each other"))
    if options.keep and not options.ssh:
        raise UsageError(_("--keep goes with --ssh"))
    if options.host is not None and options.demo:
        raise UsageError(_("--host and --demo exclude each other"))
    for name, commands in ONLY_FOR.items():
        if name in given and options.command not in commands:
            those = _(" or ").join(filter(None, commands))
            raise UsageError(_("--{name} goes with the command {those}", name=name, those=those))
    if options.dry_run and options.yes:
        raise UsageError(_("--dry-run and --yes exclude each other"))
    if options.command in _WORDS:
        _WORDS[options.command](options)


def _no_words(options: Options) -> None:
    _at_most(options, 0, _("{command} takes no words", command=options.command))


def _words_of_schema(options: Options) -> None:
    if options.words[:1] not in ((), ("answers",)):
        raise UsageError(_("schema is followed by answers, or by nothing"))
    _at_most(options, 1, _("schema takes one word"))


def _words_of_answers(options: Options) -> None:
    _at_most(options, 0, _("answers takes no words; a file to be looked at is given with --answers"))


def _words_of_fix(options: Options) -> None:
    if options.resume is not None:
        _at_most(options, 0, _("fix --resume takes the change alone"))
    elif not options.words:
        raise UsageError(_("fix needs the id of a check, such as ports.smtp; see check --list"))
    _at_most(options, 2, _("fix takes a check and one of its fixes"))


def _words_of_check(options: Options) -> None:
    _known_format(options)
    if options.format and (options.json or options.plain or options.list or options.changes):
        raise UsageError(_("--format excludes --json, --plain, --list and --changes"))
    if options.list and options.changes:
        raise UsageError(_("--list and --changes exclude each other"))


def _words_of_verify(options: Options) -> None:
    _no_words(options)
    _words_of_check(options)
    if not (options.first_mailbox or options.api_key):
        for name, given in (("--password-file", options.password_file), ("--dry-run", options.dry_run)):
            if given:
                raise UsageError(_("{name} goes with verify --first-mailbox", name=name))
    elif options.format or options.list or options.changes or options.record is not None:
        raise UsageError(_("what makes something excludes --format, --list, --changes and --record"))


def _words_of_report(options: Options) -> None:
    _no_words(options)
    _known_format(options)
    if options.json and options.format not in ("", "json"):
        raise UsageError(_("--json goes with --format json alone"))


def _known_format(options: Options) -> None:
    known = FORMATS[options.command]
    if options.format and options.format not in known:
        raise none_of("format", options.format, known)


def _words_of_ack(options: Options) -> None:
    if options.list:
        _at_most(options, 0, _("ack --list lists all"))
    elif not options.words:
        raise UsageError(_("ack needs the id of a check, such as network.outbound-25; see check --list"))
    _at_most(options, 1, _("ack takes one check"))
    if options.remove and (options.reason or options.until):
        raise UsageError(_("--remove excludes --reason and --until"))


def _words_of_reach(options: Options) -> None:
    if options.asked_from:
        _at_most(options, 1, _("reach --from HOST takes one token"))
        if options.result or options.minutes:
            raise UsageError(_("--from excludes --result and --minutes"))
    else:
        _at_most(options, 0, _("reach takes no words without --from"))


def _words_of_install(options: Options) -> None:
    _no_words(options)
    if options.stop and options.dry_run:
        raise UsageError(_("--stop and --dry-run exclude each other"))


def _words_of_build(options: Options) -> None:
    if not options.words:
        raise UsageError(_("build needs the name of the file to make, such as mailcow-wizard.pyz"))
    _at_most(options, 1, _("build makes one file"))


def _words_of_explain(options: Options) -> None:
    if not options.words:
        raise UsageError(_("explain needs the id of a check, such as ports.smtp; see check --list"))
    _at_most(options, 1, _("explain takes one check"))


def _words_of_completion(options: Options) -> None:
    if options.words[:1] not in (("bash",), ("zsh",), ("fish",)):
        raise UsageError(_("completion is followed by one of: bash, zsh, fish"))
    _at_most(options, 1, _("completion takes one shell"))


def _words_of_undo(options: Options) -> None:
    if options.list:
        _at_most(options, 0, _("undo --list lists all changes"))
    _at_most(options, 1, _("undo takes one change"))


def _words_of_dns(options: Options) -> None:
    _no_words(options)
    for name, given in (
        ("--tsig", options.tsig),
        ("--server", options.server),
        ("--provider", options.provider),
        ("--dry-run", options.dry_run),
    ):
        if given and not options.push:
            raise UsageError(_("{name} goes with dns --push", name=name))
    if options.push and options.zone:
        raise UsageError(_("--push and --zone exclude each other"))


def _words_of_conf(options: Options) -> None:
    word = options.words[0] if options.words else ""
    if word not in CONF_WORDS:
        words = ", ".join(CONF_WORDS)
        raise UsageError(
            _("unknown word {word}; conf is followed by one of: {words}", word=quoted(word), words=words)
            if word
            else _("conf is followed by one of: {words}", words=words)
        )


def _at_most(options: Options, number: int, what: str) -> None:
    if len(options.words) > number:
        raise UsageError(_("{what}, but there is {word}", what=what, word=quoted(options.words[number])))


_WORDS: dict[str, Callable[[Options], None]] = {
    "schema": _words_of_schema,
    "answers": _words_of_answers,
    "man": _no_words,
    "check": _words_of_check,
    "verify": _words_of_verify,
    "report": _words_of_report,
    "ack": _words_of_ack,
    "reach": _words_of_reach,
    "install": _words_of_install,
    "explain": _words_of_explain,
    "build": _words_of_build,
    "completion": _words_of_completion,
    "fix": _words_of_fix,
    "undo": _words_of_undo,
    "conf": _words_of_conf,
    "dns": _words_of_dns,
}

FLAG_NAMES = tuple(_FLAGS)
VALUE_NAMES = tuple(VALUES)
"""The options without and with a value, without their dashes."""
