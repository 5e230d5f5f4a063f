"""What is published, and where mailcow listens: addresses where nobody answers, and ports of services."""

import pytest

from mailcow_wizard.checks import dns_services, dns_spf
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.compose_files import OVERRIDES
from mailcow_wizard.facts.dns.expected import of_domain
from mailcow_wizard.facts.dns.mail_server import mail_server
from mailcow_wizard.facts.dns.signing import SigningKey
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Judgement, Settings
from tests.checks.test_dns_beyond import AAAA, DOMAIN, NAME, OURS, OURS_V6, RESOLVER, ZONE, Rows, Zones

_DIRECTORY = "/opt/mailcow-dockerized"
BOTH = f"HTTP_BIND={OURS}\nSMTP_PORT={OURS}:25\n"


def asked(
    lines: str,
    override: str = "",
    records: Rows | None = None,
    v6: bool = True,
    name: str = "docker-compose.override.yml",
) -> Facts:
    world = Zones({**ZONE, **(records or {})}, {})
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6={'true' if v6 else 'false'}\n{lines}"
    world.files |= {
        "/etc/resolv.conf": f"nameserver {RESOLVER}\n",
        f"{_DIRECTORY}/mailcow.conf": conf,
    }
    if override:
        world.files[f"{_DIRECTORY}/{name}"] = override
    addresses = (OURS, OURS_V6) if v6 else (OURS,)
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=addresses, directory=_DIRECTORY)
    return Facts(world, settings)


def found(lines: str, override: str = "", records: Rows | None = None, v6: bool = True) -> Judgement:
    return {one.subject: one for one in runner.look(AAAA, asked(lines, override, records, v6))}[NAME]


@pytest.mark.parametrize(
    ("lines", "status", "places"),
    [
        ("", "pass", ""),
        (BOTH, "fail", f"({OURS}:25, {OURS}:80)"),
        ("HTTP_BIND=0.0.0.0\n", "fail", "(0.0.0.0:80)"),
        # Mail goes on over IPv4, and nobody is asked for a certificate through this port.
        (f"SMTP_PORT={OURS}:25\n", "warn", f"({OURS}:25)"),
        (f"{BOTH}SKIP_LETS_ENCRYPT=y\n", "warn", f"({OURS}:25, {OURS}:80)"),
        # A proxy has the usual ports there.
        ("HTTP_BIND=127.0.0.1\nHTTPS_BIND=127.0.0.1\n", "pass", ""),
        (f"IMAP_PORT={OURS}:143\n", "pass", ""),
    ],
)
def test_ports_that_are_bound_to_ipv4(lines: str, status: str, places: str) -> None:
    one = found(lines)
    assert (one.status, places in one.summary) == (status, True), one.summary
    assert ("IPv4 alone" in one.summary) == bool(places)


@pytest.mark.parametrize(
    ("override", "status"),
    [
        (f"services:\n  nginx-mailcow:\n    ports:\n      - '[{OURS_V6}]:80:80'\n", "pass"),
        (f"services:\n  nginx-mailcow:\n    ports:\n      - host_ip: '{OURS_V6}'\n", "pass"),
        ("services:\n  nginx-mailcow:\n    ports:\n      - '[::]:80:80'\n", "pass"),
        ("services:\n  nginx-mailcow:\n    environment: [A]\n", "fail"),
    ],
)
def test_the_override_may_bind_ipv6_too(override: str, status: str) -> None:
    assert found(BOTH, override).status == status


@pytest.mark.parametrize("name", OVERRIDES)
def test_the_override_is_the_one_that_compose_takes(name: str) -> None:
    facts = asked(BOTH, "services: {nginx-mailcow: {ports: ['[::]:80:80']}}", name=name)
    assert [one.status for one in runner.look(AAAA, facts)] == ["pass"]


def test_without_an_address_in_dns_ipv4_is_enough() -> None:
    one = found(BOTH, records={(NAME, "AAAA"): ()}, v6=False)
    assert one.status == "pass", one.summary


PROXIED = "HTTP_BIND=127.0.0.1\nHTTPS_BIND=127.0.0.1\nHTTP_PORT=8080\nHTTPS_PORT=8443\nHTTP_REDIRECT=n\n"


@pytest.mark.parametrize(
    ("lines", "port"),
    [("", 443), ("HTTPS_PORT=8443\n", 8443), (PROXIED, 443), ("HTTPS_BIND=127.0.0.1\n", 443)],
)
def test_programs_are_sent_to_the_port_of_a_proxy_not_to_the_one_behind_it(lines: str, port: int) -> None:
    service = f"_caldavs._tcp.{DOMAIN}"
    facts = asked(lines, records={(service, "SRV"): f"0 1 {port} {NAME}."})
    (judged,) = runner.look(dns_services.CHECKS[0], facts)
    assert judged.status == "pass", judged.summary
    records = of_domain(facts.get(mail_server), DOMAIN, SigningKey())
    assert [one.value for one in records if one.name == service] == [f"0 1 {port} {NAME}.", "path=/SOGo/dav/"]


@pytest.mark.parametrize(
    ("conf", "words", "remedy"),
    [
        ("", "and of this server's none was named with --address", f"--address {OURS_V6}"),
        ("ENABLE_IPV6=false\n", "but this server does not use IPv6", "Remove the AAAA record"),
    ],
)
def test_an_address_that_was_not_named_is_not_one_that_is_not_used(
    conf: str, words: str, remedy: str
) -> None:
    facts = asked(conf, v6=False)
    if not conf:
        facts.host.files.pop(f"{_DIRECTORY}/mailcow.conf")  # type: ignore[attr-defined]
    (judged,) = runner.look(AAAA, facts)
    assert (judged.status, words in judged.summary) == ("fail", True), judged.summary
    assert remedy in judged.remedies[0]


@pytest.mark.parametrize(("v6", "status"), [("true", "unknown"), ("false", "pass")])
def test_spf_is_not_right_for_an_address_that_was_not_named(v6: str, status: str) -> None:
    """Mail leaves with IPv6 all the same, and by this record it is refused."""
    facts = asked("", v6=False, records={(DOMAIN, "TXT"): f"v=spf1 ip4:{OURS} -all"})
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6={v6}\n"
    facts.host.files[f"{_DIRECTORY}/mailcow.conf"] = conf  # type: ignore[attr-defined]
    (judged,) = runner.look(dns_spf.CHECKS[0], facts)
    assert judged.status == status, judged.summary
    if v6 == "true":
        assert "none of IPv6 was named with --address" in judged.summary
        assert judged.remedies == (f"Name it, too: `--address {OURS_V6}`.",)
