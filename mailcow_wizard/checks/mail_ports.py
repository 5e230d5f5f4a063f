"""Judge of the thirteen ports as mailcow serves them: each speaks its own protocol, over TLS where it should,
under the right name, and the submission ports take nothing from who has not logged in."""

from __future__ import annotations

import re

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.mail_front import judge_fronts
from mailcow_wizard.checks.mail_intake import intake
from mailcow_wizard.checks.mail_stores import serves_nobody
from mailcow_wizard.checks.mail_submission import is_submission, log_in, offers, readable_log_in, submission
from mailcow_wizard.checks.mail_web import LOGS, named, web
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.mail.talks import PROTOCOLS, STRANGER, Spoke, Talk, place, spoke
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

_SPEAKS = {"smtp": "SMTP", "imap": "IMAP", "pop3": "POP3", "sieve": "ManageSieve", "http": "HTTP"}
_SMTP = "ports.smtp"
# MariaDB's first packet: three bytes of length, a number, then protocol 10, or an error.
_MARIADB, _MARIADB_ERROR = "\n", "\xff"
_SHOWN = 120
_FAREWELLS = ("QUIT", "LOGOUT")


def judge_ports(spoke: Spoke) -> tuple[Judgement, ...]:
    """One judgement for each port of mailcow.conf."""
    talks = spoke.talks
    if talks.about.skip:
        return (skipped(talks.about.skip),)
    own = tuple(_port(spoke, port) for port in need.PORTS if talks.of(port.id))
    return (*own, *judge_fronts(talks))


def _port(spoke: Spoke, port: need.Port) -> Judgement:
    every = spoke.talks.of(port.id)
    troubles: list[Trouble] = []
    same: dict[str, str] = {}
    stranger = dict(spoke.talks.strangers).get(port.id)
    if stranger:
        troubles.append(_taken(stranger, every[0], port))
    for one in every:
        found = [row for row in _troubles(one, spoke) if row.words.replace(one.where, "") not in same]
        same |= {row.words.replace(one.where, ""): one.where for row in found}
        # IPv4 is what everybody has; what fails over IPv6 alone is a smaller matter.
        alone = ":" in one.asked.address and len(every) > 1 and all(row.status == "warn" for row in troubles)
        troubles += [_less(row) for row in found] if alone else found
    subject = str(every[0].binding.number)
    evidence = tuple(_evidence(one) for one in every)
    words = "; ".join(dict.fromkeys(filter(None, (_well(one) for one in every))))
    if troubles:
        return judged(troubles, evidence, words)._replace(subject=subject)
    places = _(" and ").join(dict.fromkeys(one.where for one in every))
    return Judgement(
        "pass",
        _(
            "{service} answers at {places}{summary}",
            service=port.service,
            places=places,
            summary=_summary(every[0]),
        ),
        words,
        evidence,
        subject=subject,
    )


def _less(trouble: Trouble) -> Trouble:
    # An open relay is one over each family.
    if trouble.status != "fail" or trouble.severity == "breaks":
        return trouble
    return trouble._replace(
        status="warn", words=_("over IPv6 alone: {words}", words=trouble.words), severity="degrades"
    )


def _taken(who: str, talk: Talk, port: need.Port) -> Trouble:
    return Trouble(
        "fail",
        _("{who} listens on {where} in mailcow's place", who=who, where=talk.binding.where),
        (_("Free the port (`check {port}` says how), then `docker compose up -d`.", port=port.id),),
    )


def _troubles(talk: Talk, spoke: Spoke) -> list[Trouble]:
    """What is not as it should be in one conversation."""
    silent = _unanswered(talk)
    if silent:
        return [silent]
    strange = _not_its_own(talk)
    if strange:
        return [strange]
    if talk.spoken.outcome == "silent" or _closed_early(talk):
        return _half_answered(talk)
    protocol, _unused, starts = PROTOCOLS[talk.binding.port.id]
    taken = intake(talk)
    found: list[Trouble | None] = [taken]
    if not taken:
        found += submission(talk) if is_submission(talk) else []
        found += [_without_tls(talk, starts), log_in(talk), readable_log_in(talk)]
    if protocol == "smtp":
        found += _names(talk, spoke)
    if protocol == "http":
        found.append(web(talk))
    found.append(serves_nobody(talk))
    if talk.spoken.der:
        found.append(named(talk, spoke.talks.name))
    return [one for one in found if one]


def _unanswered(talk: Talk) -> Trouble | None:
    """Nothing came that could be judged."""
    spoken, container = talk.spoken, talk.binding.port.container
    logs = (LOGS.format(container), _("See whether it runs: `docker compose ps`, and mail.containers."))
    if spoken.greeting or spoken.replies or "TLS" in spoken.text:
        return None
    if spoken.outcome in ("silent", "no route"):
        said = (
            _("cannot be reached from here") if spoken.outcome == "no route" else _("did not answer in time")
        )
        return Trouble("unknown", f"{talk.where} {said}", logs)
    words = {
        "refused": _("nothing listens at {where}", where=talk.where),
        "reset": _("{where} closes the connection without a word", where=talk.where),
    }.get(spoken.outcome, _("{where} does not answer: {text}", where=talk.where, text=spoken.text))
    return Trouble("fail", words, logs)


def _half_answered(talk: Talk) -> list[Trouble]:
    """It spoke its own protocol, and then no more: what was not asked is not known."""
    _protocol, _tls, starts = PROTOCOLS[talk.binding.port.id]
    taken = [one for one in submission(talk) if one.status == "fail"] if is_submission(talk) else []
    bare = _without_tls(talk, starts) if offers(talk) and _starter(talk) not in offers(talk).upper() else None
    words = {
        "reset": _("{where} closed the connection in the middle of the conversation", where=talk.where),
        "failed": _(
            "{where} broke off in the middle of the conversation: {text}",
            where=talk.where,
            text=talk.spoken.text,
        ),
    }.get(
        talk.spoken.outcome,
        _("{where} stopped answering in the middle of the conversation", where=talk.where),
    )
    return [
        *taken,
        *([bare] if bare else []),
        Trouble("unknown", words, (LOGS.format(talk.binding.port.container),)),
    ]


def _closed_early(talk: Talk) -> bool:
    """Whether it ended the connection while something was left to be asked."""
    asked = [one for one in talk.asked.lines if one not in _FAREWELLS]
    # What is said in HTTP is said at once, and has one answer.
    early = len(talk.spoken.replies) < len(asked) and PROTOCOLS[talk.binding.port.id][0] != "http"
    # Where TLS did not come about that is a trouble of its own.
    broken = talk.spoken.outcome == "failed" and "no TLS" not in talk.spoken.text
    return early and (broken or talk.spoken.outcome == "reset")


def _not_its_own(talk: Talk) -> Trouble | None:
    """It answers, in another protocol than its own, or says that it will not serve."""
    spoken, port = talk.spoken, talk.binding.port
    protocol, tls, _unused = PROTOCOLS[port.id]
    if tls and not spoken.tls:
        return Trouble(
            "fail",
            _("{where} has no TLS: {text}", where=talk.where, text=spoken.text.removeprefix("no TLS: ")),
            _cert_help(port),
        )
    greeting = spoken.greeting or (spoken.replies[0] if spoken.replies else "")
    if _is_own(port.id, protocol, greeting):
        return None
    if protocol == "smtp" and re.match(r"[45]\d\d", greeting):
        words = _("{where} serves nobody: {greeting}", where=talk.where, greeting=greeting[:_SHOWN])
    else:
        words = _(
            "{where} does not speak {speaks}: {said}",
            where=talk.where,
            speaks=_SPEAKS.get(protocol, port.service),
            said=_said(greeting),
        )
    return Trouble("fail", words, (LOGS.format(port.container),))


def _is_own(port: str, protocol: str, said: str) -> bool:
    if port == "ports.mysql":
        return said[4:5] == _MARIADB or said[4:5] == _MARIADB_ERROR
    if port == "ports.doveadm":
        # Dovecot says whether a log-in is needed, some versions their own version before it.
        return said.startswith("VERSION\tdoveadm-") or said in ("-", "+")
    patterns = {
        "smtp": r"220[ -]",
        "imap": r"\* (OK|PREAUTH)\b",
        "pop3": r"\+OK",
        "sieve": r'(?is)".*^OK\b',
        "http": r"HTTP/1\.[01] \d{3}",
        "redis": r"[+-][A-Z]",
    }
    return bool(re.match(patterns[protocol], said, re.MULTILINE))


def _said(text: str) -> str:
    line = text.strip().split("\n")[0][:_SHOWN]
    return _('it says "{line}"', line=line) if line else _("it says nothing")


def _cert_help(port: need.Port) -> tuple[str, ...]:
    return (
        _("See whether data/assets/ssl holds cert.pem and key.pem, and whether they belong together."),
        LOGS.format(port.container),
    )


def _without_tls(talk: Talk, starts: bool) -> Trouble | None:
    word = _starter(talk)
    # What is granted and not offered nobody asks for.
    hidden = bool(offers(talk)) and word not in offers(talk).upper()
    if not starts or (talk.spoken.tls and not hidden):
        return None
    port = talk.binding.port
    if "TLS" in talk.spoken.text:
        return Trouble(
            "fail",
            _("{where} offers {word}, and then {text}", where=talk.where, word=word, text=talk.spoken.text),
            _cert_help(port),
        )
    refused = talk.reply(word)
    words = (
        _("{where} offers no {word}", where=talk.where, word=word)
        if hidden
        else _("{where} offers {word} and refuses it: {reply}", where=talk.where, word=word, reply=refused)
    )
    why = {
        _SMTP: _(
            "Mail from other servers then comes in readable to everybody on its way, and some "
            "servers refuse to deliver at all."
        ),
    }.get(
        port.id,
        _("Programs that want encryption cannot log in here, and the others send passwords readable."),
    )
    return Trouble("fail", words, _cert_help(port), why=why)


def _starter(talk: Talk) -> str:
    """The word that begins TLS."""
    return "STLS" if PROTOCOLS[talk.binding.port.id][0] == "pop3" else "STARTTLS"


def _names(talk: Talk, spoke: Spoke) -> list[Trouble]:
    """The greeting and EHLO name the server as everybody knows it; of port 25 its reverse name too."""
    name = spoke.talks.name.lower()
    greets = _word(talk.spoken.greeting)
    hello = talk.reply("EHLO")
    if not hello.startswith("250"):
        reply = _said(hello) if hello else _("it does not answer")
        return [
            Trouble(
                "fail",
                _("{where} refuses EHLO: {reply}", where=talk.where, reply=reply),
                (LOGS.format("postfix-mailcow"),),
            )
        ]
    found = []
    fix = _("Set MAILCOW_HOSTNAME in mailcow.conf, then `docker compose up -d` makes postfix use it.")
    for what, said in ((_("greets as"), greets), (_("answers EHLO as"), _word(hello))):
        if said.lower().rstrip(".") != name:
            found.append(
                Trouble(
                    "warn",
                    _(
                        "{where} {what} {greeting}, and is called {name}",
                        where=talk.where,
                        what=what,
                        greeting=said or _("nobody"),
                        name=name,
                    ),
                    (fix,),
                )
            )
    if talk.binding.port.id == _SMTP and not found:
        for address, names in spoke.reverse:
            if names and greets.lower() not in {one.lower().rstrip(".") for one in names}:
                found.append(
                    Trouble(
                        "warn",
                        _(
                            "it greets as {greets}, and the reverse name of {address} is {reverse}",
                            greets=greets,
                            address=address,
                            reverse=names[0].rstrip("."),
                        ),
                        (_("Set the reverse name at the provider of the address (`check dns.ptr`)."),),
                        why=_("Other mail servers hold the two against each other and distrust who differs."),
                    )
                )
    return found


def _word(reply: str) -> str:
    """The name in a greeting or in the reply to EHLO."""
    words = reply.split("\n")[0][4:].split()
    return words[0] if words else ""


def _summary(talk: Talk) -> str:
    """What else is worth a word in the line of a port that is well."""
    parts = [talk.spoken.tls] if talk.spoken.tls else []
    if is_submission(talk):
        parts.append(_("refuses who has not logged in"))
    return f" ({', '.join(parts)})" if parts else ""


def _well(talk: Talk) -> str:
    """What was found in one conversation, in words."""
    protocol = PROTOCOLS[talk.binding.port.id][0]
    parts = []
    if protocol in ("smtp", "imap", "pop3") and talk.spoken.greeting:
        parts.append(talk.spoken.greeting.split("\n")[-1][:_SHOWN])
    elif protocol == "http" and talk.spoken.replies:
        parts.append(talk.spoken.replies[0].split("\n")[0][:_SHOWN])
    if talk.spoken.tls:
        parts.append(talk.spoken.tls)
    reply = talk.reply("RCPT") if is_submission(talk) else ""
    if reply:
        parts.append(
            _("to RCPT TO:<{stranger}>: {reply}", stranger=STRANGER, reply=reply.split(chr(10))[0][:_SHOWN])
        )
    return f"{talk.where}: {', '.join(parts)}" if parts else ""


def _evidence(talk: Talk) -> Evidence:
    """How to see it by hand."""
    protocol, tls, starts = PROTOCOLS[talk.binding.port.id]
    asked = talk.asked
    spot = place(asked.address, asked.port)
    if protocol == "http":
        scheme = "https" if tls else "http"
        host = f"[{asked.address}]" if ":" in asked.address else asked.address
        by_proxy = " --haproxy-protocol" * (asked.protocol != "http")
        what = f"curl -skI{by_proxy} --connect-to ::{host}: {scheme}://{asked.name}:{asked.port}/"
    elif tls or starts:
        start = "" if tls else f" -starttls {protocol}"
        what = f"openssl s_client -connect {spot} -servername {asked.name}{start}"
    else:
        what = f"nc {asked.address} {asked.port}"
    said = talk.spoken.greeting or (talk.spoken.replies[0] if talk.spoken.replies else "") or talk.spoken.text
    return Evidence(what, said.strip().split("\n")[-1 if protocol in ("smtp", "sieve") else 0][:_SHOWN])


CHECKS: tuple[Check, ...] = (
    Check(
        id="mail.ports",
        title=_("Services"),
        needed=_("every port answers in its own protocol, with TLS, under the server's name"),
        why=_(
            "A container that runs proves nothing yet: what counts is what other servers and mail "
            "programs meet at its port."
        ),
        doc=need.DOC_PORTS,
        severity="breaks",
        source=spoke,
        judge=judge_ports,
        deadline=24.0,
    ),
)
