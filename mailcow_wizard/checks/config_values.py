"""Judges of settings that are held against the machine: its name, its timezone, its Compose."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped, word
from mailcow_wizard.facts import config_values
from mailcow_wizard.model import Check, Evidence, Judgement
from mailcow_wizard.names import NotAName, host_name

_SET = "Set it: `mailcow-wizard conf set {}={}`"

# --- hostname ---------------------------------------------------------------------------------------------


def judge_hostname(found: config_values.ServerName) -> Judgement:
    """The name that mailcow has, or will have, and whether the machine itself has a full name."""
    evidence: tuple[Evidence, ...] = ()
    if found.configured is not None:
        shown = found.configured or "empty"
        evidence += (Evidence(f"grep ^MAILCOW_HOSTNAME= {word(found.path)}", shown),)
    evidence += (Evidence("hostname -f", found.own or "empty"),)
    if found.mapped:
        evidence += (Evidence("cat /etc/hosts", f"{' and '.join(found.mapped)} for it"),)
    if found.configured is None and found.origin == "guess":
        return _guess(found, evidence)
    if found.configured == "":
        return Judgement(
            "fail",
            "MAILCOW_HOSTNAME is not set",
            "none",
            evidence,
            (_SET.format("MAILCOW_HOSTNAME", "NAME"),),
        )
    name = found.configured or found.name
    troubles = _of_name(name, found.domains)
    if found.configured and found.origin == "option" and found.name.lower() != found.configured.lower():
        troubles.append(
            Trouble(
                "warn",
                f"mailcow.conf has {found.configured}, and you said {found.name}",
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
                f"this machine calls itself {found.own or 'nothing'}, which is no full name",
                (f"Give it one, in /etc/hostname and /etc/hosts: `hostnamectl set-hostname {name.lower()}`",),
                "advice",
                why="mailcow does not need it, but whatever else sends mail from here (cron, alerts) uses "
                "this name.",
            )
        )
    where = "" if found.configured else ", as you said"
    if troubles:
        return judged(troubles, evidence, name)
    other = "" if found.own == name.lower() else f"; this machine calls itself {found.own}"
    return Judgement("pass", f"the server is called {name}{where}{other}", name, evidence)


def _guess(found: config_values.ServerName, evidence: tuple[Evidence, ...]) -> Judgement:
    say = ("Say what the server shall be called: `--hostname mail.example.org`, or on the first screen.",)
    if _of_name(found.name, found.domains):
        return Judgement(
            "warn",
            f"no name was chosen yet, and this machine calls itself {found.name or 'nothing'}: no full name",
            found.name,
            evidence,
            say,
            severity="advice",
        )
    summary = f"no name was chosen yet; this machine's own, {found.name}, would do"
    return Judgement("pass", summary, found.name, evidence, say, certainty="inferred")


def _of_name(name: str, domains: tuple[str, ...]) -> list[Trouble]:
    """What speaks against a name."""
    change = (_SET.format("MAILCOW_HOSTNAME", "mail.example.org"),)
    if name.endswith("."):
        return [Trouble("fail", f"{name} ends with a dot: mailcow's scripts refuse it", change)]
    try:
        plain = host_name(name)
    except NotAName as error:
        return [Trouble("fail", f"{name} cannot be the server's name: {error}", change)]
    if "." not in plain:
        return [Trouble("fail", f"{name} is no full name: mailcow's scripts refuse it", change)]
    troubles = []
    if plain in domains:
        words = f"{name} is a mail domain itself; the server needs a name of its own, such as mail.{name}"
        why = "mailcow refuses to take mail for a domain that is called as the server."
        troubles.append(Trouble("fail", words, change, why=why))
    elif plain.count(".") == 1:
        words = f"{name} has one dot only: mailcow is hardly tested that way; better is mail.{name}"
        troubles.append(Trouble("warn", words, change, "degrades"))
    if name != name.lower():
        small = (_SET.format("MAILCOW_HOSTNAME", name.lower()),)
        troubles.append(Trouble("warn", f"{name} has capital letters", small, "degrades"))
    elif plain != name:
        ascii_form = (_SET.format("MAILCOW_HOSTNAME", plain),)
        troubles.append(Trouble("fail", f"{name} must be written as DNS has it: {plain}", ascii_form))
    if plain.rpartition(".")[2] in need.PRIVATE_DOMAINS:
        words = f"the world's DNS has no names that end with .{plain.rpartition('.')[2]}"
        troubles.append(Trouble("warn", words, change, "breaks"))
    return troubles


HOSTNAME = Check(
    id="config.hostname",
    title="Hostname",
    needed="a full name of the server's own with two dots, such as mail.example.org, in lower case",
    why="Certificates, greetings and DNS records are made for this name; other servers check it before they "
    "take mail.",
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
        Evidence("grep ^TZ= mailcow.conf", found.value or "empty, or not there"),
    )
    change = (_SET.format("TZ", found.machine or "Europe/Berlin"),)
    if not found.value:
        return Judgement("warn", "TZ is not set: the containers take UTC", "none", evidence, change)
    if found.known is None:
        return Judgement(
            "unknown",
            f"whether {found.value} is a timezone is not known: this machine has no list of them",
            found.value,
            evidence,
            ("Install the zones: the package is called tzdata.",),
            certainty="untested",
        )
    evidence += (Evidence(f"ls /usr/share/zoneinfo/{found.value}", "there" if found.known else "not there"),)
    if not found.known:
        return Judgement("fail", f"{found.value} is no timezone", found.value, evidence, change)
    same = not found.machine or found.machine == found.value
    aside = "" if same else f"; this machine's is {found.machine}"
    return Judgement("pass", f"the timezone is {found.value}{aside}", found.value, evidence)


TIMEZONE = Check(
    id="config.timezone",
    title="mailcow's timezone",
    needed="TZ names a timezone, such as Europe/Berlin",
    why="Logs, filters and calendars in the containers follow TZ; without a zone they are in UTC, and PHP "
    "complains.",
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
    evidence = (
        Evidence(f"grep ^DOCKER_COMPOSE_VERSION= {word(found.path)}", value or "empty, or not there"),
        Evidence("docker compose version --short", installed.native or "not installed"),
        Evidence("docker-compose version --short", installed.standalone or "not installed"),
    )
    flavour = installed.flavour
    change = (_SET.format("DOCKER_COMPOSE_VERSION", flavour or "native"),)
    if not value:
        words = f"; {flavour} is installed" if flavour else ""
        return Judgement("warn", f"DOCKER_COMPOSE_VERSION is empty{words}", "empty", evidence, change)
    if value not in need.COMPOSE_FLAVOURS:
        summary = f"DOCKER_COMPOSE_VERSION is {value}; mailcow knows native and standalone"
        return Judgement("fail", summary, value, evidence, change)
    version = installed.native if value == "native" else installed.standalone
    if version and int(version.partition(".")[0]) >= need.COMPOSE_MINIMUM:
        return Judgement("pass", f"{value}, and Compose {version} is installed that way", value, evidence)
    if flavour:
        return Judgement(
            "fail",
            f"{value} is set, and what is installed is {flavour}",
            f"{value}, {flavour}",
            evidence,
            change,
        )
    reason = installed.unread or (
        f"Compose {version} is too old" if version else "no Docker Compose is installed"
    )
    return Judgement(
        "unknown",
        f"{value} is set; whether that is right cannot be told: {reason}",
        value,
        evidence,
        ("Install Docker with its Compose plugin first.",),
        certainty="untested",
    )


COMPOSE = Check(
    id="config.compose-version",
    title="Compose flavour",
    needed="DOCKER_COMPOSE_VERSION names the Compose that is installed: native (plugin) or standalone",
    why="mailcow's backup, restore and helper scripts stop where it is empty or wrong. generate_config.sh "
    "leaves it empty since August 2025.",
    doc=need.DOC_ISSUE.format(7065),
    severity="degrades",
    source=config_values.conf_compose,
    judge=judge_compose,
)
