"""All parsers of data from outside, by name, with what is fed to them; those that are left out, and why."""

from __future__ import annotations

import functools

from tests.fuzz import (
    targets_conf,
    targets_door,
    targets_facts,
    targets_firewall,
    targets_host,
    targets_programs,
    targets_talks,
    targets_words,
)
from tests.fuzz.target import Target

# Functions that look like parsers (`tests/fuzz/parsers.py` says how) and read nothing that a stranger wrote.
_OWN = "what our own process wrote"
_WIRED = "only moves bytes; what it got is read by others, and real servers speak with it in tests/real"
_FILE = "files that the wizard itself packed and holds to their hashes"
_KERNEL = "numbers of processes as the kernel lists them"
LEFT_OUT: dict[str, str] = {
    "answers/collecting.py _mended": _OWN,
    "answers/mailcow.py _as_toml": "splits a remedy of our own",
    "answers/writing.py _conf": "writes",
    "answers/writing.py _in_a_year": "a day of our own",
    "engine/first_mailbox.py made": "splits a name that was judged",
    "host/programs/mailcow_api.py once": "http.client reads it; the answer is fed as `host mailcow-api`",
    "host/programs/mailcow_api.py asked": "only moves text; `host/programs/api_key.py` reads it, and is fed",
    "facts/firewall/leaving.py _is_private": "an address that was judged",
    "install/configuration.py _by_script": "calls others",
    "install/configuration.py listen": "tells lines apart that are only dots",
    "engine/acknowledging.py _alone": "reads once more what was read when it was made",
    "engine/acknowledging.py _save": "keeps rows that its reader, which is fed, does not understand",
    "engine/journal.py close": "the number of a change, as we named it",
    "engine/journal.py end_of_log": "the number of a change, as we named it",
    "engine/undo/later.py _later_edits": "the numbers of changes, as we named them",
    "engine/journal.py tell": "the number of a change, as we named it",
    "engine/undo/database.py keep_database": "calls the readers of mailcow.conf, which are fed themselves",
    "engine/reach.py keep": "calls seen_in, which is fed as `door kept`",
    "engine/session.py _saved": "calls _answers, which is fed",
    "engine/settings.py about": "calls comment_above, which is fed",
    "engine/watching.py left": "rounds seconds",
    "engine/work.py _await_command": _OWN,
    "engine/diff.py _readings": "calls the readers of mailcow.conf, which are fed themselves",
    "facts/docker_daemon.py _names": "compares paths; of one it looks at the last part",
    "facts/dns/push.py _data": "makes data of values that we expect",
    "facts/dns/push.py _wildcards": "makes names of names of our own",
    "facts/dns/spf.py _question": "the labels of a name that was judged",
    "facts/dns/table.py _is_of": "calls the readers of TXT records, which are fed themselves",
    "facts/network/mail_ways.py fits": "the first word of a greeting",
    "facts/network/routes.py _number": "a number of /proc/net/route, guarded by its caller",
    "facts/run_as_root.py _above": "the directories above a path of our own",
    "host/programs/nft_back.py main": _OWN,
    "host/programs/taking_back.py failed": "the first line that a command says, which goes through the gate",
    "host/one_file/build.py _hash": _FILE,
    "host/one_file/build.py _of": _FILE,
    "host/one_file/far.py in_use": _KERNEL,
    "host/one_file/far.py run": _FILE,
    "host/one_file/unpack.py _sweep": _FILE,
    "host/programs/provider_zone.py _said": "the text of an exception",
    "host/programs/provider_zone.py _secrets": "the person's own files, whose values are taken out of a text",
    "host/programs/paths.py here": "a command of the journal, as we wrote it down",
    "host/reach/ssh.py _for_sockets": "the place of temporary files, as Python itself has it",
    "host/reach/ssh.py copy": "moves bytes between the terminal and ssh",
    "host/reach/ssh.py run": "reads ssh's own words; what the far side says is fed as `host ssh`",
    "host/programs/admin_reset.py _run": "mailcow's own script, run on the administrator's word",
    "host/programs/admin_reset.py main": _OWN,
    "host/processes/apart.py _whole": _OWN,
    "host/calling.py _found": "splits PATH, whose parts are only looked into",
    "host/files/changing.py _part": "a name of our own",
    "host/recording/codec.py pack": "writes",
    "host/processes/commands.py _descendants": _KERNEL,
    "host/processes/commands.py is_marked": _KERNEL,
    "host/processes/commands.py _processes": _KERNEL,
    "host/processes/commands.py run": "bounds what a command says; who asks reads it",
    "host/processes/commands.py _text": "decodes, with replacement",
    "host/network/dialogue.py _hold": "connects; the rest of the conversation is fed",
    "host/network/dns.py _numbers": "random numbers",
    "host/network/dns.py _receive": _WIRED,
    "host/programs/dns_update.py __init__": _OWN,
    "host/programs/dns_update.py _by_tcp": _WIRED,
    "host/programs/dns_update.py _exchange": "dnspython reads and checks it: its signature comes first",
    "host/processes/doing.py _lines": "splits lines and bounds them; tests/unit and tests/real feed it",
    "host/processes/doing.py close": "decodes, with replacement",
    "host/network/echo.py __init__": "random numbers",
    "host/network/echo.py leaves": "an address that the caller has checked",
    "host/files/flock.py _text": "decodes, with replacement; what it says is fed as `words state`",
    "host/processes/handing_on.py _is_ours": _KERNEL,
    "host/processes/holders.py _all_processes": _KERNEL,
    "host/processes/holders.py _relatives": _KERNEL,
    "host/network/mail_trip.py _found": "imaplib reads it",
    "host/network/mail_trip.py _hand_in": "smtplib reads it",
    "host/network/mail_trip.py _log_in": "smtplib reads it",
    "host/network/mail_trip.py _mailbox": "imaplib reads it",
    "host/network/ntp.py _wait": "rounds seconds",
    "host/network/probing.py end": "decodes, with replacement",
    "host/network/probing.py send": "a payload of our own",
    "host/reach/asker.py tell": "decodes, with replacement",
    "host/reach/listener.py _accept": "an address as the kernel gives it",
    "host/reach/listener.py listen_anywhere": "a port as the kernel gives it",
    "host/recording/recorded.py _address": "an address or none; tests/faults and the door's targets ask it",
    "host/recording/recorded.py load": "reads a file; the document is fed as `host recording`",
    "host/terminal/streams.py say": "breaks our own narration into lines, whatever is in it",
    "host/terminal/abilities.py _variables": "names of variables",
    "host/files/trust.py _words": "the names in a path",
    "install/clone.py _clone": "splits a path of our own; what git says is fed as `words progress`",
    "install/clone.py _moved": "splits a path of our own",
    "install/clone.py part_of": "splits a path of our own",
    "install/compose.py services": "docker compose's own JSON; what is no JSON ends the stage (tests/unit)",
    "install/compose.py with_progress": "the version that was found",
    "install/conf_files.py _about": "names and times of the checkout",
    "install/following.py run": _OWN,
    "install/gate.py first_checks": "names of checks",
    "install/override.py _open_files": "calls the reader of the override, which is fed",
    "install/spoken.py _named": "names in lines that the install wrote itself",
    "install/spoken.py line": "a line that the install wrote itself",
    "install/standing.py take_credentials": "what the install keeps, read as its secrets are, which are fed",
    "engine/journal.py _of_install": "one text of the install's record, which is only compared",
    "install/up.py tell_log": "lines of a container's log, cut and made harmless",
    "install/worker.py main": _OWN,
}


@functools.cache
def targets() -> dict[str, Target]:
    """Every target by its name."""
    parts = (
        targets_host,
        targets_talks,
        targets_firewall,
        targets_programs,
        targets_conf,
        targets_words,
        targets_facts,
        targets_door,
    )
    every = [one for part in parts for one in part.targets()]
    found = {one.name: one for one in every}
    assert len(found) == len(every)
    return found
