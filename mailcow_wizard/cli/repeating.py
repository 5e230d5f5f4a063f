"""Which options of this line belong into one that is typed next: those that say what it works on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mailcow_wizard.cli.arguments import Options, UsageError, parse
from mailcow_wizard.language import of_locale
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.language import Repeated

_LONGEST = 4096  # of a path, limits.h


def repeated(words: Sequence[str], environ: Mapping[str, str]) -> tuple[Repeated, Repeated]:
    """They are for this user's line, and for root's; none where this line cannot be read. Those of a line for
    a server (`--ssh`) are repeated there.

    What is the default anyhow is left out. What takes root is done on the machine itself: there is no
    recording in its line, nor where this computer keeps what it knows of one.
    """
    try:
        options = parse(words)
    except UsageError:
        return (), ()
    if options.ssh:
        return (), ()
    place = "" if _is_usual(options) else _typed("--dir", options.directory)
    tongue = "" if options.language == of_locale(environ) else _typed("--lang", options.language)
    recording = "--demo" if options.demo else _typed("--host", options.host)
    own = place, _state(options, as_root=False), recording, tongue
    as_root = place, "" if recording else _state(options, as_root=True), "", tongue
    return tuple(filter(None, own)), tuple(filter(None, as_root))


def finding_again(options: Options) -> list[str]:
    """The words of this line that the `fix` which is typed next needs too, to find what this one found: what
    is said of the server, and whom to ask. Nothing of it is kept."""
    said = (
        ("--hostname", (options.hostname,)),
        ("--domain", options.domains),
        ("--address", options.addresses),
        ("--resolver", (options.resolver,)),
        ("--ntp", options.ntp),
        ("--tsig", (options.tsig,)),
        ("--server", (options.server,)),
        ("--provider", (options.provider,)),
        ("--answers", (options.answers,)),
    )
    return [word for option, values in said for value in values if value for word in (option, value)]


def _is_usual(options: Options) -> bool:
    """Whether mailcow's directory is the one without `--dir`; a recording and answers may name another."""
    if options.directory is None:
        return True
    if options.demo or options.host is not None or options.answers is not None:
        return False
    from mailcow_wizard.cli.opening import usual_directory
    from mailcow_wizard.host.real import RealHost

    return os.path.normpath(options.directory) == usual_directory(RealHost())


def _state(options: Options, as_root: bool) -> str:
    from mailcow_wizard.host.files.state import FOR_ROOT, default_directory

    usual = FOR_ROOT if as_root else default_directory()
    path = options.state_dir
    return "" if path is None or os.path.normpath(path) == usual else _typed("--state-dir", path)


def _typed(option: str, value: str | None) -> str:
    """The option as a shell takes it; empty without a value."""
    if not value:
        return ""
    import shlex

    from mailcow_wizard.harmless import harmless

    return f"{option} {harmless(shlex.quote(value), _LONGEST)}"
