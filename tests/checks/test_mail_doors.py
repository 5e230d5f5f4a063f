"""mail.ports and mail.admin-password where one address, or one page, says other things than another."""

import pytest

from mailcow_wizard import language
from mailcow_wizard.checks.mail_admin import judge_admin
from mailcow_wizard.facts.mail.admin import admin
from mailcow_wizard.facts.mail.relay import relay
from mailcow_wizard.host.conversation import Dialogue, Spoken
from tests.checks.mail_machine import NAME, OWN_V6, MailMachine
from tests.checks.test_mail_services import AFTER, BOXES, FORM, GREETS, HELLO, TLS, ports


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_an_open_relay_over_one_family_is_one(tongue: str) -> None:
    conf = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=true\n"
    taken = Spoken("open", GREETS, (HELLO, "220 Ready", AFTER, "250 Ok", "250 2.1.5 Ok"), TLS)
    language.use(tongue)
    try:
        found = ports({f"{OWN_V6} 587": taken}, conf=conf, v6=OWN_V6)["587"]
    finally:
        language.use("en")
    assert (found.status, found.severity) == ("fail", "breaks"), found.summary


class Doors(MailMachine):
    """The administrator's form answers with `door`, and the users' form is at the top."""

    door = Spoken("silent", text="no answer in time")

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        top = [one.lines[0] == "POST / HTTP/1.0" for one in dialogues]
        return tuple(Spoken("open", "", (FORM,), TLS) if one else self.door for one in top)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("", "unknown"),
        ("403 Forbidden", "unknown"),
        ("502 Bad Gateway", "unknown"),
        ("404 Not Found", "pass"),
    ],
)
def test_the_form_at_the_top_is_for_others(reply: str, status: str) -> None:
    """Only a mailcow that has no form for administrators alone is asked at the top."""
    machine = Doors(BOXES)
    if reply:
        machine.door = Spoken("open", "", (f"HTTP/1.1 {reply}\n\n",), TLS)
    assert judge_admin(machine.facts().get(admin)).status == status


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("451 4.3.0 <postmaster@gmail.com>: Temporary lookup failure", "unknown"),
        ("454 4.7.1 <postmaster@gmail.com>: Relay access denied", "pass"),
        ("530 5.7.0 Authentication required", "pass"),
    ],
)
def test_who_is_refused_for_now_may_be_taken_later(reply: str, status: str) -> None:
    spoken = Spoken("open", GREETS, (HELLO, "220 Ready", AFTER, "250 Ok", reply), TLS)
    found = ports({"587": spoken})["587"]
    assert (found.status, reply[:3] in found.found) == (status, True), found


@pytest.mark.parametrize(
    ("name", "domain"), [("mail.example.org", "example.org"), ("example.org", "example.org")]
)
def test_who_says_that_he_is_one_of_us_is_of_our_domain(name: str, domain: str) -> None:
    """A server may be called as its domain is: what stands above that is nobody's."""
    machine = MailMachine(BOXES, conf=f"MAILCOW_HOSTNAME={name}\nENABLE_IPV6=false\n")
    machine.facts().get(relay)
    assert f"MAIL FROM:<postmaster@{domain}>" in machine.asked_of[0].lines
