"""The checks as a whole: their ids are the contract's, their words fit the screen."""

import pytest

from mailcow_wizard import checks
from mailcow_wizard.model import STEP_OF_TOPIC, STEPS, Check

CONTRACT = {
    "system": "cpu-clock cpu-arch cpu-features memory swap disk inodes os virtualization appliance "
    "control-panel tools privileges",
    "kernel": "version modules cgroups lsm overcommit inotify ipv6 mounts",
    "ports": "smtp smtps submission imap imaps pop3 pop3s sieve http https doveadm mysql redis",
    "network": "addresses outbound-25 outbound-hosts recursion icmp ipv6 accept-ra mtu subnet hairpin",
    "firewall": "local backend masquerade inbound",
    "dns": "a aaaa ptr mx autodiscover autoconfig spf dkim dmarc srv caa dnssec wildcard local-view mta-sts "
    "tlsa",
    "reputation": "blocklists asn",
    "time": "offset service timezone rtc",
    "docker": "engine daemon compose flavor daemon-json storage leftovers relay registry",
    "config": "present permissions syntax values hostname timezone compose-version consistency env-link "
    "env-leak checkout",
    "mail": "containers ports certificate admin-password relay round-trip",
}
WIDTH_OF_TITLES = 20
MOST_NEEDED = 130


@pytest.mark.parametrize("topic", CONTRACT)
def test_each_topic_has_the_checks_of_the_contract_in_its_order(topic: str) -> None:
    assert [one.id for one in checks.of_topic(topic)] == [
        f"{topic}.{name}" for name in CONTRACT[topic].split()
    ]


def test_the_topics_are_in_the_order_of_the_steps() -> None:
    steps = [STEP_OF_TOPIC.get(topic, topic) for topic in checks.TOPICS]
    order = [one.id for one in STEPS]
    assert steps == sorted(steps, key=order.index)


@pytest.mark.parametrize("check", checks.all_checks(), ids=lambda one: one.id)
def test_the_words_fit(check: Check) -> None:
    assert 0 < len(check.title) <= WIDTH_OF_TITLES
    assert check.doc.startswith("https://")
    assert 0 < len(check.needed) <= MOST_NEEDED
    assert check.why.endswith(".")
    topic = check.id.partition(".")[0]
    assert check.step == STEP_OF_TOPIC.get(topic, topic)
