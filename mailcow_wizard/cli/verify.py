"""The command `verify`: proves that the installed server works; fit for monitoring."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.check import looked
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _

_TOPIC = "mail"


def verify(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code. Raises UsageError."""
    if bool(options.far_mailbox) != bool(options.far_password) or (
        options.far_imap and not options.far_mailbox
    ):
        raise UsageError(_("--far-mailbox and --far-password-file go together, and --far-imap with both"))
    if options.api_key and (options.first_mailbox or options.password_file):
        raise UsageError(
            _("--api-key excludes --first-mailbox and --password-file: it is a change of its own")
        )
    if options.first_mailbox:
        from mailcow_wizard.cli.first_mailbox import first_mailbox

        return first_mailbox(options, write)
    if options.api_key:
        from mailcow_wizard.cli.api_key import api_key

        return api_key(options, write)
    code, findings = looked(options._replace(words=(_TOPIC,)), write)
    if findings and all(one.status == "skipped" for one in findings):
        streams.say(_("nothing was verified: {why}", why=harmless(findings[0].summary)))
    return code
