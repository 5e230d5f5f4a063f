"""mailcow's checkout: how it was cloned, who owns it, what was changed in it, which files containers cannot
read."""

from __future__ import annotations

import re

from mailcow_wizard.facts.compose_files import BEFORE_IT, COMPOSE_FILE, override_among, refusal
from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.owners import Owned, Owners
from mailcow_wizard.facts.run_as_root import changed_by
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT_S = 8.0
# So many paths are asked for by name; beyond, all of them are listed.
_MOST_NAMED = 60
_UNMERGED = ("DD", "AU", "UD", "UA", "DU", "AA", "UU")


class Checkout(NamedTuple):
    """What is known of the checkout.

    `skip` says why there is nothing to judge. `names` lie in it. `git`: what `.git` is (missing, directory,
    file). `branch` is empty where HEAD names a commit. `owners` are those of the directory and of `.git`.
    `edited` are tracked files that differ from the last commit, `committed` that docker-compose.yml differs
    from mailcow's by commits made here. `unreadable` are tracked files and directories that other users may
    not read, relative, directories with a slash. `orphans` are services of the override file that
    docker-compose.yml has not, and that have no image of their own; `instead` is a file that compose would
    read in docker-compose.yml's place. `unread` says what could not be looked at, and why; `unnamed` that the
    branch is among that. Of the tracked files `unmerged` hold both sides of a merge, `deleted` are not there.
    `refusal`: why docker compose takes neither an override file nor edits, where there are such. `alone` that
    the branch follows none of the origin's, which update.sh merges.
    """

    skip: str
    directory: str
    names: tuple[str, ...]
    git: str
    shallow: bool
    branch: str
    owners: tuple[Owned, ...]
    edited: tuple[str, ...]
    committed: bool
    unreadable: tuple[str, ...]
    orphans: tuple[str, ...]
    instead: str
    unread: tuple[str, ...]
    unnamed: bool = False
    unmerged: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    refusal: str = ""
    alone: bool = False


def checkout(facts: Facts) -> Checkout:
    """Looks at the checkout, with git where it may and can be run."""
    here, host = facts.get(place), facts.host
    nothing = Checkout(
        here.absent, here.directory, here.names or (), "missing", False, "", (), (), False, (), (), "", ()
    )
    if here.absent:
        return nothing
    found = nothing if _steered(facts) else _beside(host, nothing)
    owners = Owners(host)
    if ".git" not in found.names:
        return _asked_of_compose(facts, found._replace(owners=(owners.of(here.directory),)))._replace(
            owners=()
        )
    git = f"{here.directory}/.git"
    found = found._replace(git=host.info(git).kind, owners=(owners.of(here.directory), owners.of(git)))
    unread: list[str] = []
    found = _history(host, found, unread)
    if why := _distrust(facts, found.directory, found.owners):
        unread.append(_("local changes (git is not run here: {why})", why=why))
    else:
        found = _changes(host, found, unread)
    found = _asked_of_compose(facts, found)
    return found._replace(unread=tuple(dict.fromkeys(unread)))


def _asked_of_compose(facts: Facts, found: Checkout) -> Checkout:
    """With compose's own word on what is not mailcow's, where it may be asked and that is news."""
    edited = COMPOSE_FILE if COMPOSE_FILE in found.edited and COMPOSE_FILE in found.names else ""
    changed = tuple(one for one in (override_among(found.names), edited) if one)
    known = found.orphans or found.unmerged or found.instead
    if not changed or known or _distrust(facts, found.directory, found.owners):
        return found
    return found._replace(refusal=refusal(facts, found.directory, changed))


def _distrust(facts: Facts, directory: str, owners: tuple[Owned, ...]) -> str:
    """Why git is not run there, as words (empty: it may be): a repository's own configuration can name
    programs that git then runs."""
    user = facts.host.user().uid
    stranger = next((one for one in owners if one.uid not in (0, user)), None)
    if stranger:
        return _("{path} belongs to {user}", path=stranger.path, user=stranger.user)
    names = facts.get(place).names
    if names is not None and ".git" not in names:  # unpacked from an archive: git has no part in it
        return ""
    try:
        return changed_by(facts.host, git_files(facts.host, directory), user)
    except HostError as error:
        return str(error)


def git_files(host: Host, directory: str) -> tuple[str, ...]:
    """The files that say which programs git runs in a clone, whether they are there or not. Raises HostError
    where that cannot be read, Missing where it is no clone."""
    git, common = _git_places(host, directory)
    leading = (f"{directory}/.git", f"{git}/commondir")
    return (*leading, f"{git}/config", f"{git}/config.worktree", f"{common}/config", f"{common}/hooks")


def _git_places(host: Host, directory: str) -> tuple[str, str]:
    """Where git's own files lie, and those that several worktrees have in common. Raises HostError."""
    git = f"{directory}/.git"
    if host.info(git).kind == "file":
        target = host.text(git, 4096).removeprefix("gitdir:").strip()
        git = target if target.startswith("/") else f"{directory}/{target}"
    if not host.exists(f"{git}/commondir"):
        return git, git
    shared = host.text(f"{git}/commondir", 4096).strip()
    return git, shared if shared.startswith("/") else f"{git}/{shared}"


def _history(host: Host, found: Checkout, unread: list[str]) -> Checkout:
    """The branch, and whether the history is whole, from git's own files."""
    try:
        git, common = _git_places(host, found.directory)
        head = host.text(f"{git}/HEAD", 4096).strip()
        shallow = host.exists(f"{common}/shallow")
    except HostError as error:
        unread.append(_("the branch ({error})", error=error))
        return found._replace(unnamed=True)
    return found._replace(
        branch=head.removeprefix("ref: refs/heads/") if ":" in head else "", shallow=shallow
    )


# --- what git says ----------------------------------------------------------------------------------------


def git_command(directory: str, *words: str) -> tuple[str, ...]:
    """A question to git that changes nothing, also in a checkout of root's that another user looks at."""
    options = ("-c", f"safe.directory={directory}", "-c", "core.fsmonitor=false", "--no-optional-locks")
    return ("git", "-C", directory, *options, "--literal-pathspecs", *words)


def _changes(host: Host, found: Checkout, unread: list[str]) -> Checkout:
    try:
        states = _states(host, found.directory)
    except HostError as error:
        unread.append(_("local changes ({error})", error=error))
        return found
    committed = bool(found.branch) and not found.shallow and _committed(host, found.directory, found.branch)
    found = found._replace(
        edited=tuple(states),
        committed=committed,
        alone=bool(found.branch) and _alone(host, found.directory, found.branch),
        unmerged=tuple(path for path, state in states.items() if state in _UNMERGED),
        deleted=tuple(path for path, state in states.items() if state.strip() == "D"),
    )
    try:
        closed = _unreadable(host, found.directory)
        # A file in place of a link of mailcow's is this machine's own: .env then holds the passwords.
        own = [path for path, state in states.items() if "T" in state]
        return found._replace(unreadable=tuple(one for one in closed if one not in own))
    except HostError as error:
        unread.append(_("which files others may read ({error})", error=error))
        return found


def _asked(host: Host, command: tuple[str, ...]) -> str:
    ran = host.run(command, _TIMEOUT_S)
    if ran.code != 0:
        raise HostError((ran.err.strip() or _("exit {code}", code=ran.code)).splitlines()[0])
    return ran.out


def as_committed(facts: Facts, names: Sequence[str]) -> frozenset[str]:
    """Those of these files beside mailcow.conf that are just as the last commit has them; none where git
    cannot or may not tell."""
    here, host = facts.get(place), facts.host
    owners = Owners(host)
    try:
        if _distrust(facts, here.directory, (owners.of(here.directory), owners.of(f"{here.directory}/.git"))):
            return frozenset()
        known = _asked(
            host, git_command(here.directory, "ls-tree", "-z", "--name-only", "HEAD", "--", *names)
        )
        return frozenset(known.split("\0")) & frozenset(names) - _states(host, here.directory, *names).keys()
    except HostError:
        return frozenset()


def _states(host: Host, directory: str, *names: str) -> dict[str, str]:
    """The tracked files that differ from the last commit, and how (git-status(1), porcelain format)."""
    words = ("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules")
    paths = ("--", *names) if names else ()
    out = _asked(host, git_command(directory, *words, *paths))
    return {entry[3:]: entry[:2] for entry in out.split("\0") if len(entry) > 3}


def _committed(host: Host, directory: str, branch: str) -> bool:
    """Whether commits made here change docker-compose.yml: update.sh commits what it finds changed."""
    words = ("diff", "--name-only", "--no-ext-diff", f"origin/{branch}...HEAD", "--", COMPOSE_FILE)
    try:
        return bool(_asked(host, git_command(directory, *words)).strip())
    except HostError:  # no such branch at the origin
        return False


def _alone(host: Host, directory: str, branch: str) -> bool:
    """Whether a branch follows no other (its upstream), as one that was made from a tag."""
    words = ("for-each-ref", "--format=%(refname) %(upstream)", f"refs/heads/{branch}")
    try:
        return _asked(host, git_command(directory, *words)).split() == [f"refs/heads/{branch}"]
    except HostError:
        return False


def _unreadable(host: Host, directory: str) -> tuple[str, ...]:
    """Tracked files that others may not read, and directories above tracked files that they may not enter."""
    closed = ("(", "-type", "f", "!", "-perm", "-004", "-o", "-type", "d", "!", "-perm", "-005", ")")
    find = ("find", directory, "-xdev", "-mindepth", "1", "-name", ".git", "-prune", "-o", *closed, "-print0")
    ran = host.run(find, _TIMEOUT_S)
    if ran.code != 0 and not ran.out:
        raise HostError((ran.err.strip() or _("find: exit {code}", code=ran.code)).splitlines()[0])
    paths = [one.removeprefix(f"{directory}/") for one in ran.out.split("\0") if one]
    if not paths:
        return ()
    named = tuple(paths) if len(paths) <= _MOST_NAMED else ()
    tracked = _asked(host, git_command(directory, "ls-files", "-z", "--", *named)).split("\0")
    above = {one[:end] for one in tracked for end in (m.start() for m in re.finditer("/", one))}
    files = set(tracked)
    return tuple(sorted(f"{one}/" if one in above else one for one in paths if one in files or one in above))


# --- what compose reads besides docker-compose.yml --------------------------------------------------------


def _steered(facts: Facts) -> bool:
    """Whether mailcow.conf itself says which compose files count."""
    try:
        return bool(facts.get(mailcow_conf).get("COMPOSE_FILE"))
    except HostError:
        return False


def _beside(host: Host, found: Checkout) -> Checkout:
    instead = next((one for one in BEFORE_IT if one in found.names), "")
    return found._replace(instead=instead, orphans=_orphans(host, found.directory, found.names))


def _orphans(host: Host, directory: str, names: tuple[str, ...]) -> tuple[str, ...]:
    override = override_among(names)
    if not override or COMPOSE_FILE not in names:
        return ()
    try:
        known = services(host.text(f"{directory}/{COMPOSE_FILE}"))
        changed = services(host.text(f"{directory}/{override}"))
    except Missing:
        return ()
    if known is None or changed is None:
        return ()
    own = re.compile(r"(?m)^\s+[\"']?(?:image|build|extends)[\"']?\s*:")
    return tuple(name for name, block in changed.items() if name not in known and not own.search(block))


def services(text: str) -> dict[str, str] | None:
    """The services of a compose file and the lines that belong to each; None where it is not written in the
    plain form that mailcow's is."""
    match = re.search(r"(?m)^services[ \t]*:[ \t]*(.*)$", text)
    if match is None:
        return {}
    if match[1].strip() and not match[1].strip().startswith("#"):
        return None
    found: dict[str, str] = {}
    indent, current = "", ""
    for line in text[match.end() :].splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line[0].isspace():
            break
        depth = line[: len(line) - len(line.lstrip())]
        indent = indent or depth
        if depth == indent:
            name = re.match(r"\s*[\"']?([A-Za-z0-9._-]+)[\"']?\s*:(.*)$", line)
            if name is None:
                return None
            current = name[1]
            found[current] = f" {name[2].lstrip(' {')}\n"
        elif current:
            found[current] += f"{line}\n"
    return found
