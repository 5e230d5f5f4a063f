"""A server that answers, and is not who it should be: somebody else, or by another name."""

from typing import Any

from mailcow_wizard.checks.mail_ports import judge_ports
from mailcow_wizard.facts.mail.talks import spoke
from mailcow_wizard.model import Judgement
from tests.checks.mail_machine import NAME, OWN, MailMachine
from tests.checks.test_mail_services import BOXES, GOOD


def smtp(reverse: tuple[str, ...] = (), **talks: Any) -> Judgement:
    """Port 25, all well but for this."""
    found = MailMachine(BOXES, GOOD).facts().get(spoke)
    found = found._replace(talks=found.talks._replace(**talks), reverse=((OWN, reverse),))
    return next(one for one in judge_ports(found) if one.subject == "25")


def test_another_server_that_answers_as_well() -> None:
    found = smtp(strangers=(("ports.smtp", "exim4 (process 812)"),))
    assert (found.status, found.summary) == (
        "fail",
        "exim4 (process 812) listens on port 25 in mailcow's place",
    )
    assert "check ports.smtp" in found.remedies[0]


def test_the_reverse_name_is_the_one_of_the_greeting() -> None:
    assert smtp(reverse=(f"{NAME}.",)).status == "pass"
    assert smtp(reverse=("other.example.net.", f"{NAME.upper()}.")).status == "pass"
    assert smtp().status == "pass", "that nothing is known of it is no difference"
    found = smtp(reverse=("srv42.provider.example.",))
    assert (found.status, "is srv42.provider.example" in found.summary) == ("warn", True), found.summary
