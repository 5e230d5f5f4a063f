"""Mail servers that refuse this machine's address in their greeting: what helps, by their words."""

import pytest

from mailcow_wizard.checks.network_mail import judge_mail
from tests.checks.test_network_out import servers, way


@pytest.mark.parametrize(
    ("greeting", "helps"),
    [
        ("554-gmx.net (mxgmx116) 554-Bad DNS PTR resource record.", "dns.ptr"),
        ("554 IP=192.0.2.1 - A problem occurred. (contact tosa@rx.t-online.de)", "tosa@rx.t-online.de"),
        ("554 go away", "Blocklists"),
    ],
)
def test_the_words_of_a_refusal_say_what_helps(greeting: str, helps: str) -> None:
    (judged,) = judge_mail((way(servers=servers("open", greeting=greeting)),))
    assert judged.status == "warn"
    assert helps in judged.remedies[0]
