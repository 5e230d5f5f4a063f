"""Judge of how many files may be open and watched."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import kernel
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_limits(limits: kernel.Limits) -> Judgement:
    """Open files first (Dovecot does not start without), then watched files."""
    hard = _("not a limit here") if limits.own_hard is None else str(limits.own_hard)
    evidence = (
        Evidence("sysctl -n fs.nr_open", str(limits.nr_open)),
        Evidence("ulimit -Hn", hard),
        Evidence(
            "sysctl -n fs.inotify.max_user_instances fs.inotify.max_user_watches",
            f"{limits.instances} {limits.watches}",
        ),
    )
    found = _(
        "{nr_open} open files, {instances} watchers, {watches} watched files",
        nr_open=limits.nr_open if limits.own_hard is None else min(limits.nr_open, limits.own_hard),
        instances=limits.instances,
        watches=limits.watches,
    )
    least = need.DOVECOT_OPEN_FILES
    why = _(
        "mailcow starts Dovecot, the IMAP server, with a limit of 40,000 open files; where the "
        "machine allows less, Docker cannot start it (error setting rlimit)."
    )
    if limits.nr_open < least:
        remedy = _(
            "sysctl -w fs.nr_open=1048576, and the line fs.nr_open = 1048576 in "
            "/etc/sysctl.d/90-mailcow.conf."
        )
        summary = _(
            "a process may open {nr_open} files at most; Dovecot is started with 40,000",
            nr_open=limits.nr_open,
        )
        return Judgement("fail", summary, found, evidence, (remedy,), severity="breaks", why=why)
    if limits.own_hard is not None and limits.own_hard < least:
        return Judgement(
            "fail",
            _(
                "{own_hard} open files at most, and this root may not raise it; Dovecot needs 40,000",
                own_hard=limits.own_hard,
            ),
            found,
            evidence,
            (_("Raise the limit outside, where this container is started (ulimit nofile 1048576)."),),
            severity="breaks",
            why=why,
        )
    low = []
    if limits.instances < need.INOTIFY_INSTANCES:
        low.append(
            _(
                "{instances} watchers (at least {least})",
                instances=limits.instances,
                least=need.INOTIFY_INSTANCES,
            )
        )
    if limits.watches < need.INOTIFY_WATCHES:
        low.append(
            _(
                "{watches} watched files (at least {least})",
                watches=limits.watches,
                least=need.INOTIFY_WATCHES,
            )
        )
    if low:
        return Judgement(
            "warn",
            _("low limit of {low}", low=_(" and ").join(low)),
            found,
            evidence,
            (
                _(
                    "sysctl -w fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=65536, "
                    "and both in /etc/sysctl.d/90-mailcow.conf."
                ),
            ),
        )
    return Judgement("pass", found, found, evidence)


INOTIFY = Check(
    id="kernel.inotify",
    title=_("File limits"),
    needed=_("128 watchers and 8192 watched files for each user, 40,000 open files for a process"),
    why=_(
        "Dovecot watches a folder for every connected mail program; with too few watchers new "
        "mail appears late."
    ),
    doc=need.DOC_INOTIFY,
    severity="degrades",
    source=kernel.limits,
    judge=judge_limits,
)
