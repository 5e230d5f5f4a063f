"""What is copied from a finding: a command that can be typed, and never a sentence with one in it."""

import pytest

from mailcow_wizard.checks.system import CHECKS
from mailcow_wizard.engine.runner import Run, join
from mailcow_wizard.engine.selection import select
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.recording.recorded import DEMO, load
from mailcow_wizard.model import Evidence, Judgement, Settings
from mailcow_wizard.tui.to_type import commands


@pytest.mark.parametrize(
    ("remedies", "evidence", "found"),
    [
        (
            ("Remove images that nothing uses: `docker image prune`.",),
            "df -B1 /var",
            ["docker image prune", "df -B1 /var"],
        ),
        (("Restart Docker: systemctl restart docker",), "", ["systemctl restart docker"]),
        (("Look for many files: du --inodes -xd2 / | sort -n.",), "", ["du --inodes -xd2 / | sort -n"]),
        (("apt-get install -y jq",), "", ["apt-get install -y jq"]),
        (("Give the machine more memory: 6 GiB.", "In /etc/fstab `/swapfile none swap sw 0 0`."), "", []),
        (("Set it: sysctl -w a=1, and the line a = 1 in a file.",), "", []),
        ((), "RCPT TO:<a@b.example> at 192.0.2.1:25, without logging in", []),
        ((), "test message through port 25", []),
    ],
)
def test_commands(remedies: tuple[str, ...], evidence: str, found: list[str]) -> None:
    seen = (Evidence(evidence, "x"),) if evidence else ()
    judgement = Judgement("fail", "words", "", seen, remedies)
    assert commands(join(CHECKS[0], judgement)) == found


def test_on_the_demo_machine() -> None:
    demo = load(DEMO)
    facts = Facts(demo, Settings(directory=demo.directory))
    findings = Run(tuple(select(())), facts, lambda event: None).run()
    found = [one for finding in findings for one in commands(finding)]
    assert len(found) > 100
    assert not [one for one in found if "`" in one or "\n" in one]
