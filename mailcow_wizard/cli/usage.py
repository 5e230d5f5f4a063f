"""What each command is for, its options, and examples: the source of `--help` and of the man page."""

from mailcow_wizard.typed import NamedTuple

Row = tuple[str, str]


class Usage(NamedTuple):
    """One command. `forms` stand behind the program's name; `options` and `examples` are word and meaning."""

    command: str
    forms: tuple[str, ...]
    brief: str
    about: str
    options: tuple[Row, ...] = ()
    examples: tuple[Row, ...] = ()


ABOUT = "prepares a server for mailcow-dockerized and says the truth about it"
SELECTOR = "A SELECTOR is a step (ports), the beginning of ids (time.) or an id (ports.smtp)."

_YES = ("--yes", "do it without asking")
_DRY_RUN = ("--dry-run", "only show the plan: exact commands and lines that change")
_SUBJECT = ("--subject S", "which one, where a check has several")
_TSIG = ("--tsig FILE", "the key that signs updates (also MAILCOW_WIZARD_TSIG=FILE)")
_SERVER = ("--server IP", "where updates go (else the zone's primary)")
_PROVIDER = ("--provider NAME", "by this DNS provider's API")
_FORMAT = ("--format FORMAT", "nagios (a plugin's line and exit codes) or prometheus")
_RECORD = ("--record FILE", "also keep this machine's answers, without secrets")
_CHANGES = ("--changes", "what is better, worse, new, gone since the run before; so the exit code")

COMMANDS: tuple[Usage, ...] = (
    Usage(
        "check",
        ("check [SELECTOR…]",),
        "looks, judges, says what it found",
        f"Without a selector everything is checked. {SELECTOR} Nothing is changed.",
        (("--list", "what is checked and why, without looking"), _CHANGES, _FORMAT, _RECORD),
        (
            ("check", "everything"),
            ("check ports --json", "for other programs"),
            ("check time.offset --ntp ntp1.example.org", "asks this time server"),
            ("check --record box.json", "keeps this machine's answers"),
            ("check --host box.json", "judges that machine instead of this one"),
            ("check --changes --plain", "once an hour, by cron or a timer"),
        ),
    ),
    Usage(
        "fix",
        ("fix CHECK [FIX]", "fix --resume CHANGE"),
        "shows the plan, asks, does it, looks again",
        "Without FIX it lists what can be done, best first. What was done stands in a journal, and undo "
        "takes it back. The exit code is that of the check that was run again.",
        (
            _DRY_RUN,
            _YES,
            _SUBJECT,
            ("--resume CHANGE", "go on with one that was interrupted"),
            _TSIG,
            _SERVER,
            _PROVIDER,
        ),
        (
            ("fix ports.smtp", "what can be done about it"),
            ("fix ports.smtp stop-service --dry-run", "what that would do"),
            ("fix ports.smtp stop-service", "does it, after asking"),
        ),
    ),
    Usage(
        "undo",
        ("undo [CHANGE]",),
        "takes back the newest change, or this one",
        "Lines that somebody edited since stay; where they are the very lines of the change it refuses and "
        "shows both.",
        (("--list", "every change and its state"), _DRY_RUN, _YES),
        (("undo --list", "every change"), ("undo", "takes back the newest, after asking")),
    ),
    Usage(
        "ack",
        ("ack CHECK --reason TEXT",),
        "acknowledges a finding: it stays shown and no longer counts",
        "What blocks an install can only be acknowledged with a reason.",
        (
            ("--reason TEXT", "why it is accepted"),
            ("--until DAY", "how long, such as 2027-12-31"),
            _SUBJECT,
            ("--remove", "let it count again"),
            ("--list", "what is acknowledged"),
        ),
        (
            ('ack network.outbound-25 --reason "mail leaves by a relay"', "for good"),
            ("ack network.outbound-25 --remove", "lets it count again"),
        ),
    ),
    Usage(
        "conf",
        ("conf get KEY", "conf set KEY=VALUE…", "conf lint [FILE]", "conf new"),
        "reads, writes and checks mailcow.conf",
        "bash and docker compose both read this file, and not alike: only what both read the same is "
        "written. Comments, order, mode and owner stay.",
        (_DRY_RUN, _YES),
        (
            ("conf lint", "what is wrong in it, by line, and what would be right"),
            ("conf set SKIP_FTS=y --dry-run", "the lines that would change"),
            ("conf get MAILCOW_HOSTNAME", "the value, as both read it"),
        ),
    ),
    Usage(
        "dns",
        ("dns", "dns --zone", "dns --push"),
        "the records that mail needs against what is published",
        "Asked at the zone's own servers. --push publishes what is missing, after asking for each record, "
        "and deletes nothing that it did not make.",
        (
            ("--zone", "as a zone file"),
            ("--push", "publish what is missing, by dynamic update or a provider's API"),
            _TSIG,
            _SERVER,
            _PROVIDER,
            _DRY_RUN,
            _YES,
        ),
        (
            ("dns --domain example.org", "each record and its state"),
            ("dns --zone", "to paste into a zone file"),
            ("dns --push --tsig key.conf", "publishes by RFC 2136"),
        ),
    ),
    Usage(
        "reach",
        ("reach", "reach --from HOST TOKEN"),
        "proves from outside that the ports can be reached",
        "Listens on mailcow's free ports for ten minutes and shows a line to paste on another machine, which "
        "knocks at each port. The listeners answer nobody but who knows the token.",
        (
            ("--from HOST", "knock from here; several addresses with commas"),
            ("--minutes N", "how long it listens, 1 to 120"),
            ("--result TEXT", "what the other machine printed, where it could not report by itself"),
        ),
        (("reach", "on the server"), ("reach --from mail.example.org TOKEN", "on another machine")),
    ),
    Usage(
        "install",
        ("install",),
        "the first install, in stages; goes on where it stopped",
        "Checks first; what blocks stops it there. It runs as a process of its own: losing SSH loses "
        "nothing, and the same command shows it again.",
        (
            _DRY_RUN,
            _YES,
            ("--branch NAME", "of mailcow (else master)"),
            ("--repository URL", "where mailcow comes from (else its own)"),
            ("--stop", "stop the one under way at the next safe place"),
        ),
        (
            ("install --hostname mail.example.org --dry-run", "the stages and their commands"),
            ("install --hostname mail.example.org", "installs, after asking"),
            ("install", "shows it, or goes on"),
            ("install --answers answers.toml --yes", "asks nothing; ends, or says where it stopped"),
        ),
    ),
    Usage(
        "verify",
        ("verify", "verify --first-mailbox USER@DOMAIN"),
        "proves that the installed server works; fit for monitoring",
        "Containers, each port in its own protocol, certificate, relaying, test messages. With a first "
        "mailbox it makes that, its domain and a DKIM key through mailcow's API, and sends it a message; "
        "undo takes it back.",
        (
            _CHANGES,
            _FORMAT,
            _RECORD,
            ("--list", "what is looked at"),
            ("--first-mailbox USER@DOMAIN", "make it and try it"),
            ("--password-file FILE", "where its password stays; else it is shown once, on a terminal"),
            _DRY_RUN,
            _YES,
        ),
        (
            ("verify", "the installed server"),
            ("verify --format nagios", "a plugin's line"),
            ("verify --first-mailbox me@example.org", "makes a mailbox and tries it, after asking"),
        ),
    ),
    Usage(
        "report",
        ("report",),
        "the last run, to keep or to pass on",
        "Nothing in it is secret.",
        (
            ("--format FORMAT", "markdown, json or html (one page, no outside loads)"),
            ("--mask", "without addresses and the server's own names"),
        ),
        (("report --format html --mask > report.html", "for a forum"),),
    ),
    Usage(
        "answers",
        ("answers",),
        "what is known here as a file for --answers; with a file of answers: what is wrong in it",
        "Everything that the wizard asks can be given in one TOML file. Secrets are left out. With --answers "
        "the file is held against the rules, and nothing is done; its keys: schema answers.",
        (),
        (
            ("answers > answers.toml", "to be edited and used elsewhere"),
            ("answers --answers answers.toml", "every problem of it, each with its line"),
        ),
    ),
    Usage(
        "explain",
        ("explain CHECK",),
        "what a check looks for and why, how to see it by hand, what mends it",
        "",
        (),
        (("explain ports.smtp", ""),),
    ),
    Usage(
        "completion",
        ("completion bash|zsh|fish",),
        "what a shell needs to complete these words",
        "",
        (),
        (("completion bash > /etc/bash_completion.d/mailcow-wizard", ""),),
    ),
    Usage("man", ("man",), "the manual page", "", (), (("man | man -l -", "reads it"),)),
    Usage(
        "schema",
        ("schema", "schema answers"),
        "the JSON Schema of --json, or of a file of answers",
        "",
    ),
    Usage(
        "build",
        ("build FILE",),
        "the wizard and all that it needs as one file",
        "It runs with Python 3.10 or newer on any processor, and is the same whenever it is made.",
        (),
        (("build mailcow-wizard.pyz", "then: python3 mailcow-wizard.pyz"),),
    ),
)

GENERAL: tuple[Row, ...] = (
    ("--dir DIR", "mailcow's directory (this one if it is mailcow's, else /opt/mailcow-dockerized)"),
    ("--hostname FQDN", "the mail server's full name"),
    ("--domain NAME", "a mail domain (repeatable)"),
    ("--address IP", "a public address, instead of finding them (repeatable)"),
    ("--resolver IP", "ask this name server"),
    ("--ntp HOST", "ask this time server (repeatable)"),
    ("--timeout SECONDS", "for each check"),
    ("--answers FILE", "answers from a TOML file, less than options and mailcow.conf count"),
    ("--offline", "no packet leaves the machine"),
    ("--host FILE", "a recorded machine instead of this one"),
    ("--demo", "the one that ships with the wizard"),
    ("--state-dir DIR", "where the wizard keeps its state"),
    ("--json", "one document for programs"),
    ("--plain", "lines for pipes and screen readers"),
    ("--no-color", "no colours (also NO_COLOR)"),
    ("--ascii", "no characters beyond ASCII"),
    ("--mouse", "the full screen takes the mouse too"),
    ("--lang en|de", "the language (else the locale's); what programs read is English"),
    ("--ssh [USER@]SERVER[:PORT]", "all this on a server, by a copy that leaves again"),
    ("--keep", "the copy stays there (with --ssh)"),
    ("--log FILE", "what the wizard did, with times"),
    ("--help", "this, and with a command its options and examples"),
    ("--version", "the version"),
)

EXAMPLES: tuple[Row, ...] = (
    ("", "the full-screen wizard"),
    ("--demo", "the same on a machine that ships with it"),
    ("check", "everything that can be checked"),
    ("fix ports.smtp stop-service --dry-run", "what mending would do"),
    ("install --hostname mail.example.org", "a first install"),
    ("--ssh root@mail.example.org", "the wizard on that server, from your own machine"),
)

EXIT_CODES: tuple[Row, ...] = (
    ("0", "all right"),
    ("1", "something fails"),
    ("2", "warnings only"),
    ("3", "something could not be determined"),
    ("64", "the line cannot be understood, or nobody could be asked; nothing was done"),
    ("70", "a defect of the wizard"),
    ("73", "nothing was changed, or it was taken back"),
    ("74", "the output could not be written"),
    ("75", "another wizard is changing this machine"),
    ("77", "needs root"),
    ("130, 143", "interrupted, terminated"),
)
