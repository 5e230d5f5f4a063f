"""What is wrong in a mailcow.conf: every finding with its line, its rule, and the change that mends it.

The rules are in files of their own: how lines are written (`rules_lines`), what a value may be
(`rules_values`), certificates (`rules_certificates`), what goes together and what the machine says to it
(`rules_together`). Each is a function that looks at a `File` and yields findings. Values of secret keys are
never part of a message.
"""

from mailcow_wizard.conf import rules_certificates, rules_lines, rules_together, rules_values
from mailcow_wizard.conf.document import Document
from mailcow_wizard.conf.rule import NOTHING_KNOWN, File, LintFinding, Surroundings
from mailcow_wizard.language import _
from mailcow_wizard.redaction import REMOVED, is_secret

_MOST_ROUNDS = 500
_OF_NO_VALUE = (
    *(rules_lines.UNSEEN, "api-without-addresses", "master-user-alone", "exported-variable"),
    *("key-misspelt", "key-without-use", "acme-dns-credentials"),
)
"""Rules that are broken by a key that is there, whichever value it has."""


def lint(data: bytes, about: Surroundings = NOTHING_KNOWN, rule: str = "") -> tuple[LintFinding, ...]:
    """All findings, in the order of the lines; what is no line's matter comes last.

    With a `rule`, only its first finding that can be mended is sure to have its fix.
    """
    if b"\0" in data:
        words = _("this is not a text file")
        return (LintFinding(None, "", "not-a-text-file", "error", words),)
    file = File(Document.read(data), about, rule)
    found = list(rules_lines.whole_file(file))
    found += rules_lines.lines(file)
    for look in (*rules_values.RULES, *rules_certificates.RULES, *rules_together.RULES):
        found += look(file)
    found = [one for one in found if one.rule in _OF_NO_VALUE or not _is_removed(one.key, file)]
    return tuple(sorted(found, key=lambda one: (one.line is None, one.line or 0)))


def _is_removed(key: str, file: File) -> bool:
    """Whether it is a secret that a recorded machine does not tell: nothing can be said of its value."""
    return is_secret(key) and file.values.get(key) == REMOVED


def mended(data: bytes, rule: str, about: Surroundings = NOTHING_KNOWN) -> Document:
    """The file with everything mended that a rule finds and that has one safe answer."""
    document = Document.read(data)
    for _unused in range(_MOST_ROUNDS):
        fix = next(
            (one.fix for one in lint(document.data, about, rule) if one.rule == rule and one.fix), None
        )
        if fix is None or fix.data == document.data:
            break
        document = fix
    return document
