"""What is wrong inside of mailcow.conf, looked for once a run with all that this machine knows."""

from __future__ import annotations

from mailcow_wizard.facts.config import NAME, conf_file, place
from mailcow_wizard.facts.config_values import nothing_to_read
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.conf.rule import LintFinding

# How a line is written (conf/rules_lines.py).
SYNTAX = frozenset(
    {
        "not-a-text-file",
        "byte-order-mark",
        "carriage-return",
        "no-final-newline",
        "not-utf-8",
        "refused-by-compose",
        "refused-by-bash",
        "program-in-file",
        "no-value",
        "comment-in-value",
        "colon-for-equals",
        "space-around-equals",
        "command-in-value",
        "dollar-in-value",
        "quotes-in-value",
        "shell-character",
        "tilde-in-value",
        "space-in-value",
        "not-read-alike",
        "key-of-the-shell",
        "set-twice",
        "unseen-by-updater",
    }
)
# What goes together (conf/rules_together.py).
TOGETHER = frozenset(
    {
        "port-twice",
        "proxy-binds-differ",
        "redirect-behind-proxy",
        "acme-dns-incomplete",
        "acme-dns-provider",
        "acme-dns-credentials",
        "wildcard-without-dns",
        "snat-no-ip-check",
        "master-user-alone",
        "api-without-addresses",
        "project-name-changed",
        "redis-password-missing",
    }
)
# These have checks of their own.
OWN_CHECKS = {
    "hostname-": "hostname",
    "timezone-": "timezone",
    "compose-version-": "compose-version",
    "exported-variable": "env-leak",
    "env-not-a-link": "env-link",
}


class Lint(NamedTuple):
    """What the rules say of mailcow.conf. `skip` says why there is nothing to judge; `settings` is how many
    keys are set."""

    skip: str
    path: str
    data: bytes
    settings: int
    findings: tuple[LintFinding, ...]

    def part(self, check: str) -> tuple[LintFinding, ...]:
        """What belongs to one check: syntax, values, consistency, or one that judges a key of its own."""
        return tuple(one for one in self.findings if check_of(one.rule) == check)


def check_of(rule: str) -> str:
    """The check, without `config.`, that a rule's findings belong to."""
    if rule in SYNTAX:
        return "syntax"
    if rule in TOGETHER:
        return "consistency"
    return next((check for start, check in OWN_CHECKS.items() if rule.startswith(start)), "values")


def lint(facts: Facts) -> Lint:
    """Runs all rules over mailcow.conf."""
    skip = nothing_to_read(facts)
    path = f"{facts.get(place).directory}/{NAME}"
    if skip:
        return Lint(skip, path, b"", 0, ())
    from mailcow_wizard.conf import rules
    from mailcow_wizard.conf.document import Document
    from mailcow_wizard.facts.surroundings import surroundings

    data = facts.get(conf_file).data
    keys = len(Document.read(data).keys()) if b"\0" not in data else 0
    return Lint("", path, data, keys, rules.lint(data, surroundings(facts)))
