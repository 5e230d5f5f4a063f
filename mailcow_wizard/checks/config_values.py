"""Judges of settings that are held against the machine: its name, its timezone, its Compose."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped, word
from mailcow_wizard.facts import config_values
from mailcow_wizard.facts.identity import SAY_HOSTNAME
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement
from mailcow_wizard.names import NotAName, host_name

_AGAIN = _("Try again; where it stays so, see docker.engine.")
_SET = _("Set it: `./wizard conf set {}={}`")

# --- hostname ---------------------------------------------------------------------------------------------


def judge_hostname(found: config_values.ServerName) -> Judgement:
    """The name that mailcow has, or will have, and whether the machine itself has a full name."""
    evidence: tuple[Evidence, ...] = ()
    if found.configured is not None:
        shown = found.configured or "empty"
        evidence += (Evidence(f"grep ^MAILCOW_HOSTNAME= {word(found.path)}", shown),)
    evidence += (Evidence("hostname -f", found.own or "empty"),)
    if found.mapped:
        evidence += (Evidence("cat /etc/hosts", _("{mapped} for it", mapped=_(" and ").join(found.mapped))),)
    if found.configured is None and found.origin == "guess":
        return _guess(found, evidence)
    if found.configured == "":
        return Judgement(
            "fail",
            _("MAILCOW_HOSTNAME is not set"),
            _("none"),
            evidence,
            (_SET.format("MAILCOW_HOSTNAME", "NAME"),),
        )
    name = found.configured or found.name
    troubles = _of_name(name, found.domains)
    if found.configured and found.origin == "option" and found.name.lower() != found.configured.lower():
        troubles.append(
            Trouble(
                "warn",
                _(
                    "mailcow.conf has {configured}, and you said {name}",
                    configured=found.configured,
                    name=found.name,
                ),
                (_SET.format("MAILCOW_HOSTNAME", found.name),),
                "degrades",
            )
        )
    if not any(one.status == "fail" for one in troubles) and (
        "." not in found.own or found.own.startswith("localhost")
    ):
        troubles.append(
            Trouble(
                "warn",
                _("this machine calls itself {name}, which is no full name", name=found.own or _("nothing")),
                (
                    _(
                        "Give it one, in /etc/hostname and /etc/hosts: `hostnamectl set-hostname {name}`",
                        name=name.lower(),
                    ),
                ),
                "advice",
                why=_(
                    "mailcow does not need it, but whatever else sends mail from here (cron, "
                    "alerts) uses this name."
                ),
            )
        )
    where = "" if found.configured else _(", as you said")
    if troubles:
        return judged(troubles, evidence, name)
    other = "" if found.own == name.lower() else _("; this machine calls itself {own}", own=found.own)
    return Judgement(
        "pass",
        _("the server is called {name}{where}{other}", name=name, where=where, other=other),
        name,
        evidence,
    )


def _guess(found: config_values.ServerName, evidence: tuple[Evidence, ...]) -> Judgement:
    say = (SAY_HOSTNAME,)
    if _of_name(found.name, found.domains):
        return Judgement(
            "warn",
            _(
                "no name was chosen yet, and this machine calls itself {name}: no full name",
                name=found.name or _("nothing"),
            ),
            found.name,
            evidence,
            say,
            severity="advice",
        )
    summary = _("no name was chosen yet; this machine's own, {name}, would do", name=found.name)
    return Judgement("pass", summary, found.name, evidence, say, certainty="inferred")


def _of_name(name: str, domains: tuple[str, ...]) -> list[Trouble]:
    """What speaks against a name."""
    change = (_SET.format("MAILCOW_HOSTNAME", "mail.example.org"),)
    if name.endswith("."):
        return [Trouble("fail", _("{name} ends with a dot: mailcow's scripts refuse it", name=name), change)]
    try:
        plain = host_name(name)
    except NotAName as error:
        return [
            Trouble("fail", _("{name} cannot be the server's name: {error}", name=name, error=error), change)
        ]
    if "." not in plain:
        return [Trouble("fail", _("{name} is no full name: mailcow's scripts refuse it", name=name), change)]
    troubles = []
    if plain in domains:
        words = _(
            "{name} is a mail domain itself; the server needs a name of its own, such as mail.{name}",
            name=name,
        )
        why = _("mailcow refuses to take mail for a domain that is called as the server.")
        troubles.append(Trouble("fail", words, change, why=why))
    elif plain.count(".") == 1:
        words = _(
            "{name} has one dot only: mailcow is hardly tested that way; better is mail.{name}", name=name
        )
        troubles.append(Trouble("warn", words, change, "degrades"))
    if name != name.lower():
        small = (_SET.format("MAILCOW_HOSTNAME", name.lower()),)
        troubles.append(Trouble("warn", _("{name} has capital letters", name=name), small, "degrades"))
    elif plain != name:
        ascii_form = (_SET.format("MAILCOW_HOSTNAME", plain),)
        troubles.append(
            Trouble(
                "fail", _("{name} must be written as DNS has it: {plain}", name=name, plain=plain), ascii_form
            )
        )
    if plain.rpartition(".")[2] in need.PRIVATE_DOMAINS:
        words = _("the world's DNS has no names that end with .{top}", top=plain.rpartition(".")[2])
        troubles.append(Trouble("warn", words, change, "breaks"))
    return troubles


HOSTNAME = Check(
    id="config.hostname",
    title=_("Hostname"),
    needed=_("a full name of the server's own with two dots, such as mail.example.org, in lower case"),
    why=_(
        "Certificates, greetings and DNS records are made for this name; other servers check it "
        "before they take mail."
    ),
    doc=need.DOC_ISSUE.format(1572),
    severity="breaks",
    source=config_values.server_name,
    judge=judge_hostname,
)


# --- timezone ---------------------------------------------------------------------------------------------


def judge_timezone(found: config_values.ConfZone) -> Judgement:
    """TZ must be a zone that exists; whether it is the machine's own is only mentioned."""
    if found.skip:
        return skipped(found.skip)
    evidence: tuple[Evidence, ...] = (
        Evidence(f"grep ^TZ= {word(found.path)}", found.value or _("empty, or not there")),
    )
    change = (_SET.format("TZ", found.machine or "Europe/Berlin"),)
    if not found.value:
        return Judgement("warn", _("TZ is not set: the containers take UTC"), _("none"), evidence, change)
    if found.known is None:
        return Judgement(
            "unknown",
            _(
                "whether {value} is a timezone is not known: this machine has no list of them",
                value=found.value,
            ),
            found.value,
            evidence,
            (_("Install the zones: the package is called tzdata."),),
            certainty="untested",
        )
    evidence += (
        Evidence(f"ls /usr/share/zoneinfo/{found.value}", _("there") if found.known else _("not there")),
    )
    if not found.known:
        return Judgement(
            "fail", _("{value} is no timezone", value=found.value), found.value, evidence, change
        )
    same = not found.machine or found.machine == found.value
    aside = "" if same else _("; this machine's is {machine}", machine=found.machine)
    return Judgement(
        "pass", _("the timezone is {value}{aside}", value=found.value, aside=aside), found.value, evidence
    )


TIMEZONE = Check(
    id="config.timezone",
    title=_("mailcow's timezone"),
    needed=_("TZ names a timezone, such as Europe/Berlin"),
    why=_(
        "Logs, filters and calendars in the containers follow TZ; without a zone they are in UTC, "
        "and PHP complains."
    ),
    doc=need.DOC_TIME,
    severity="degrades",
    source=config_values.conf_zone,
    judge=judge_timezone,
)


# --- compose ----------------------------------------------------------------------------------------------


def judge_compose(found: config_values.ConfCompose) -> Judgement:
    """The value must be one of the two, and the one that is installed."""
    if found.skip:
        return skipped(found.skip)
    value, installed = found.value or "", found.installed
    none = _("not known") if installed.unread else _("not installed")
    evidence = (
        Evidence(f"grep ^DOCKER_COMPOSE_VERSION= {word(found.path)}", value or _("empty, or not there")),
        Evidence("docker compose version --short", installed.native or none),
        Evidence("docker-compose version --short", installed.standalone or none),
    )
    flavour = installed.flavour
    change = (_SET.format("DOCKER_COMPOSE_VERSION", flavour or "native"),)
    if not value:
        words = _("; {flavour} is installed", flavour=flavour) if flavour else ""
        return Judgement(
            "warn", _("DOCKER_COMPOSE_VERSION is empty{words}", words=words), _("empty"), evidence, change
        )
    if value not in need.COMPOSE_FLAVOURS:
        summary = _("DOCKER_COMPOSE_VERSION is {value}; mailcow knows native and standalone", value=value)
        return Judgement("fail", summary, value, evidence, change)
    version = installed.native if value == "native" else installed.standalone
    if version and int(version.partition(".")[0]) >= need.COMPOSE_MINIMUM:
        return Judgement(
            "pass",
            _("{value}, and Compose {version} is installed that way", value=value, version=version),
            value,
            evidence,
        )
    if flavour and (version or not installed.unread):
        return Judgement(
            "fail",
            _("{value} is set, and what is installed is {flavour}", value=value, flavour=flavour),
            f"{value}, {flavour}",
            evidence,
            change,
        )
    reason = installed.unread or (
        _("Compose {version} is too old", version=version) if version else _("no Docker Compose is installed")
    )
    return Judgement(
        "unknown",
        _("{value} is set; whether that is right cannot be told: {reason}", value=value, reason=reason),
        value,
        evidence,
        (_AGAIN if installed.unread else _("Install Docker with its Compose plugin first."),),
        certainty="untested",
    )


COMPOSE = Check(
    id="config.compose-version",
    title=_("Compose flavour"),
    needed=_("DOCKER_COMPOSE_VERSION names the Compose that is installed: native (plugin) or standalone"),
    why=_(
        "mailcow's backup, restore and helper scripts stop where it is empty or wrong. "
        "generate_config.sh leaves it empty since August 2025."
    ),
    doc=need.DOC_ISSUE.format(7065),
    severity="degrades",
    source=config_values.conf_compose,
    judge=judge_compose,
)
