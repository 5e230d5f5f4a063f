"""What is wrong in a mailcow.conf: each rule once at least, and every fix tried."""

import re
import shlex
from pathlib import Path

import pytest

from mailcow_wizard.conf import rules_certificates, rules_lines, rules_together, rules_values
from mailcow_wizard.conf.document import Document
from mailcow_wizard.conf.rule import LintFinding, Surroundings
from mailcow_wizard.conf.rules import lint, mended

NEW = (Path(__file__).parent.parent / "conf" / "new.conf").read_bytes()
SHARED = Path(__file__).resolve().parents[3] / "shared" / "mailcow-conf"
MACHINE = Surroundings(
    addresses=frozenset({"127.0.0.1", "192.0.2.1"}),
    addresses_v6=frozenset({"2001:db8::1"}),
    is_zone=lambda name: name in ("Europe/Berlin", "Etc/UTC"),
    timezone="Europe/Berlin",
    domains=("example.org",),
    exported=frozenset(),
    compose=("native",),
    projects=(),
    env="right",
)
SECRET = "Geheim1234567890abcdefghijkl"


# The rule, what is written in the places of the keys, and KEY=value of the fix, if there is one.
ROWS: tuple[tuple[str, str, str], ...] = (
    ("space-around-equals", "IMAP_PORT= 1143", "IMAP_PORT=1143"),
    ("space-around-equals", "IMAP_PORT =1143", "IMAP_PORT=1143"),
    ("colon-for-equals", "IMAP_PORT: 1143", "IMAP_PORT=1143"),
    ("no-value", "LOG_LINES", ""),
    ("key-of-the-shell", "UID=5", ""),
    ("key-of-the-shell", "PATH=/x", ""),
    ("comment-in-value", "HTTP_BIND= # all", "HTTP_BIND="),
    ("comment-in-value", "LOG_LINES=5\t# few", "LOG_LINES=5"),
    ("command-in-value", "LOG_LINES=`nproc`", ""),
    ("command-in-value", "LOG_LINES=$(nproc)", ""),
    ("dollar-in-value", "OWN=a$b", ""),
    ("dollar-in-value", "OWN=a$$b", ""),
    ("quotes-in-value", 'OWN=a"b"c', ""),
    ("quotes-in-value", "OWN='a'b", ""),
    ("quotes-in-value", "OWN=a\\b", ""),
    ("shell-character", "OWN=u?a=1&b=2", "OWN=u?a=1&b=2"),
    ("shell-character", "OWN=a;b", "OWN=a;b"),
    ("shell-character", "OWN=(a b)", "OWN=(a b)"),
    ("tilde-in-value", "OWN=~/x", ""),
    ("space-in-value", "OWN=a b", "OWN=a b"),
    (
        "space-in-value",
        "ADDITIONAL_SAN=a.example.org, b.example.org",
        "ADDITIONAL_SAN=a.example.org,b.example.org",
    ),
    ("refused-by-compose", "OWN='a", ""),
    ("refused-by-bash", "OWN=a(b)", ""),
    ("program-in-file", "if true; then", ""),
    ("set-twice", "OWN=1\nOWN=2", "OWN=2"),
    ("hostname-missing", "MAILCOW_HOSTNAME=", ""),
    ("hostname-final-dot", "MAILCOW_HOSTNAME=mail.example.org.", "MAILCOW_HOSTNAME=mail.example.org"),
    ("hostname-capitals", "MAILCOW_HOSTNAME=Mail.Example.org", "MAILCOW_HOSTNAME=mail.example.org"),
    ("hostname-malformed", "MAILCOW_HOSTNAME=mail_1.example.org", ""),
    ("hostname-malformed", "MAILCOW_HOSTNAME=192.0.2.1", ""),
    ("hostname-not-full", "MAILCOW_HOSTNAME=mail", ""),
    ("hostname-one-dot", "MAILCOW_HOSTNAME=example.net", ""),
    ("hostname-is-domain", "MAILCOW_HOSTNAME=example.org", ""),
    ("timezone-empty", "TZ=", "TZ=Europe/Berlin"),
    ("timezone-unknown", "TZ=Europe/Nowhere", ""),
    ("port-malformed", "SMTP_PORT=mail", ""),
    ("port-malformed", "SMTP_PORT=65536", ""),
    ("port-malformed", "HTTP_PORT=0", ""),
    ("ipv6-address-in-port", "SMTP_PORT=[2001:db8::1]:25", ""),
    ("address-in-http-port", "HTTP_PORT=192.0.2.1:80", "HTTP_PORT=80 HTTP_BIND=192.0.2.1"),
    ("reserved-http-port", "HTTP_PORT=8081", ""),
    ("bind-malformed", "HTTP_BIND=localhost", ""),
    ("ipv6-address-in-bind", "HTTP_BIND=2001:db8::1", ""),
    ("switch-value", "SKIP_CLAMD=Yes", "SKIP_CLAMD=y"),
    ("switch-value", "SKIP_CLAMD=perhaps", ""),
    ("switch-empty", "SKIP_CLAMD=", ""),
    ("ipv6-value", "ENABLE_IPV6=True", "ENABLE_IPV6=true"),
    ("ipv6-value", "ENABLE_IPV6=n", "ENABLE_IPV6=false"),
    ("ipv6-empty", "ENABLE_IPV6=", "ENABLE_IPV6=true"),
    ("compose-version-empty", "DOCKER_COMPOSE_VERSION=", "DOCKER_COMPOSE_VERSION=native"),
    ("compose-version-value", "DOCKER_COMPOSE_VERSION=v2", "DOCKER_COMPOSE_VERSION=native"),
    ("compose-version-differs", "DOCKER_COMPOSE_VERSION=standalone", "DOCKER_COMPOSE_VERSION=native"),
    ("acl-anyone-value", "ACL_ANYONE=y", ""),
    ("cluster-mode-value", "CLUSTERMODE=y", ""),
    ("number-malformed", "LOG_LINES=many", ""),
    ("subnet-malformed", "IPV4_NETWORK=172.22", ""),
    ("subnet-malformed", "IPV4_NETWORK=172.22.1.0/24", "IPV4_NETWORK=172.22.1"),
    ("subnet-not-private", "IPV4_NETWORK=172.33.1", ""),
    ("subnet6-malformed", "IPV6_NETWORK=fd00::1/64", ""),
    ("subnet6-malformed", "IPV6_NETWORK=fd00::", ""),
    ("subnet6-not-private", "IPV6_NETWORK=2001:db8::/64", ""),
    (
        "space-in-list",
        "ADDITIONAL_SAN='a.example.org b.example.org'",
        "ADDITIONAL_SAN=a.example.org,b.example.org",
    ),
    ("empty-list-entry", "ADDITIONAL_SAN=a.example.org,", "ADDITIONAL_SAN=a.example.org"),
    ("name-malformed", "ADDITIONAL_SERVER_NAMES=a_b.example.org", ""),
    ("address-malformed", "API_ALLOW_FROM=192.0.2.300", ""),
    ("email-malformed", "ACME_ACCOUNT_EMAIL=postmaster", ""),
    ("email-malformed", "WATCHDOG_NOTIFY_EMAIL=a@example.org,b", ""),
    ("password-missing", "DBPASS=", ""),
    ("password-characters", f"DBPASS='{SECRET}!'", ""),
    ("database-name-missing", "DBNAME=", ""),
    ("database-name-characters", "DBUSER=mail-cow", ""),
    ("sogo-key-public", "SOGO_URL_ENCRYPTION_KEY=SOGoSuperSecret0", ""),
    ("sogo-key-malformed", f"SOGO_URL_ENCRYPTION_KEY={SECRET}", ""),
    ("api-key-characters", f"API_KEY={SECRET}_\nAPI_ALLOW_FROM=192.0.2.7", ""),
    ("api-without-addresses", f"API_KEY={SECRET}", ""),
    ("master-user-characters", f"DOVECOT_MASTER_USER=a\nDOVECOT_MASTER_PASS='{SECRET}!'", ""),
    ("master-user-alone", "DOVECOT_MASTER_USER=master", ""),
    ("project-name-missing", "COMPOSE_PROJECT_NAME=", ""),
    ("project-name-characters", "COMPOSE_PROJECT_NAME=MailCow", ""),
    ("snat-malformed", "SNAT_TO_SOURCE=2001:db8::1", ""),
    ("snat-malformed", "SNAT6_TO_SOURCE=192.0.2.1", ""),
    ("snat-no-ip-check", "SNAT_TO_SOURCE=192.0.2.1", ""),
    ("address-not-here", "SNAT_TO_SOURCE=192.0.2.9", ""),
    ("address-not-here", "SNAT6_TO_SOURCE=2001:db8::9", ""),
    ("address-not-here", "SMTP_PORT=192.0.2.9:25", ""),
    ("address-not-here", "HTTP_BIND=192.0.2.9", ""),
    ("port-twice", "SMTPS_PORT=25", ""),
    ("port-twice", "HTTP_PORT=443", ""),
    ("smtp-not-on-25", "SMTP_PORT=2525", ""),
    ("smtp-on-loopback", "SMTP_PORT=127.0.0.1:25", ""),
    ("internal-port-open", "SQL_PORT=13306", ""),
    ("proxy-binds-differ", "HTTP_BIND=127.0.0.1", ""),
    ("redirect-behind-proxy", "HTTP_BIND=127.0.0.1\nHTTPS_BIND=127.0.0.1", "HTTP_REDIRECT=n"),
    (
        "redirect-behind-proxy",
        "HTTP_BIND=127.0.0.1\nHTTPS_BIND=127.0.0.1\nHTTP_REDIRECT=yes",
        "HTTP_REDIRECT=n",
    ),
    ("acme-dns-incomplete", "ACME_DNS_CHALLENGE=y", ""),
    ("acme-dns-incomplete", "ACME_DNS_CHALLENGE=Yes", ""),
    ("acme-dns-provider", "ACME_DNS_CHALLENGE=y\nACME_DNS_PROVIDER=cloudflare", ""),
    ("acme-dns-credentials", f"ACME_DNS_CHALLENGE=y\nCF_Token={SECRET}", ""),
    ("wildcard-without-dns", "ADDITIONAL_SAN=*.example.org", ""),
    ("pass-scheme-unknown", "MAILCOW_PASS_SCHEME=ARGON2ID", "MAILCOW_PASS_SCHEME=BLF-CRYPT"),
    ("ipv6-switch-gone", "DISABLE_IPv6=y", "ENABLE_IPV6=false"),
    ("ipv6-switch-gone", "SYSCTL_IPV6_DISABLED=1", "ENABLE_IPV6=false"),
    ("key-without-use", "SKIP_SOLR=y", ""),
    ("key-without-use", "DISABLE_IPv6=y\nENABLE_IPV6=false", ""),
    ("key-without-use", "FLATCURVE_EXPERIMENTAL=y", ""),
    ("key-misspelt", "WATCHDOG_SUBJET=Alert", ""),
)
# What the file as a whole shows, or the machine; the function makes the file from a right one.
OTHERS: dict[str, tuple[bytes, Surroundings]] = {
    "byte-order-mark": (b"\xef\xbb\xbf" + NEW, MACHINE),
    "carriage-return": (NEW.replace(b"\n", b"\r\n"), MACHINE),
    "no-final-newline": (NEW.rstrip(b"\n"), MACHINE),
    "not-utf-8": (NEW + b"# caf\xe9\n", MACHINE),
    "not-a-text-file": (NEW + b"\0", MACHINE),
    "exported-variable": (NEW, MACHINE._replace(exported=frozenset({"TZ", "PATH"}))),
    "project-name-changed": (NEW, MACHINE._replace(projects=("mailcow",))),
    "redis-password-missing": (
        NEW.replace(b"\nREDISPASS=", b"\n# REDISPASS="),
        MACHINE._replace(takes=lambda key: key == "REDISPASS"),
    ),
    "env-not-a-link": (NEW, MACHINE._replace(env="file")),
    "unseen-by-updater": (NEW.replace(b"\nSKIP_CLAMD=", b"\nexport SKIP_CLAMD="), MACHINE),
    "not-read-alike": (NEW + "OWN=a\u00a0\n".encode(), MACHINE),
}


def changed(rows: str) -> bytes:
    """The right file with these lines in the places of their keys."""
    lines = rows.split("\n")
    if len({line.partition("=")[0] for line in lines}) < len(lines):
        return NEW + f"{rows}\n".encode()
    data = NEW
    for line in lines:
        key = re.match(r"\w+", line)
        assert key
        pattern = rf"(?m)^#?{key[0]}=.*$"
        text, found = re.subn(pattern, lambda _, line=line: line, data.decode(), count=1)  # type: ignore[misc]
        data = (text if found else f"{data.decode()}{line}\n").encode()
    return data


def found(data: bytes, rule: str, about: Surroundings = MACHINE) -> LintFinding:
    """The first finding of a rule."""
    findings = lint(data, about)
    fitting = [one for one in findings if one.rule == rule]
    assert fitting, [(one.line, one.rule, one.message) for one in findings]
    return fitting[0]


@pytest.mark.parametrize(("rule", "rows", "right"), ROWS)
def test_a_rule_finds_what_is_wrong(rule: str, rows: str, right: str) -> None:
    data = changed(rows)
    finding = found(data, rule)
    assert SECRET not in finding.message + finding.remedy
    if finding.line is not None:
        line = data.decode().split("\n")[finding.line - 1]
        assert finding.key in line or finding.key == ""
    assert bool(finding.fix) == bool(right)
    if finding.fix:
        for one in re.split(r" (?=[A-Z_]+=)", right):
            key, _, value = one.partition("=")
            assert finding.fix.get(key) == value
        assert rule not in {one.rule for one in lint(mended(data, rule, MACHINE).data, MACHINE)}
        settings = finding.remedy if "=" in finding.remedy and "…" not in finding.remedy else ""
        for word in shlex.split(settings):  # as `conf set` gets them from a shell
            key, _, value = word.partition("=")
            assert finding.fix.get(key) == value


@pytest.mark.parametrize("switch", ["ACME_DNS_CHALLENGE=yes", "SKIP_LETS_ENCRYPT=Y"])
def test_a_switch_that_is_written_otherwise_is_on_for_the_rules_beside(switch: str) -> None:
    rules = {one.rule for one in lint(changed(f"ADDITIONAL_SAN=*.example.org\n{switch}"), MACHINE)}
    assert "switch-value" in rules
    assert "wildcard-without-dns" not in rules


@pytest.mark.parametrize("before", ["export ", "  ", "\t", " export\t"])
def test_settings_that_the_updater_does_not_see(before: str) -> None:
    """It looks for `^#\\?KEY=` (new_options.sh), and appends the default where it finds nothing."""
    data = NEW.replace(b"\nIPV4_NETWORK=", f"\n{before}IPV4_NETWORK=".encode())
    finding = found(data, "unseen-by-updater")
    assert (finding.key, finding.level) == ("IPV4_NETWORK", "warning")
    assert finding.line == data[: data.index(b"IPV4_NETWORK=")].count(b"\n") + 1
    assert finding.fix
    assert finding.fix.data == NEW
    assert mended(data.replace(b"\n", b"\r\n"), "unseen-by-updater", MACHINE).data == NEW.replace(
        b"\n", b"\r\n"
    )
    for seen in (data + b"#IPV4_NETWORK=\n", NEW.replace(b"\nTZ=", f"\n{before}TZ=".encode())):
        assert "unseen-by-updater" not in {one.rule for one in lint(seen, MACHINE)}


@pytest.mark.parametrize("row", ["CLUSTERMODE=replication", "CLUSTERMODE=", "MASTER=n", "LE_STAGING=y"])
def test_keys_that_mailcow_reads_and_does_not_show(row: str) -> None:
    assert lint(changed(row), MACHINE) == lint(NEW, MACHINE)


@pytest.mark.parametrize("rule", OTHERS)
def test_what_the_file_as_a_whole_or_the_machine_shows(rule: str) -> None:
    data, about = OTHERS[rule]
    finding = found(data, rule, about)
    assert rule not in {one.rule for one in lint(NEW, MACHINE)}
    if finding.fix:
        assert rule not in {one.rule for one in lint(mended(data, rule, about).data, about)}


def test_marks_are_removed_and_nothing_else() -> None:
    assert mended(NEW.replace(b"\n", b"\r\n"), "carriage-return").data == NEW
    assert mended(b"\xef\xbb\xbf" + NEW, "byte-order-mark").data == NEW
    assert mended(NEW.rstrip(b"\n"), "no-final-newline").data == NEW
    assert [one.rule for one in lint(NEW.replace(b"\n", b"\r\n"))] == ["carriage-return"]


def test_every_rule_has_a_row() -> None:
    names: set[str] = set()
    for module in (rules_lines, rules_values, rules_certificates, rules_together):
        source = Path(str(module.__file__)).read_text()
        names |= set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', source)) - {"web-port"}
    rows = {rule for rule, _, _ in ROWS} | set(OTHERS)
    assert names <= rows
    assert rows - names <= {"not-a-text-file"}


def test_a_comment_in_a_value_gets_a_line_of_its_own() -> None:
    fixed = mended(changed("HTTP_BIND= # all of them"), "comment-in-value").data.decode()
    assert "\n# all of them\nHTTP_BIND=\n" in fixed


def test_a_right_file_and_unknown_keys_are_let_alone() -> None:
    assert lint(NEW, MACHINE) == ()
    assert lint(NEW) == ()
    assert lint(NEW + b"OWN_KEY=anything\n", MACHINE) == ()


@pytest.mark.parametrize("value", ["native", "standalone"])
def test_either_compose_may_be_chosen_where_both_are_installed(value: str) -> None:
    both = MACHINE._replace(compose=("native", "standalone"))
    assert "compose-version-differs" not in {
        one.rule for one in lint(changed(f"DOCKER_COMPOSE_VERSION={value}"), both)
    }


def test_what_is_not_known_of_the_machine_is_not_judged() -> None:
    data = changed("HTTP_BIND=192.0.2.9\nTZ=Europe/Nowhere\nDOCKER_COMPOSE_VERSION=standalone")
    assert {one.rule for one in lint(data)} == set()


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("API_KEY=[removed]", "api-without-addresses"),
        ("DOVECOT_MASTER_PASS=[removed]", "master-user-alone"),
        ("DBPASSS=[removed]", "key-misspelt"),
    ],
)
def test_a_secret_that_a_recording_does_not_tell_is_there(row: str, rule: str) -> None:
    assert [one.rule for one in lint(f"{row}\n".encode()) if one.key == row.partition("=")[0]] == [rule]


@pytest.mark.parametrize(
    "key",
    [
        "MAILCOW_HOSTNAME",
        "TZ",
        "DOCKER_COMPOSE_VERSION",
        "DBPASS",
        "REDISPASS",
        "DBNAME",
        "COMPOSE_PROJECT_NAME",
    ],
)
def test_what_is_set_to_something_that_cannot_be_told_is_not_called_missing(key: str) -> None:
    told = [one.rule for one in lint(changed(f"{key}=$OTHER"), MACHINE) if one.key == key]
    assert told == ["dollar-in-value"]


def test_an_unended_quote_hides_no_other_line() -> None:
    rules = [one.rule for one in lint(changed("LOG_LINES='many\nSKIP_CLAMD=Yes"), MACHINE)]
    assert "refused-by-compose" in rules
    assert "switch-value" in rules


@pytest.mark.skipif(not SHARED.is_dir(), reason="mailcow's files of earlier years are not here")
@pytest.mark.parametrize("name", [path.name for path in sorted(SHARED.glob("*.conf"))])
def test_mailcows_own_files_have_no_mistakes(name: str) -> None:
    findings = lint((SHARED / name).read_bytes(), MACHINE._replace(domains=()))
    assert [one for one in findings if one.level == "error"] == []
    if name > "2026":
        assert findings == ()


def test_fixes_keep_every_other_line() -> None:
    data = changed("IMAP_PORT= 1143\nSKIP_CLAMD=Yes\nOWN=a b")
    finding = found(data, "switch-value")
    assert finding.fix
    before, after = data.split(b"\n"), finding.fix.data.split(b"\n")
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        (b"SKIP_CLAMD=Yes", b"SKIP_CLAMD=y")
    ]
    assert Document.read(data).data == data


@pytest.mark.parametrize("key", ["a)", "(b", "[c", "d*", "*", "e\\"])
def test_what_looks_like_a_key_is_no_pattern(key: str) -> None:
    assert rules_lines._is_name(key, f"{key} = 1")
    assert not rules_lines._is_name(key, "something = 1")
    assert lint(f"{key}=1\nexport {key} = 2\n".encode(), MACHINE)


@pytest.mark.parametrize("written", ["2001:db8::1", "2001:0DB8:0::0:1", "n", ""])
def test_an_ipv6_address_of_this_machine_is_one_however_it_is_written(written: str) -> None:
    text = changed(f"SNAT6_TO_SOURCE={written}")
    assert "address-not-here" not in {one.rule for one in lint(text, MACHINE)}
    unknown = MACHINE._replace(addresses_v6=None)
    assert "address-not-here" not in {
        one.rule for one in lint(changed("SNAT6_TO_SOURCE=2001:db8::9"), unknown)
    }
