"""What containers' last words mean: lines as Docker, MariaDB 10.11 and mailcow's containers write them."""

import pytest

from mailcow_wizard.checks.mail_containers import judge_containers
from mailcow_wizard.facts.mail.containers import stack
from mailcow_wizard.model import Judgement
from tests.checks.mail_machine import MailMachine, container

_INNODB_ENDS = (
    "0 [Note] InnoDB: Starting shutdown...",
    "0 [ERROR] Plugin 'InnoDB' registration as a STORAGE ENGINE failed.",
    "0 [ERROR] Could not open mysql.plugin table: \"Table 'mysql.plugin' doesn't exist\"",
    "0 [ERROR] Unknown/unsupported storage engine: InnoDB",
    "0 [ERROR] Aborting",
)
_NETWORKING = (
    "failed to set up container networking: driver failed programming external connectivity on endpoint x: "
)
_DNAT = (
    f"{_NETWORKING}Unable to enable DNAT rule:  (iptables failed: iptables --wait -t nat -A DOCKER -p tcp "
    "--dport 25 -j DNAT --to-destination 172.22.1.253:25 ! -i br-mailcow: iptables: No chain/target/match by "
    "that name.\n (exit status 1))"
)
_CLAMD_STARTS = tuple(f"Access: 2026-11-21 05:49:49.32786610{number} +0100" for number in range(20))


def said(service: str, *lines: str, error: str = "") -> Judgement:
    """What is found where a container ends again and again, or was never started."""
    more = {"state": "created", "error": error} if error else {"age": 5.0, "restarts": 3}
    ill = container(service, **more, lines="".join(f"{one}\n" for one in lines))
    others = tuple(container(one) for one in ("postfix-mailcow", "dovecot-mailcow") if one != service)
    return judge_containers(MailMachine((ill, *others)).facts().get(stack))


@pytest.mark.parametrize(
    ("service", "lines", "means", "helps"),
    [
        (
            "mysql-mailcow",
            ("0 [ERROR] InnoDB: mmap(137297920 bytes) failed; errno 12", *_INNODB_ENDS),
            "not enough memory",
            "system.memory",
        ),
        (
            "mysql-mailcow",
            (
                "0 [ERROR] InnoDB: Cannot map innodb_buffer_pool_size_max=4096m",
                "0 [ERROR] InnoDB: Database creation was aborted with error Generic error.",
                *_INNODB_ENDS,
            ),
            "not enough memory",
            "system.memory",
        ),
        (
            "mysql-mailcow",
            (
                "0 [ERROR] InnoDB: Could not set the file size of './ibtmp1'. Probably out of disk space",
                "0 [ERROR] InnoDB: Plugin initialization aborted with error Generic error",
                *_INNODB_ENDS,
            ),
            "the disk is full",
            "system.disk",
        ),
        (
            "mysql-mailcow",
            (
                "0 [ERROR] InnoDB: The data file './ibdata1' has the wrong space ID.",
                "0 [ERROR] InnoDB: Plugin initialization aborted with error Data structure corruption",
                *_INNODB_ENDS,
            ),
            "its data are damaged",
            "repairing the database",
        ),
        (
            "mysql-mailcow",
            (
                "0 [ERROR] Could not open mysql.plugin table: \"Table 'mysql.plugin' doesn't exist\"",
                "0 [ERROR] Fatal error: Can't open and lock privilege tables: Table 'mysql.db' doesn't exist",
                "0 [ERROR] Aborting",
            ),
            "its first start was interrupted",
            "without any mail",
        ),
        (
            "clamd-mailcow",
            (
                "/clamd.sh: line 99:    25 Killed                  nice -n10 clamd",
                "Worker 25 died, stopping container waiting for respawn...",
                *_CLAMD_STARTS,
            ),
            "want of memory",
            "system.memory",
        ),
        (
            "clamd-mailcow",
            (
                "WARNING: Mon Dec 18 00:09:00 2023 -> Can't download daily.cvd from "
                "https://database.clamav.net/daily.cvd",
                "ERROR: Database update process failed: Forbidden; Blocked by CDN",
            ),
            "could not fetch its signatures",
            "network.outbound-hosts",
        ),
        (
            "netfilter-mailcow",
            (
                "MAILCOW target is in position 11 in the ip forward table, restarting container to fix it...",
                "Clearing all bans",
                "Using NFTables backend",
            ),
            "another program puts its firewall rules before mailcow's",
            "firewall.backend",
        ),
        (
            "dovecot-mailcow",
            (
                "doveconf: Fatal: Error in configuration file /etc/dovecot/dovecot.conf line 10: "
                "ssl_cert: Can't open file /etc/ssl/mail/cert.pem: No such file or directory",
                "INFO exited: dovecot (exit status 89; not expected)",
            ),
            "a file of its certificate is missing",
            "data/assets/ssl-example",
        ),
        (
            "nginx-mailcow",
            (
                'nginx: [emerg] SSL_CTX_use_PrivateKey_file("/etc/ssl/mail/key.pem") failed (SSL: '
                "error:0B080074:x509 certificate routines:X509_check_private_key:key values mismatch)",
            ),
            "do not belong together",
            "data/assets/ssl",
        ),
        (
            "unbound-mailcow",
            ("info: failed to prime trust anchor -- could not fetch DNSKEY rrset . DNSKEY IN",),
            "signatures (DNSSEC)",
            "network.recursion",
        ),
        ("rspamd-mailcow", ("Illegal instruction (core dumped)",), "lacks an instruction", "cpu-features"),
        ("sogo-mailcow", ("Waiting for schema update...",), "it waits for another container", "that one"),
    ],
)
def test_the_cause_is_told(service: str, lines: tuple[str, ...], means: str, helps: str) -> None:
    found = said(service, *lines)
    assert means in found.summary, found.summary
    assert helps in found.remedies[0], found.remedies
    telling = next(line for line in lines if not line.startswith(("0 [Note]", "Access:")))
    assert any(telling[:30] in one.value or lines[-2][:30] in one.value for one in found.evidence)


@pytest.mark.parametrize(
    ("error", "means", "helps"),
    [
        ("Address already in use", "another container has an address", "docker network inspect"),
        (
            "failed to set up container networking: Address already in use",
            "another container has an address",
            "docker network inspect",
        ),
        (
            f"{_NETWORKING}failed to bind host port 0.0.0.0:25/tcp: address already in use",
            "a port that it needs is taken",
            "check ports",
        ),
        (
            f"{_NETWORKING}failed to bind host port 192.0.2.9:26/tcp: cannot assign requested address",
            "an address that this machine does not have",
            "config.values",
        ),
        (_DNAT, "Docker's firewall rules are gone", "restart docker"),
        (
            "failed to set up container networking: network mailcowdockerized_mailcow-network not found",
            "the network that mailcow's containers were made for is gone",
            "docker compose down",
        ),
    ],
)
def test_what_docker_says(error: str, means: str, helps: str) -> None:
    found = said("postfix-mailcow", error=error)
    assert means in found.summary, found.summary
    assert helps in found.remedies[0]


@pytest.mark.parametrize(
    ("service", "lines"),
    [
        # What a healthy rspamd and MariaDB write at each start, and unbound at its end.
        (
            "rspamd-mailcow",
            (
                "#1(main) <56ccd7>; re_cache; rspamd_re_cache_init: loaded hyperscan engine with cpu tune",
                "#1(main) <56ccd7>; main; cannot load the configuration",
            ),
        ),
        (
            "mysql-mailcow",
            ("0 [Note] InnoDB: Starting crash recovery from checkpoint LSN=2940314", "0 [ERROR] x"),
        ),
        ("unbound-mailcow", ("mapping the root key", "stopping")),
        # What it waited for has come.
        ("dovecot-mailcow", ("Waiting for DNS...", "doveconf: Fatal: unknown setting: x")),
    ],
)
def test_what_tells_nothing(service: str, lines: tuple[str, ...]) -> None:
    """No cause is better than a wrong one: the log is to be read then."""
    found = said(service, *lines)
    assert found.summary.endswith("the last time 5 s ago"), found.summary
    assert found.remedies[0].startswith("See its whole log")


@pytest.mark.parametrize(("code", "helps"), [(132, "system.cpu-features"), (137, "dmesg")])
def test_a_signal_that_ended_it(code: int, helps: str) -> None:
    ended = container("rspamd-mailcow", 90.0, "exited", exit=code)
    others = (container("postfix-mailcow"), container("dovecot-mailcow"))
    found = judge_containers(MailMachine((ended, *others)).facts().get(stack))
    assert helps in found.remedies[0], found.remedies


@pytest.mark.parametrize(
    ("line", "age", "status", "helps"),
    [
        ("Waiting for SQL...", 900.0, "fail", "config.present"),
        ("Waiting for database to come up...", 900.0, "fail", "config.present"),
        ("Waiting for DNS...", 900.0, "fail", "network.recursion"),
        ("Waiting for Redis...", 900.0, "fail", "See what that one does"),
        ("Sun Nov 29 21:00:00 UTC 2026 - Waiting for Nginx...", 900.0, "fail", "See what that one does"),
        ("Waiting for SQL...", 120.0, "unknown", "Look again"),
        ("Waiting for containers to settle...", 900.0, "pass", ""),
        ("NOTICE: ready to handle connections", 900.0, "pass", ""),
    ],
)
def test_one_that_runs_and_still_waits(line: str, age: float, status: str, helps: str) -> None:
    """mailcow's start scripts wait for one another without an end: such a container serves nobody."""
    waits = container("dovecot-mailcow", age, lines=f"{line}\n")
    found = judge_containers(MailMachine((waits, container("postfix-mailcow"))).facts().get(stack))
    assert found.status == status, found.summary
    if helps:
        assert line in found.summary
        assert helps in found.remedies[0]


def test_one_that_somebody_has_added_may_wait_for_work() -> None:
    added = container("certdumper", lines="Waiting for new certificates...\n")
    boxes = (added, container("dovecot-mailcow"), container("postfix-mailcow"))
    assert judge_containers(MailMachine(boxes).facts().get(stack)).status == "pass"


@pytest.mark.parametrize(
    ("service", "policy", "code", "status"),
    [
        # As mailcow's manual once had it, to do without the container for IPv6.
        ("ipv6nat-mailcow", "no", 0, "pass"),
        ("ipv6nat-mailcow", "no", 1, "fail"),
        ("ipv6nat-mailcow", "always", 0, "fail"),
        ("postfix-mailcow", "no", 0, "fail"),
    ],
)
def test_what_an_override_runs_once(service: str, policy: str, code: int, status: str) -> None:
    """It has ended, as it should; mailcow's own do not."""
    once = container(service, 9000.0, "exited", exit=code, policy=policy)
    others = (container(one) for one in ("postfix-mailcow", "dovecot-mailcow") if one != service)
    found = judge_containers(MailMachine((once, *others)).facts().get(stack))
    assert found.status == status, found.summary
    if status == "pass":
        assert found.summary.startswith("all 2 containers")


@pytest.mark.parametrize(("times", "status"), [(1, "pass"), (3, "warn")])
def test_the_watchdog_restarts(times: int, status: str) -> None:
    """Docker does not count its restarts, and the container runs in between."""
    lines = "Sun Nov 29 21:00:00 CET 2026 - Unbound hit error limit\n" + (
        "Sun Nov 29 21:00:10 CET 2026 - Sending restart command to id-postfix-mailcow...\n" * times
    )
    boxes = (container("postfix-mailcow", 400.0), container("dovecot-mailcow"))
    watchdog = container("watchdog-mailcow", lines=f"{lines}Sun Nov 29 21:01:00 CET 2026 - All is well\n")
    found = judge_containers(MailMachine((*boxes, watchdog)).facts().get(stack))
    assert found.status == status, found.summary
    if status == "warn":
        assert found.summary == "mailcow's watchdog has restarted postfix-mailcow 3 times within an hour"


def test_the_cause_of_earlier_restarts() -> None:
    """One that was restarted lately and runs at the moment says why, too."""
    lines = "/clamd.sh: line 99:    25 Killed                  nice -n10 clamd\nRunning freshclam...\n"
    clamd = container("clamd-mailcow", 45.0, restarts=4, lines=lines)
    others = (container("postfix-mailcow"), container("dovecot-mailcow"))
    found = judge_containers(MailMachine((clamd, *others)).facts().get(stack))
    assert (found.status, "want of memory" in found.summary) == ("warn", True), found.summary
