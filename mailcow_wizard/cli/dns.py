"""The command `dns`: what should be published against what is, as a table or as a zone file."""

from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.opening import no_name, open_session
from mailcow_wizard.cli.output import sentence_columns
from mailcow_wizard.cli.values import NothingDone
from mailcow_wizard.facts.dns.mail_server import NoName
from mailcow_wizard.facts.dns.overview import Overview, overview
from mailcow_wizard.facts.dns.table import unasked
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, heard
from mailcow_wizard.report import dns as report


def dns(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code. Raises UsageError where the server has no name yet."""
    if options.zone and options.json:
        raise UsageError(_("--zone and --json exclude each other"))
    if options.offline and not options.zone:
        raise UsageError(_("dns asks name servers; without them there is only dns --zone --offline"))
    if options.push:
        from mailcow_wizard.cli.dns_push import push

        return push(options, write)
    session = open_session(options)
    try:
        facts = session.new_facts()
        found = Overview(facts.get(unasked), None) if options.offline else facts.get(overview)
    except NoName as error:
        raise no_name(error) from None
    except HostError as error:
        why = _("DNS could not be asked: {why}", why=harmless(heard(error), 300))
        code = exit_codes.NEEDS_ROOT if isinstance(error, Denied) else exit_codes.UNKNOWN
        raise NothingDone(code, why) from None
    finally:
        session.host.close()
    if options.offline and not any(one.expected.type in ("A", "AAAA") for one in found.rows):
        streams.say(_("the server's public address is not known here; say it with --address"))
    if options.json:
        import json

        write(json.dumps(report.of_overview(found)) + "\n")
    else:
        columns = sentence_columns(options.plain)
        if options.zone:
            streams.write_utf8()
        shown = report.zone_files(found.rows) if options.zone else report.overview_lines(found, columns)
        write("".join(f"{harmless(line, 4000)}\n" for line in shown))
    return exit_codes.OK
