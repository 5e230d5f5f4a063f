"""What a container's last words mean and what helps: Docker's, its health check's, those of its log."""

from __future__ import annotations

import re

from mailcow_wizard.checks import docker_words
from mailcow_wizard.facts.mail.containers import Box
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

KILLED, CRASHED, ILLEGAL = 137, 139, 132
# As mailcow's start scripts write it, some with a date before it; acme waits so for ten seconds.
_WAITS = r"^(?:.{0,40} - )?Waiting for (?!containers to settle)(.{0,80})"
_AWAITED: tuple[tuple[str, str], ...] = (
    (
        "(?i)sql|database|schema|table",
        _(
            "See mysql-mailcow (`docker compose logs --tail 100 mysql-mailcow`), and whether mailcow.conf "
            "has the passwords that the database was made with (`check config.present`)."
        ),
    ),
    (
        "(?i)dns|resolver",
        _("See unbound-mailcow, and whether name servers answer from here: `check network.recursion`"),
    ),
)
_MEMORY = _("Give this machine more memory, or do without clamd or full text search (`check system.memory`).")
_PROCESSOR = (
    _("this processor lacks an instruction that it needs"),
    _("See `check system.cpu-features`; in a virtual machine let the guest have the host's processor type."),
)
_DMESG = _("See whether the kernel ended it for want of memory: `dmesg -T | grep -i 'out of memory'`")

# Service, pattern, meaning, remedy; the first that fits a line counts. Patterns are those of real logs: a
# word that a healthy start writes too (hyperscan, InnoDB) tells nothing.
_MEANINGS: tuple[tuple[str, str, str, str], ...] = (
    (
        "unbound",
        r"(?i)\bpings?\b",
        _("its health check pings 1.1.1.1, 8.8.8.8 and 9.9.9.9, and two of them did not answer"),
        _("Let ICMP out; `check network.icmp` says whether SKIP_UNBOUND_HEALTHCHECK=y would help here."),
    ),
    (
        "unbound",
        r"(?i)failed to prime trust anchor|could not fetch dnskey|dnssec",
        _("what it asks for signatures (DNSSEC) is not answered, or not to be trusted"),
        _(
            "See whether long answers and signatures arrive, and the clock: `check network.recursion "
            "time.offset`"
        ),
    ),
    (
        "unbound",
        "(?i)names? failed|dns resolution|nslookup|root server",
        _("it cannot look up names from the root servers by itself"),
        _("Let UDP and TCP port 53 out to any server (`check network.recursion`)."),
    ),
    (
        "dovecot",
        "(?i)nofile|setrlimit|too many open files|ulimit",
        _("it may not open as many files as it needs"),
        _(
            "Raise the limit of open files for Docker, or set ulimits for dovecot-mailcow in "
            "docker-compose.override.yml."
        ),
    ),
    (
        "clamd",
        r"(?i)worker \d+ died|\d+ killed\b",
        _("the scanner in it was ended, as a rule for want of memory"),
        _MEMORY,
    ),
    (
        "clamd",
        r"(?i)no supported database files|can't download|cool-down|blocked by cdn|update process failed",
        _("it could not fetch its signatures"),
        _(
            "See whether ClamAV's servers can be reached (`check network.outbound-hosts`). They refuse for a "
            "day who asked too often: wait, or set SKIP_CLAMD=y meanwhile."
        ),
    ),
    (
        "netfilter",
        r"(?i)mailcow target is in position",
        _("another program puts its firewall rules before mailcow's, again and again"),
        _("Let other firewall programs leave Docker's chains alone: `check firewall.backend` names them."),
    ),
    (
        "",
        r"(?i)key values mismatch|private key does not match|doesn't match private key",
        _("its certificate and its key do not belong together"),
        _("Put a certificate and the key that it was made for into data/assets/ssl (cert.pem, key.pem)."),
    ),
    (
        "",
        r"(?i)(?:ssl|tls|certificate|\.pem\b).{0,200}no such file|can't open file /etc/ssl/mail",
        _("a file of its certificate is missing"),
        _(
            "Put missing certificate files back, in mailcow's directory: "
            "`cp -n -d data/assets/ssl-example/*.pem data/assets/ssl/`"
        ),
    ),
    (
        "",
        r"(?i)no space left on device|disk full|out of disk space",
        _("the disk is full"),
        _("Free some space (`check system.disk system.inodes`), then `docker compose up -d`."),
    ),
    *(("", one.pattern, one.words, one.remedy) for one in docker_words.MESSAGES),
    (
        "",
        r"(?i)address already in use|port is already allocated",
        _("a port that it needs is taken"),
        _("Free the port (`check ports` says who has it), then `docker compose up -d`."),
    ),
    (
        "mysql",
        r"(?i)cannot allocate memory|\berrno:? ?12\b|cannot map innodb_buffer_pool",
        _("there is not enough memory for it"),
        _MEMORY,
    ),
    (
        "",
        "(?i)permission denied",
        _("it may not read a file that it needs"),
        _("Let containers read mailcow's files (`check config.checkout`)."),
    ),
    (
        "mysql",
        "(?i)access denied for user",
        _("the database was made with another password than the one in mailcow.conf"),
        _("Put the old DBPASS and DBROOT back into mailcow.conf (`check config.present`)."),
    ),
    (
        "mysql",
        r"(?i)can't open and lock privilege tables",
        _("its first start was interrupted before its tables were made"),
        _(
            "In a new mailcow without any mail: `docker compose down`, remove the volume that ends in "
            "_mysql-vol-1 (`docker volume ls`), `docker compose up -d`. Else put a backup back."
        ),
    ),
    (
        "mysql",
        r"(?i)corrupt|marked as crashed|wrong space id|checksum mismatch|lsn .{0,80} is in the future",
        _("its data are damaged"),
        _("See mailcow's manual on repairing the database before anything is deleted."),
    ),
    (
        "",
        "(?i)could not resolve host|temporary failure in name resolution|name or service not known",
        _("it cannot look up names"),
        _("See unbound-mailcow first: the others ask it."),
    ),
    (
        "",
        r"(?i)illegal instruction|doesn't have ssse3",
        *_PROCESSOR,
    ),
)
_OTHER = (_("it waits for another container"), _("See what that one does."))


def waits_for(line: str) -> bool:
    """Whether a line says that its program waits for another one, as mailcow's start scripts repeat it."""
    return bool(re.search(_WAITS, line))


def wait_remedy(line: str) -> str:
    """What helps where a program waits for too long, by what it waits for."""
    said = re.search(_WAITS, line)
    return next((one for pattern, one in _AWAITED if said and re.search(pattern, said[1])), _OTHER[1])


class Meaning(NamedTuple):
    """What a container says: `words` and `remedy`, empty where nothing is known; `line` is where it does."""

    words: str = ""
    remedy: str = ""
    line: str = ""


def meaning(box: Box) -> Meaning:
    """What a container says means, and what helps; the last line that means something counts."""
    if box.out_of_memory:
        return Meaning("", _MEMORY)
    if box.exit_code == ILLEGAL:
        return Meaning("", _PROCESSOR[1])
    last = box.lines[-1] if box.lines else ""
    for text in (box.error, box.said, *reversed(box.lines)):
        for service, pattern, words, remedy in _MEANINGS:
            if box.service.startswith(service) and text and re.search(pattern, text):
                return Meaning(words, remedy, text)
        # What it waited for earlier is over.
        if text and text == last and waits_for(text):
            return Meaning(*_OTHER, text)
    return Meaning("", _DMESG if box.exit_code == KILLED else "")
