"""The judge of mailcow's checkout: whether it can be updated, and whether containers can read its files."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped, word
from mailcow_wizard.facts import checkout
from mailcow_wizard.facts.compose_files import COMPOSE_FILE, OVERRIDE, override_among
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement

_CLONE = "git clone https://github.com/mailcow/mailcow-dockerized"
_ROOT_ONLY = _(
    "git refuses to work for root in a directory of somebody else's, so mailcow's update.sh stops there."
)
_SHOWN = 3


def judge_checkout(found: checkout.Checkout) -> Judgement:
    """Everything that stands in the way of an update or of the containers, worst first."""
    if found.skip:
        return skipped(found.skip)
    evidence = _evidence(found)
    troubles = [
        *_not_whole(found),
        *_owner(found),
        *_branch(found),
        *_alone(found),
        *_unmerged(found),
        *_deleted(found),
        *_closed(found),
        *_changed(found),
        *_beside(found),
    ]
    words = _words(found)
    troubles += [Trouble("unknown", _("not looked at: {what}", what=one)) for one in found.unread]
    if troubles:
        return judged(troubles, evidence, words)
    return Judgement("pass", words, words, evidence)


def _words(found: checkout.Checkout) -> str:
    if found.git == "missing":
        return _("{directory}, without history", directory=found.directory)
    where = _("branch {branch}", branch=found.branch) if found.branch else _("no branch")
    aside_from = (COMPOSE_FILE, ".env", *found.unmerged, *found.deleted)
    others = [one for one in found.edited if one not in aside_from]
    aside = ngettext(", 1 other file changed", ", {n} other files changed", len(others)) if others else ""
    if _foreign(found):
        return _("a clone, {where}{aside}", where=where, aside=aside)
    return _("cloned by root, {where}{aside}", where=where, aside=aside)


def _foreign(found: checkout.Checkout) -> bool:
    return any(one.uid for one in found.owners)


def _evidence(found: checkout.Checkout) -> tuple[Evidence, ...]:
    git = f"git -C {word(found.directory)}"
    shown = [
        Evidence(
            f"ls -a {word(found.directory)}",
            _("{number} names, .git is {git}", number=len(found.names), git=found.git),
        )
    ]
    if found.git == "missing":
        return tuple(shown)
    shown.append(Evidence(f"{git} branch --show-current", found.branch or "none"))
    shown += [
        Evidence(f"stat -c '%U:%G' {word(one.path)}", f"{one.user}:{one.group}") for one in found.owners
    ]
    if found.shallow:
        shown.append(Evidence(f"{git} rev-parse --is-shallow-repository", "true"))
    if found.edited:
        shown.append(Evidence(f"{git} status --short --untracked-files=no", _few(found.edited)))
    if found.unreadable:
        what = f"cd {word(found.directory)} && git ls-files -z | xargs -0 ls -ld"
        shown.append(Evidence(what, _("closed to others: {few}", few=_few(_inner_first(found.unreadable)))))
    return tuple(shown)


def _few(names: tuple[str, ...]) -> str:
    more = _(" and {number} more", number=len(names) - _SHOWN) if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _inner_first(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Files that containers read before others, directories last."""
    return tuple(sorted(paths, key=lambda one: (one.endswith("/"), not one.startswith("data/"), one)))


def _not_whole(found: checkout.Checkout) -> list[Trouble]:
    troubles = []
    if COMPOSE_FILE not in found.names:
        back = _("Clone mailcow beside it, then put mailcow.conf there: `{clone}`", clone=_CLONE)
        if COMPOSE_FILE in found.deleted:
            directory = word(found.directory)
            back = _(
                "Bring it back: `git -C {word} checkout HEAD -- {file}`",
                word=directory,
                file=COMPOSE_FILE,
            )
        troubles.append(
            Trouble(
                "fail",
                _("{compose_file} is missing: this is no whole checkout", compose_file=COMPOSE_FILE),
                (back,),
                "blocks",
                why=_("docker compose has nothing to start without it."),
            )
        )
    if found.git == "missing":
        troubles.append(
            Trouble(
                "warn",
                _("it was not cloned (no .git): update.sh cannot update it"),
                (
                    _(
                        "Clone mailcow beside it, then take mailcow.conf and data/ over: `{clone}`",
                        clone=_CLONE,
                    ),
                ),
                "breaks",
                doc=need.DOC_ISSUE.format(719),
            )
        )
    if found.shallow:
        troubles.append(
            Trouble(
                "warn",
                _("the clone is shallow: update.sh cannot merge without the history"),
                (_("Fetch the rest: `git -C {word} fetch --unshallow`", word=word(found.directory)),),
                "breaks",
                doc=need.DOC_ISSUE.format(1315),
            )
        )
    return troubles


def _owner(found: checkout.Checkout) -> list[Trouble]:
    other = next((one for one in found.owners if one.uid), None)
    if other is None:
        return []
    directory = word(found.directory)
    remedy = _(
        "Give it to root: `chown root:root {directory} && chown -R root:root {directory}/.git`",
        directory=directory,
    )
    words = _("the checkout belongs to {user}, not to root", user=other.user)
    return [Trouble("warn", words, (remedy,), "breaks", _ROOT_ONLY, need.DOC_ISSUE.format(1893))]


def _branch(found: checkout.Checkout) -> list[Trouble]:
    if found.git == "missing" or found.unnamed:
        return []
    back = _("Go to the stable one, after a backup: `./update.sh --stable`")
    words = {
        need.BRANCH_STABLE: "",
        need.BRANCH_UNSTABLE: _("branch nightly gets untested changes"),
        need.BRANCH_LEGACY: _("branch legacy gets no updates since February 2026"),
        "": _("no branch is checked out: update.sh cannot tell what to update to"),
    }.get(
        found.branch,
        _("branch {branch} is none of mailcow's: updates will not come through it", branch=found.branch),
    )
    if not words:
        return []
    why = _("update.sh follows the branch that is checked out; master is the one that is tested.")
    if not found.branch:
        back = _(
            "Check out the stable one: `git -C {word} checkout {branch}`",
            word=word(found.directory),
            branch=need.BRANCH_STABLE,
        )
    return [Trouble("warn", words, (back,), "degrades", why)]


def _alone(found: checkout.Checkout) -> list[Trouble]:
    """A branch of mailcow's name that git does not know what to merge into."""
    if not found.alone or found.branch not in (need.BRANCH_STABLE, need.BRANCH_UNSTABLE):
        return []
    remedy = _(
        "Let it follow mailcow's: `git -C {word} fetch origin`, then "
        "`git -C {word} branch -u origin/{branch} {branch}`",
        word=word(found.directory),
        branch=found.branch,
    )
    words = _(
        "branch {branch} follows none of mailcow's: update.sh has nothing to merge", branch=found.branch
    )
    why = _(
        "update.sh stops mailcow first and merges then; without a branch to follow it ends there, and says "
        "that added files are in the way."
    )
    return [Trouble("warn", words, (remedy,), "breaks", why, need.DOC_ISSUE.format(592))]


def _unmerged(found: checkout.Checkout) -> list[Trouble]:
    """What a merge left for a person to settle: such a file is neither version."""
    if not found.unmerged:
        return []
    number = len(found.unmerged)
    words = ngettext(
        "1 file holds both sides of a merge that was not finished: {few}",
        "{n} files hold both sides of a merge that was not finished: {few}",
        number,
        few=_few(_inner_first(found.unmerged)),
    )
    remedy = _(
        "See them with `git -C {word} status`; for mailcow's version of one: "
        "`git -C {word} checkout HEAD -- FILE`. Then run update.sh again.",
        word=word(found.directory),
    )
    why = _("Between the marks of a merge lies no setting that a service could read, and update.sh stops.")
    return [Trouble("fail", words, (remedy,), "breaks", why)]


def _deleted(found: checkout.Checkout) -> list[Trouble]:
    lost = tuple(one for one in found.deleted if one not in (COMPOSE_FILE, ".env"))
    if not lost:
        return []
    number = len(lost)
    words = ngettext(
        "1 file of mailcow's is gone: {few}",
        "{n} files of mailcow's are gone: {few}",
        number,
        few=_few(_inner_first(lost)),
    )
    remedy = _(
        "Bring them back: `git -C {word} checkout HEAD -- {file}`, and so on",
        word=word(found.directory),
        file=word(_inner_first(lost)[0]),
    )
    why = _(
        "Where a file is missing that a container gets from outside, Docker makes a directory of that name."
    )
    return [Trouble("warn", words, (remedy,), "breaks", why)]


def _closed(found: checkout.Checkout) -> list[Trouble]:
    """Files that a umask of 027 or 077 left closed (P20); containers read what is below data/."""
    if not found.unreadable:
        return []
    inside = any(one.startswith("data/") for one in found.unreadable)
    number = len(found.unreadable)
    words = ngettext(
        "1 file is closed to others: {few}",
        "{n} files are closed to others: {few}",
        number,
        few=_few(_inner_first(found.unreadable)),
    )
    return [
        Trouble(
            "fail" if inside else "warn",
            words,
            (
                _(
                    "Open them, and only them: `cd {word} && git ls-files -z | xargs -0 chmod o+r`; "
                    "the directories above them: `chmod o+rx`.",
                    word=word(found.directory),
                ),
                _("Let mailcow's scripts run under `umask 0022`."),
            ),
            "blocks" if inside else "degrades",
            why=_(
                "Services in the containers do not run as root; if they cannot read these files they stop."
            ),
            doc=need.DOC_ISSUE.format(866),
        )
    ]


def _changed(found: checkout.Checkout) -> list[Trouble]:
    own = COMPOSE_FILE in found.edited and COMPOSE_FILE not in found.deleted
    if not own and not found.committed:
        return []
    how = _("is edited") if own else _("differs from mailcow's by commits made here")
    since = f"origin/{found.branch}" if found.committed else "HEAD"
    return [
        Trouble(
            "warn",
            f"{COMPOSE_FILE} {how}",
            (
                _(
                    "See what: `git -C {word} diff {since} -- {compose_file}`. Move it to "
                    "{overrides}, which updates leave alone.",
                    word=word(found.directory),
                    since=since,
                    compose_file=COMPOSE_FILE,
                    overrides=override_among(found.names) or OVERRIDE,
                ),
            ),
            "degrades",
            why=_("generate_config.sh and the next update replace the file, and the change is lost."),
            doc=need.DOC_ISSUE.format(1863),
        )
    ]  # fmt: skip


def _beside(found: checkout.Checkout) -> list[Trouble]:
    troubles = []
    if found.instead:
        troubles.append(
            Trouble(
                "fail",
                _(
                    "docker compose reads {other} here, not {file}",
                    other=found.instead,
                    file=COMPOSE_FILE,
                ),
                (_("Move it away: `mv {word} /root/`", word=word(found.directory + "/" + found.instead)),),
                "blocks",
                why=_("Of several compose files in a directory, compose takes only the first by name."),
            )
        )
    if found.refusal:
        directory = word(found.directory)
        override = override_among(found.names)
        troubles.append(
            Trouble(
                "fail",
                _("docker compose refuses the files here: {said}", said=found.refusal),
                (
                    _(
                        "Correct what it names, until `docker compose --project-directory {directory} config "
                        "-q` says nothing.",
                        directory=directory,
                    ),
                    _(
                        "Or do without the override file: `mv {file} /root/`",
                        file=word(f"{found.directory}/{override}"),
                    ),
                )[: 2 if override else 1],
                "blocks",
                why=_("mailcow can be neither started nor updated as long as compose refuses a file."),
                certainty="proved",
            )
        )
    if found.orphans:
        names = ", ".join(found.orphans)
        troubles.append(
            Trouble(
                "fail",
                _("the override file changes services that mailcow no longer has: {names}", names=names),
                (_("Take {names} out of {overrides}.", names=names, overrides=override_among(found.names)),),
                "blocks",
                why=_(
                    "compose refuses the whole project for a service that has neither an image nor a build."
                ),
                doc=need.DOC_ISSUE.format(4212),
                certainty="inferred",
            )
        )
    return troubles


CHECKOUT = Check(
    id="config.checkout",
    title=_("Checkout"),
    needed=_(
        "a whole git clone of branch master, made by root under umask 022, without edits in "
        "docker-compose.yml"
    ),
    why=_("mailcow is updated through git: what stands in its way stands in the way of security updates."),
    doc=need.DOC_INSTALL,
    severity="degrades",
    source=checkout.checkout,
    judge=judge_checkout,
    deadline=30.0,
)
