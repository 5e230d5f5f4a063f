"""The help text."""

HELP = """\
mailcow-wizard: prepares a server for mailcow-dockerized and says the truth about it

  mailcow-wizard                    the full-screen wizard
  mailcow-wizard check [SELECTOR…]  looks, judges, says what it found
  mailcow-wizard fix CHECK [FIX]    what can be done about it; shows the plan, asks, does it, looks again
  mailcow-wizard undo [CHANGE]      takes back the newest change, or this one; --list lists them
  mailcow-wizard ack CHECK --reason TEXT  acknowledges a finding: it stays shown and no longer counts
  mailcow-wizard conf get|set|lint|new  mailcow.conf
  mailcow-wizard dns [--zone|--push]  the records that mail needs against what is published; publishes them
  mailcow-wizard reach              proves from outside that the ports can be reached; --from HOST TOKEN asks
  mailcow-wizard install            the first install, in stages; goes on where it stopped; shows it
  mailcow-wizard verify             proves that the installed server works; fit for monitoring
  mailcow-wizard report             the last run as Markdown, JSON or HTML, to keep or to pass on
  mailcow-wizard explain CHECK      what it looks for and why, how to see it by hand, what mends it
  mailcow-wizard completion bash|zsh|fish  for the shell
  mailcow-wizard schema             the JSON Schema of --json

A SELECTOR is a step (ports), the beginning of ids (time.) or an id (ports.smtp).

Examples
  mailcow-wizard check                     everything
  mailcow-wizard check ports --json        for other programs
  mailcow-wizard check --list              what is checked, without looking
  mailcow-wizard check --record box.json   also keeps this machine's answers, without secrets
  mailcow-wizard check --host box.json     judges that machine instead of this one
  mailcow-wizard check --changes           what is better, worse, new since the run before
  mailcow-wizard fix kernel.overcommit sysctl --dry-run   what it would do, as commands and diffs
  mailcow-wizard --demo                    the wizard on a machine that ships with it

Options, before or after the command
  --dir DIR            mailcow's directory (the current one if it is mailcow's, else /opt/mailcow-dockerized)
  --hostname FQDN      the mail server's full name      --domain NAME     a mail domain (repeatable)
  --ntp HOST           ask this time server (repeatable)  --timeout SECONDS  for each check
  --offline            no packet leaves the machine     --state-dir DIR   where the wizard keeps its state
  --host FILE          a recorded machine               --demo            the one that ships with the wizard
  --record FILE        record this machine (check)      --list      list checks, changes, acknowledged
  --dry-run            only show the plan               --yes             do it without asking
  --changes            compare with the run before (check)
  --reason TEXT  --until DAY  --remove  why it is accepted, how long, no longer (ack)
  --format FORMAT      nagios, prometheus (check); markdown, json, html (report)
  --mask               without addresses and the server's own names (report)
  --subject S          which of several (fix, ack)      --resume CHANGE   go on with an interrupted one (fix)
  --tsig FILE          the key that signs updates (dns --push; also MAILCOW_WIZARD_TSIG=FILE)
  --server IP          where updates go (else the zone's primary)   --provider NAME  by its API (dns --push)
  --branch NAME  --repository URL  where mailcow comes from (install; else master of mailcow's own)
  --stop               the install under way stops at the next safe place (install)
  --json  --plain      output for programs; for pipes and screen readers
  --no-color  --ascii  --mouse                          --log FILE        what the wizard did, with times
  --address IP         a public address (repeatable)    --resolver IP     ask this resolver
  --help  --version

Exit codes: 0 all right, 1 something fails, 2 warnings only, 3 something could not be determined,
64 the line cannot be understood, 70 a defect of the wizard, 73 nothing was changed or it was taken back,
74 the output could not be written, 75 another wizard is changing this machine, 77 needs root.
"""
