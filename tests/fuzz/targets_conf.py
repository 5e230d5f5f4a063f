"""Fuzz targets of mailcow.conf and of the compose file beside it, its readers, rules and changes; and of what
other servers are set to."""

from __future__ import annotations

import contextlib
import re

from mailcow_wizard.conf import compose_override, document, dotenv, reading, rules, shell, unwritable
from mailcow_wizard.facts import returning, service_ports
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install import override
from mailcow_wizard.model import Settings
from tests.fuzz.target import Target, text
from tests.fuzz.targets_facts import Repeating

CONF = "\n".join(
    (
        "# mailcow", "MAILCOW_HOSTNAME=mail.example.org", 'DBNAME="mail cow"', "export A='b' # c",
        "SKIP_CLAMD=${X:-n}", "TZ=Europe/Berlin", "HTTP_BIND=", "IPV4_NETWORK=172.22.1",
        "ADDITIONAL_SAN=a.*,b",
        "DBPASS=$'a\\x41'", "B=`ls`", "C=$(date)", "D=$((1+2))", "LOG_LINES=9999", "E=a\\", "b",
        "F=~/x", "G: h",
    )
).encode()  # fmt: skip
_OVERRIDE = (
    b'services:\n  unbound-mailcow:\n    environment:\n      - SKIP_UNBOUND_HEALTHCHECK=y\n'
    b'networks:\n  mailcow-network:\n    driver_opts:\n      com.docker.network.driver.mtu: "1400"\n'
)  # fmt: skip
_PATH = ("networks", "mailcow-network", "driver_opts", "com.docker.network.driver.mtu")


def _conf(data: bytes) -> None:
    """Both readers, alone: with and without an environment."""
    words = reading.text_of(data)
    for environment in (None, {"X": "y"}):
        shell.read(words, environment)
        dotenv.read(words, environment)
    found = reading.readings(words)
    found.values(), found.parted(), found.odd_lines()


def _lint(data: bytes) -> None:
    """All rules; what they would change is still a document, and what they mend no longer that finding."""
    for one in rules.lint(data):
        harmless(one.message)
        if one.fix is not None:
            rules.lint(one.fix.data)


def _changed(data: bytes) -> None:
    """One value set: both readers see it, or the change is refused."""
    value, _, rest = data.partition(b"\n")
    made = document.Document.read(rest)
    for key in ("MAILCOW_HOSTNAME", "LOG_LINES", "NEW_KEY"):
        with contextlib.suppress(unwritable.Unwritable):
            after = made.set(key, text(value))
            bash, compose = after.readings.last(key)
            assert bash is not None
            assert compose is not None
            assert bash.value == compose.value == text(value), (bash, compose, value)
            after.unset(key)


def _compose(data: bytes) -> None:
    for act in (
        lambda: compose_override.option(text(data), _PATH),
        lambda: compose_override.with_option(text(data), _PATH, "1400"),
        lambda: override.limited(text(data), ("unbound-mailcow",), 1024),
    ):
        with contextlib.suppress(compose_override.Strange):
            act()


def _services(data: bytes) -> None:
    """Ports of other servers, and the files that theirs include."""
    words = text(data)
    for layout in service_ports._LAYOUTS.values():
        layout.ports(words), re.findall(layout.includes, words)
    facts = Facts(Repeating(data), Settings())
    returning.returning(facts, {25, 80}), service_ports.configured(facts, "dovecot", (143,))
    with contextlib.suppress(HostError):
        service_ports._matching(facts, "/x/*.conf")


_LINT = b"DBPASS=\nDBPASS=x\nTZ=Europe/Berlin # home\nHTTP_BIND= # all\n export LOG_LINES=9"
_CONFS = (
    CONF, b'A="\\a\\101\\x41"', CONF.replace(b"\n", b"\r\n"), b"A='\nB=\"", b"\xff\xfeA=1",
)  # fmt: skip
_SET = (b"mail.example.org\n" + CONF, b"a b\nLOG_LINES='1\n", b"9\n#LOG_LINES=1")
_SERVICES = (
    b"http {\n  server {\n    listen [::]:443 ssl;\n  }\n  include x;\n}\n", b"smtp inet n\n",
    b"<IfModule ssl_module>\nListen 443\n</IfModule>\nInclude x\nLoadModule ssl_module y\n",
    b"protocols = imap\ninet_listener imap {\n  port = 0\n}\n!include x\n", b"\tbind *:80,:::443\n",
    b'server.port = 80\n$SERVER["socket"] == ":443" {\n}\ninclude "x"\n',
)  # fmt: skip


def targets() -> tuple[Target, ...]:
    """Of settings."""
    return (
        Target("words conf", _conf, _CONFS),
        Target("words lint", _lint, (CONF, _LINT, b"\xef\xbb\xbfA=b")),
        Target("words conf-set", _changed, _SET),
        Target("words override", _compose, (_OVERRIDE, _OVERRIDE.replace(b"\n", b"\r\n"), b"networks: {}\n")),
        Target("words services", _services, _SERVICES),
    )
