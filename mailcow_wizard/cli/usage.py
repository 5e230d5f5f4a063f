"""What each command is for, its options, and examples: the source of `--help` and of the man page."""

from mailcow_wizard.language import _
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


ABOUT = _("prepares a server for mailcow-dockerized and says the truth about it")
SELECTOR = _("A SELECTOR is a step (ports), the beginning of ids (time.) or an id (ports.smtp).")

_YES = ("--yes", _("do it without asking"))
_DRY_RUN = ("--dry-run", _("only show the plan: exact commands and lines that change"))
_SUBJECT = ("--subject S", _("which one, where a check has several"))
_TSIG = ("--tsig FILE", _("the key that signs updates (also MAILCOW_WIZARD_TSIG=FILE)"))
_SERVER = ("--server IP", _("where updates go (else the zone's primary)"))
_PROVIDER = ("--provider NAME", _("by this DNS provider's API"))
_FORMAT = ("--format FORMAT", _("nagios (a plugin's line and exit codes) or prometheus"))
_RECORD = ("--record FILE", _("also keep this machine's answers, without secrets"))
_CHANGES = ("--changes", _("what is better, worse, new, gone since the run before; so the exit code"))

COMMANDS: tuple[Usage, ...] = (
    Usage(
        "check",
        ("check [SELECTOR...]",),
        _("looks, judges, says what it found"),
        " ".join((_("Without a selector everything is checked."), SELECTOR, _("Nothing is changed."))),
        (("--list", _("what is checked and why, without looking")), _CHANGES, _FORMAT, _RECORD),
        (
            ("check", _("everything")),
            ("check ports --json", _("for other programs")),
            ("check time.offset --ntp ntp1.example.org", _("asks this time server")),
            ("check --record box.json", _("keeps this machine's answers")),
            ("check --host box.json", _("judges that machine instead of this one")),
            ("check --changes --plain", _("once an hour, by cron or a timer")),
        ),
    ),
    Usage(
        "fix",
        ("fix CHECK [FIX]", "fix --resume CHANGE"),
        _("shows the plan, asks, does it, looks again"),
        _(
            "Without FIX it lists what can be done, best first. What was done stands in a journal, and undo "
            "takes it back. The exit code is that of the check that was run again."
        ),
        (
            _DRY_RUN,
            _YES,
            _SUBJECT,
            ("--resume CHANGE", _("go on with one that was interrupted")),
            _TSIG,
            _SERVER,
            _PROVIDER,
        ),
        (
            ("fix ports.smtp", _("what can be done about it")),
            ("fix ports.smtp stop-service --dry-run", _("what that would do")),
            ("fix ports.smtp stop-service", _("does it, after asking")),
        ),
    ),
    Usage(
        "undo",
        ("undo [CHANGE]",),
        _("takes back the newest change, or this one"),
        _(
            "Lines that somebody edited since stay; where they are the very lines of the change it refuses "
            "and shows both."
        ),
        (("--list", _("every change and its state")), _DRY_RUN, _YES),
        (("undo --list", _("every change")), ("undo", _("takes back the newest, after asking"))),
    ),
    Usage(
        "ack",
        ("ack CHECK --reason TEXT",),
        _("acknowledges a finding: it stays shown and no longer counts"),
        _("What blocks an install can only be acknowledged with a reason."),
        (
            ("--reason TEXT", _("why it is accepted")),
            ("--until DAY", _("how long, such as 2027-12-31 (UTC)")),
            _SUBJECT,
            ("--remove", _("let it count again")),
            ("--list", _("what is acknowledged")),
        ),
        (
            ('ack network.outbound-25 --reason "mail leaves by a relay"', _("for good")),
            ("ack network.outbound-25 --remove", _("lets it count again")),
        ),
    ),
    Usage(
        "conf",
        ("conf get KEY", "conf set KEY=VALUE...", "conf lint [FILE]", "conf new"),
        _("reads, writes and checks mailcow.conf"),
        _(
            "bash and docker compose both read this file, and not alike: only what both read the same is "
            "written. Comments, order, mode and owner stay."
        ),
        (_DRY_RUN, _YES),
        (
            ("conf lint", _("what is wrong in it, by line, and what would be right")),
            ("conf set SKIP_FTS=y --dry-run", _("the lines that would change")),
            ("conf get MAILCOW_HOSTNAME", _("the value, as both read it")),
        ),
    ),
    Usage(
        "dns",
        ("dns", "dns --zone", "dns --push"),
        _("the records that mail needs against what is published"),
        _(
            "Asked at the zone's own servers. --push publishes what is missing, after asking for each "
            "record, and deletes nothing that it did not make."
        ),
        (
            ("--zone", _("as a zone file")),
            ("--push", _("publish what is missing, by dynamic update or a provider's API")),
            _TSIG,
            _SERVER,
            _PROVIDER,
            _DRY_RUN,
            _YES,
        ),
        (
            ("dns --domain example.org", _("each record and its state")),
            ("dns --zone", _("to paste into a zone file")),
            ("dns --push --tsig key.conf", _("publishes by RFC 2136")),
        ),
    ),
    Usage(
        "reach",
        ("reach", "reach --from HOST TOKEN"),
        _("proves from outside that the ports can be reached"),
        _(
            "Listens on mailcow's free ports for ten minutes and shows a line to paste on another machine, "
            "which knocks at each port. The listeners answer nobody but who knows the token."
        ),
        (
            ("--from HOST", _("knock from here; several addresses with commas")),
            ("--minutes N", _("how long it listens, 1 to 120")),
            ("--result TEXT", _("what the other machine printed, where it could not report by itself")),
        ),
        (("reach", _("on the server")), ("reach --from mail.example.org TOKEN", _("on another machine"))),
    ),
    Usage(
        "install",
        ("install",),
        _("the first install, in stages; goes on where it stopped"),
        _(
            "Checks first; what blocks stops it there. It runs as a process of its own: losing SSH loses "
            "nothing, and the same command shows it again."
        ),
        (
            _DRY_RUN,
            _YES,
            ("--branch NAME", _("of mailcow (else master)")),
            ("--repository URL", _("where mailcow comes from (else its own)")),
            ("--stop", _("stop the one under way at the next safe place")),
        ),
        (
            ("install --hostname mail.example.org --dry-run", _("the stages and their commands")),
            ("install --hostname mail.example.org", _("installs, after asking")),
            ("install", _("shows it, or goes on")),
            ("install --answers answers.toml --yes", _("asks nothing; ends, or says where it stopped")),
        ),
    ),
    Usage(
        "verify",
        ("verify", "verify --first-mailbox USER@DOMAIN", "verify --api-key FROM"),
        _("proves that the installed server works; fit for monitoring"),
        _(
            "Containers, each port in its own protocol, certificate, relaying, test messages. With a first "
            "mailbox it makes that, its domain and a DKIM key through mailcow's API, and sends it a message; "
            "with --api-key a lasting key of that API, for programs of yours. undo takes either back."
        ),
        (
            _CHANGES,
            _FORMAT,
            _RECORD,
            ("--list", _("what is looked at")),
            ("--first-mailbox USER@DOMAIN", _("make it and try it")),
            ("--password-file FILE", _("where its password stays; else it is shown once, on a terminal")),
            ("--api-key FROM", _("make a lasting key of the API; addresses that may use it, or here")),
            ("--far-mailbox USER@DOMAIN", _("also send one there, and judge what was seen of it")),
            ("--far-imap SERVER[:PORT]", _("where that is read (else imap. and its domain)")),
            ("--far-password-file FILE", _("the file with its password, mode 600")),
            _DRY_RUN,
            _YES,
        ),
        (
            ("verify", _("the installed server")),
            ("verify --format nagios", _("a plugin's line")),
            ("verify --first-mailbox me@example.org", _("makes a mailbox and tries it, after asking")),
            ("verify --api-key here", _("makes a key of mailcow's API that works from this machine")),
            ("verify --far-mailbox me@example.net --far-password-file pw", _("what others see of our mail")),
        ),
    ),
    Usage(
        "report",
        ("report",),
        _("the last run, to keep or to pass on"),
        _("Nothing in it is secret."),
        (
            ("--format FORMAT", _("markdown, json or html (one page, no outside loads)")),
            ("--mask", _("without addresses and the server's own names")),
        ),
        (("report --format html --mask > report.html", _("for a forum")),),
    ),
    Usage(
        "answers",
        ("answers",),
        _("what is known here as a file for --answers; with a file of answers: what is wrong in it"),
        _(
            "Everything that the wizard asks can be given in one TOML file. Secrets are left out. With "
            "--answers the file is held against the rules, and nothing is done; its keys: schema answers."
        ),
        (),
        (
            ("answers > answers.toml", _("to be edited and used elsewhere")),
            ("answers --answers answers.toml", _("every problem of it, each with its line")),
        ),
    ),
    Usage(
        "explain",
        ("explain CHECK",),
        _("what a check looks for and why, how to see it by hand, what mends it"),
        "",
        (),
        (("explain ports.smtp", ""),),
    ),
    Usage(
        "completion",
        ("completion bash|zsh|fish",),
        _("what a shell needs to complete these words"),
        "",
        (),
        (("completion bash > /etc/bash_completion.d/mailcow-wizard", ""),),
    ),
    Usage("man", ("man",), _("the manual page"), "", (), (("man | man -l -", _("reads it")),)),
    Usage(
        "schema",
        ("schema", "schema answers"),
        _("the JSON Schema of --json, or of a file of answers"),
        "",
    ),
    Usage(
        "build",
        ("build FILE",),
        _("the wizard and all that it needs as one file"),
        _("It runs with Python 3.10 or newer on any processor, and is the same whenever it is made."),
        (),
        (("build mailcow-wizard.pyz", _("then: python3 mailcow-wizard.pyz")),),
    ),
)

GENERAL: tuple[Row, ...] = (
    ("--dir DIR", _("mailcow's directory (this one if it is mailcow's, else /opt/mailcow-dockerized)")),
    ("--hostname FQDN", _("the mail server's full name")),
    ("--domain NAME", _("a mail domain (repeatable)")),
    ("--address IP", _("a public address, instead of finding them (repeatable)")),
    ("--resolver IP", _("ask this name server")),
    ("--ntp HOST", _("ask this time server (repeatable)")),
    ("--timeout SECONDS", _("for each check")),
    ("--answers FILE", _("answers from a TOML file, less than options and mailcow.conf count")),
    ("--offline", _("no packet leaves the machine")),
    ("--host FILE", _("a recorded machine instead of this one")),
    ("--demo", _("the one that ships with the wizard")),
    ("--state-dir DIR", _("where the wizard keeps its state")),
    ("--json", _("one document for programs")),
    ("--plain", _("lines for pipes and screen readers")),
    ("--no-color", _("no colours (also NO_COLOR)")),
    ("--ascii", _("no characters beyond ASCII")),
    ("--mouse", _("the full screen takes the mouse too")),
    ("--lang en|de", _("the language (else the locale's); what programs read is English")),
    ("--ssh [USER@]SERVER[:PORT]", _("all this on a server, by a copy that leaves again")),
    ("--keep", _("the copy stays there (with --ssh)")),
    ("--log FILE", _("what the wizard did, with times")),
    ("--help", _("this, and with a command its options and examples")),
    ("--version", _("the version")),
)

EXAMPLES: tuple[Row, ...] = (
    ("", _("the full-screen wizard")),
    ("--demo", _("the same on a machine that ships with it")),
    ("check", _("everything that can be checked")),
    ("fix ports.smtp stop-service --dry-run", _("what mending would do")),
    ("install --hostname mail.example.org", _("a first install")),
    ("--ssh root@mail.example.org", _("the wizard on that server, from your own machine")),
)

EXIT_CODES: tuple[Row, ...] = (
    ("0", _("all right")),
    ("1", _("something fails")),
    ("2", _("warnings only")),
    ("3", _("something could not be determined")),
    ("64", _("the line cannot be understood, or nobody could be asked; nothing was done")),
    ("70", _("a defect of the wizard")),
    ("73", _("nothing was changed, or it was taken back")),
    ("74", _("the output could not be written")),
    ("75", _("another wizard is changing this machine")),
    ("77", _("needs root")),
    ("130, 143", _("interrupted, terminated")),
)
