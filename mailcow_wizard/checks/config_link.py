"""Judge of `.env`: compose reads it, mailcow's scripts read mailcow.conf, and a link makes them one."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import skipped, word
from mailcow_wizard.facts import config
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_env_link(found: config.EnvLink) -> Judgement:
    """`.env` must be a link, and lead to mailcow.conf beside it."""
    if found.place.absent:
        return skipped(found.place.absent)
    shown = {"missing": _("not there"), "link": _("a link to {target}", target=found.target)}.get(
        found.kind, _kind(found.kind)
    )
    evidence = (Evidence(f"ls -l {word(found.path)}", shown),)
    if found.right:
        later = "" if found.conf else _(", which is not there yet")
        return Judgement("pass", _(".env leads to mailcow.conf{later}", later=later), shown, evidence)
    link = _("`ln -sfn mailcow.conf {word}`", word=word(found.path))
    if found.kind == "missing":
        return Judgement(
            "fail", _(".env is missing"), shown, evidence, (_("Make the link: {link}", link=link),)
        )
    if found.kind == "link":
        summary = _(".env leads to {target}, not to mailcow.conf beside it", target=found.target)
        return Judgement("fail", summary, shown, evidence, (_("Let it lead there: {link}", link=link),))
    conf = word(f"{found.place.directory}/{config.NAME}")
    aside = f"`mv {word(found.path)} {word(found.path + '.old')}`"
    if found.kind == "file" and found.settings and not found.conf:
        return Judgement(
            "fail",
            _(".env is a file with the settings, and mailcow.conf is missing"),
            shown,
            evidence,
            (
                _(
                    "Let it be mailcow.conf: `mv {word} {conf}`, then {link}",
                    word=word(found.path),
                    conf=conf,
                    link=link,
                ),
            ),
        )
    differs = _(" with settings of its own") if found.settings else ""
    return Judgement(
        "fail",
        _(
            ".env is {kind}{differs}, not a link to mailcow.conf",
            kind=_kind(found.kind),
            differs=differs,
        ),
        shown,
        evidence,
        (_("Move it away: {aside}, then make the link: {link}", aside=aside, link=link),),
    )


def _kind(kind: str) -> str:
    known = {"file": _("a file"), "directory": _("a directory"), "socket": _("a socket")}
    return known.get(kind, f"a {kind}")


ENV_LINK = Check(
    id="config.env-link",
    title=".env",
    needed=_(".env is a symbolic link to mailcow.conf"),
    why=_(
        "docker compose reads .env and mailcow's scripts read mailcow.conf: only the link makes "
        "them one. generate_config.sh stops without it."
    ),
    doc=need.DOC_INSTALL,
    severity="blocks",
    source=config.env_link,
    judge=judge_env_link,
)
