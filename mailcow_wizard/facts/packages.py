"""Which package a program came with, asked of the distribution's own package tool."""

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError

# A script's program is its interpreter, whose package says nothing about the script.
_INTERPRETERS = ("python", "perl", "ruby", "node", "java", "php", "bash", "dash", "busybox")


def owners_of(facts: Facts, programs: tuple[str, ...]) -> dict[str, str]:
    """Package names by program path; a program that no package owns is left out."""
    asked = tuple(one for one in programs if not one.rpartition("/")[2].startswith(_INTERPRETERS))
    if not asked:
        return {}
    try:
        if facts.host.exists("/var/lib/dpkg/status"):
            return _dpkg(facts, asked)
        if facts.host.exists("/var/lib/rpm") or facts.host.exists("/usr/lib/sysimage/rpm"):
            return _one_by_one(facts, asked, ("rpm", "-qf", "--queryformat", "%{NAME}\n"), last_word=False)
        if facts.host.exists("/lib/apk/db/installed"):
            return _one_by_one(facts, asked, ("apk", "info", "--who-owns"), last_word=True)
        if facts.host.exists("/var/lib/pacman/local"):
            return _one_by_one(facts, asked, ("pacman", "-Qqo"), last_word=False)
    except HostError:
        pass
    return {}


def _dpkg(facts: Facts, programs: tuple[str, ...]) -> dict[str, str]:
    """dpkg knows a program by the path that its package wrote, before /bin and /usr/bin became one."""
    spellings = {path: path for path in programs}
    spellings |= {
        path.removeprefix("/usr"): path for path in programs if path.startswith(("/usr/bin/", "/usr/sbin/"))
    }
    owners: dict[str, str] = {}
    for line in facts.host.run(("dpkg-query", "-S", *spellings)).out.splitlines():
        package, _, path = line.partition(": ")
        if path in spellings and not package.startswith("diversion by "):
            owners[spellings[path]] = package.split(",")[0].split(":")[0]
    return owners


def _one_by_one(
    facts: Facts, programs: tuple[str, ...], argv: tuple[str, ...], last_word: bool
) -> dict[str, str]:
    owners = {}
    for path in programs:
        ran = facts.host.run((*argv, path))
        words = ran.out.split()
        if ran.code == 0 and words:
            owners[path] = words[-1] if last_word else words[0]
    return owners
