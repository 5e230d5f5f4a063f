"""What generate_config.sh makes besides mailcow.conf; made here where the script was not used."""

from __future__ import annotations

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit, Plan

_CERTIFICATES = "data/assets/ssl"
_RSPAMD = "data/conf/rspamd/override.d"
_PLACEHOLDER = f"{_RSPAMD}/worker-controller-password.inc"
_ABOUT = "data/web/inc/app_info.inc.php"
_OPENSSL_S = 300.0


def complete(job: Job) -> None:
    """Makes what is missing: a first certificate, the web interface's word on its version, and a file that
    a container would find to be a directory otherwise. Raises Failed."""
    if not _there(job, f"{_CERTIFICATES}/cert.pem"):
        _certificate(job)
    edits = []
    if _there(job, _RSPAMD) and not _there(job, _PLACEHOLDER):
        edits.append(Edit(f"{job.directory}/{_PLACEHOLDER}", None, b"# Placeholder\n"))
    if not _there(job, _ABOUT):
        edits.append(Edit(f"{job.directory}/{_ABOUT}", None, _about(job)))
    if edits:
        job.change(
            Plan(
                *("config.present", None, "conf-new", _("Write what belongs to mailcow.conf")),
                tuple(edits),
                *("low", True, True),
                _("mailcow's web interface knows its version."),
            )
        )


def _there(job: Job, path: str) -> bool:
    return job.session.host.exists(f"{job.directory}/{path}")


def _certificate(job: Job) -> None:
    """One that nobody trusts, until Let's Encrypt's is there: nothing starts without."""
    place = f"{job.directory}/{_CERTIFICATES}"
    job.changing.make_directory(place)
    name = job.standing.hostname
    key, made = f"{place}/key.pem", f"{place}/cert.pem.new"
    argv = (
        *("openssl", "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-sha256", "-days", "365"),
        *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
        *("-keyout", key, "-out", made),
    )
    code = job.run(argv, _OPENSSL_S, lambda line: None)
    if code:
        raise Failed(_("openssl could not make a first certificate"), ("openssl version",))
    try:
        job.changing.put_in_place(made, f"{place}/cert.pem")
    except HostError as error:
        raise Failed(str(error)) from None


def _about(job: Job) -> bytes:
    def git(*words: str) -> str:
        try:
            ran = job.session.host.run(("git", "-C", job.directory, *words))
        except HostError:
            return ""
        said = ran.out.strip() if ran.code == 0 else ""
        return "".join(one for one in said if one.isalnum() or one in "-_.:+ /")

    facts = {
        "MAILCOW_GIT_VERSION": git("describe", "--tags", "--abbrev=0") or git("rev-parse", "--short", "HEAD"),
        "MAILCOW_LAST_GIT_VERSION": "",
        "MAILCOW_GIT_OWNER": "mailcow",
        "MAILCOW_GIT_REPO": "mailcow-dockerized",
        "MAILCOW_GIT_URL": "https://github.com/mailcow/mailcow-dockerized",
        "MAILCOW_GIT_COMMIT": git("rev-parse", "HEAD"),
        "MAILCOW_GIT_COMMIT_DATE": git("log", "-1", "--format=%ci"),
        "MAILCOW_BRANCH": git("rev-parse", "--abbrev-ref", "HEAD"),
    }
    lines = [f'  ${key}="{value}";' for key, value in facts.items()]
    lines.append(f"  $MAILCOW_UPDATEDAT={int(job.session.host.now())};")
    return ("<?php\n" + "\n".join(lines) + "\n?>\n").encode()
