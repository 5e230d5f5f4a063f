"""The keys of an answers file: its tables, what each key is for, what it may be."""

from __future__ import annotations

from mailcow_wizard.answers import values
from mailcow_wizard.answers.values import Kind, Wrong, type_of
from mailcow_wizard.conf.layout import HIDDEN_CHOICES, HIDDEN_SWITCHES, KEYS, Key, for_people
from mailcow_wizard.engine.given import ADMIN
from mailcow_wizard.language import _
from mailcow_wizard.redaction import is_secret
from mailcow_wizard.typed import NamedTuple


class Answer(NamedTuple):
    """A key of the file; `about` is what stands above it as a comment."""

    name: str
    kind: Kind
    about: str


class Table(NamedTuple):
    """A table of the file; `needed` are the keys without which it makes no sense, `many` says that there may
    be several of it."""

    name: str
    about: str
    answers: tuple[Answer, ...]
    needed: tuple[str, ...] = ()
    many: bool = False


SECRETS = Answer(
    "secrets",
    values.text(values.PATH.read, "mailcow-secrets.toml"),
    _(
        "A second file for what nobody else may read (mode 600), beside this one or by its full path; it "
        "holds secret keys of mailcow.conf in a table [mailcow]"
    ),
)

TABLES: tuple[Table, ...] = (
    Table(
        "server",
        _("The mail server"),
        (
            Answer("hostname", values.HOST_NAME, _("Its full name")),
            Answer("domains", values.DOMAINS, _("The mail domains whose DNS records are looked at")),
            Answer("timezone", values.ZONE, _("Timezone of mailcow's containers")),
            Answer("directory", values.DIRECTORY, _("Where mailcow is, or will be")),
            Answer("addresses", values.ADDRESSES, _("Its public addresses, where they cannot be found")),
        ),
    ),
    Table(
        "source",
        _("Where mailcow comes from"),
        (
            Answer("repository", values.REPOSITORY, _("A git repository")),
            Answer("branch", values.BRANCH, _("One of its branches")),
        ),
    ),
    Table(
        "network",
        _("The network"),
        (
            Answer("mtu", values.MTU, _("The largest packet of mailcow's network, else as found")),
            Answer("resolver", values.RESOLVER, _("The name server that is asked, not this machine's own")),
            Answer("ntp", values.SERVERS, _("Time servers that are asked, not the usual ones")),
        ),
    ),
    Table(
        "dns",
        _("Publishing DNS records"),
        (
            Answer("tsig", values.PATH, _("The file with the key that signs updates (mode 600)")),
            Answer("server", values.RESOLVER, _("Where updates go, if not to the zone's primary server")),
            Answer("provider", values.PROVIDER, _("dns-lexicon's name of the provider, in place of a key")),
        ),
    ),
    Table(
        "admin",
        _("mailcow's administrator"),
        (
            Answer(
                "password",
                values.choice(ADMIN, private=True),
                _(
                    'The first password: "keep" leaves it (change it at once), "new" has mailcow\'s own '
                    "script make another one, which is then in /root/mailcow-admin-password"
                ),
            ),
        ),
    ),
    Table(
        "mailbox",
        _("The first mailbox, with its domain and DKIM key, made at the end through mailcow's API"),
        (
            Answer("address", values.MAILBOX, _("Its address")),
            Answer(
                "password_file",
                values.text(values.DIRECTORY.read, "/root/mailcow-mailbox-password"),
                _("The file that its password, which is made up, is put into (mode 600)"),
            ),
        ),
        ("address", "password_file"),
    ),
    Table(
        "far_mailbox",
        _("A mailbox at another provider: what it sees of a test message is judged"),
        (
            Answer("address", values.text(values.MAILBOX.read, "me@example.net"), _("Its address")),
            Answer("imap", values.IMAP, _("Where it is read, over TLS, else at imap. and its domain")),
            Answer(
                "password_file",
                values.text(values.PATH.read, "/root/far-password"),
                _("The file that holds its password (mode 600)"),
            ),
        ),
        ("address", "password_file"),
    ),
    Table(
        "accept",
        _("A finding that does not stop the install, and why; it counts again after its last day"),
        (
            Answer("check", values.text(values.PLAIN.read, "network.outbound-25"), _("The id of the check")),
            Answer("subject", values.text(values.PLAIN.read, "v6"), _("One of its subjects, else all")),
            Answer("reason", values.PLAIN, _("Why it is accepted, for those who read it later")),
            Answer("until", values.DAY, _("The last day on which this counts")),
        ),
        ("check", "reason", "until"),
        many=True,
    ),
    Table(
        "fix",
        _("A fix that may be applied without asking, before the install"),
        (
            Answer("check", values.text(values.PLAIN.read, "ports.smtp"), _("The id of the check")),
            Answer("fix", values.text(values.PLAIN.read, "stop-service"), _("The id of the fix")),
            Answer("subject", values.text(values.PLAIN.read, "v4"), _("One of its subjects, else any")),
        ),
        ("check", "fix"),
        many=True,
    ),
)
"""Every table but `mailcow`, whose keys are those of mailcow.conf."""

MAILCOW = "mailcow"
ABOUT_MAILCOW = _("Keys of mailcow.conf, by their own names; what is not here is as mailcow has it")

ALONE = {
    "disable-firewall": _("disable-firewall takes itself back unless somebody says that all is well"),
    "reset-admin": _('reset-admin is what password = "new" below the line [admin] stands for'),
}
"""Fixes that an install does not make because they are allowed, and why."""

ELSEWHERE = {
    "MAILCOW_HOSTNAME": _("{key} below the line [{table}]", key="hostname", table="server"),
    "TZ": _("{key} below the line [{table}]", key="timezone", table="server"),
    "DOCKER_COMPOSE_VERSION": _("nothing: the install sets it by what is installed"),
}
"""Keys of mailcow.conf that are answered in another place."""


def conf_keys(secret: bool) -> tuple[str, ...]:
    """The keys of mailcow.conf that may stand in the file, or in that of its secrets."""
    every = (*KEYS, *HIDDEN_SWITCHES, *HIDDEN_CHOICES)
    return tuple(key for key in every if key not in ELSEWHERE and is_secret(key) is secret)


def conf_value(key: str, value: object) -> str:
    """The value of a key of mailcow.conf as it stands there. Raises Wrong."""
    if key in HIDDEN_CHOICES:
        return _one_of(value, HIDDEN_CHOICES[key])
    kind = KEYS[key].kind if key in KEYS else "switch"
    if kind == "switch":
        if isinstance(value, bool):
            return "y" if value else "n"
        return _one_of(value, ("y", "n"))
    if kind == "boolean":
        return str(value).lower() if isinstance(value, bool) else _one_of(value, ("true", "false"))
    number = isinstance(value, int) and not isinstance(value, bool)
    if kind in ("port", "web-port", "number") and number:
        return str(value)
    if kind in ("list", "addresses", "emails") and isinstance(value, list):
        if not all(isinstance(one, str) for one in value):
            raise Wrong(
                _("it is a list of something else than texts"),
                _("such as {example}", example='["a.example.org"]'),
            )
        return ",".join(value)
    if not isinstance(value, str):
        raise Wrong(_("it is {kind}, and must be a text", kind=type_of(value)), _right(key))
    return value


def _one_of(value: object, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        right = _('"{one}" or "{other}", or true or false', one=known[0], other=known[1])
        raise Wrong(_("it is {value}, which cannot be", value=values.shown(value)), right)
    return value


def _right(key: str) -> str:
    layout = KEYS.get(key)
    if layout and layout.default and not is_secret(key):
        return _('such as "{example}"', example=layout.default)
    return for_people(layout) if layout else _("a text in quotes")


def conf_schema(key: str) -> dict[str, object]:
    """The JSON Schema of a key of mailcow.conf."""
    layout: Key | None = KEYS.get(key)
    kind = layout.kind if layout else "switch"
    about = {"description": layout.about} if layout else {}
    types: dict[str, dict[str, object]] = {
        "switch": {"enum": ["y", "n", True, False]},
        "boolean": {"enum": ["true", "false", True, False]},
        **dict.fromkeys(("port", "web-port", "number"), _NUMBER),
        **dict.fromkeys(("list", "addresses", "emails"), _LIST),
    }
    return {**types.get(kind, {"type": "string"}), **about}


_NUMBER: dict[str, object] = {"type": ["string", "integer"]}
_LIST: dict[str, object] = {"type": ["string", "array"], "items": {"type": "string"}}
