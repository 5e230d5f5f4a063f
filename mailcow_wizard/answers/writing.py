"""Answers as a file: every key with what it is for and where its value comes from; secrets apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from textwrap import wrap

from mailcow_wizard.answers import keys
from mailcow_wizard.answers.collecting import Collected, Known
from mailcow_wizard.answers.keys import Answer, Table
from mailcow_wizard.conf.layout import KEYS, for_people
from mailcow_wizard.engine.acknowledging import Entry, today
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.language import _, called_elsewhere
from mailcow_wizard.sentences import capitalized

DIRECTORY, NAME, SECRETS = "answers", "answers.toml", "secrets.toml"
"""Where the files are in the wizard's own directory."""

_WIDTH = 76
_HEAD = _(
    "Nothing in here is secret. A line that begins with # counts for nothing: what is not answered is found "
    "out, or is as mailcow has it. To hold it against the rules, without doing anything:"
)


def save(state: StateDirectory, some: Collected) -> str:
    """Writes the files into the wizard's own directory; the path of the first. Raises HostError."""
    if some.secrets:
        state.write_text(DIRECTORY, SECRETS, secrets_text(some))
    return state.write_text(DIRECTORY, NAME, text(some, SECRETS if some.secrets else ""))


def text(some: Collected, secrets: str) -> str:
    """The file; `secrets` is the name of the second, empty where there is none."""
    return "\n".join(_lines(some, secrets)) + "\n"


def secrets_text(some: Collected) -> str:
    """The second file, which only its owner may read."""
    head = _("Secrets of mailcow.conf, for a file of answers. Mode 600.")
    lines = [f"# {head}", f"[{keys.MAILCOW}]"]
    lines += [f"{key} = {_quoted(value)}" for key, value in some.secrets.items()]
    return "\n".join(lines) + "\n"


def _lines(some: Collected, secrets: str) -> Iterator[str]:
    name = harmless(some.name, 100)
    yield from _comment(_("Answers for mailcow-wizard, written on {day} on {name}.", day=today(), name=name))
    yield from _comment(_("To install with them:"))
    yield called_elsewhere("#   ./wizard install --answers FILE --yes")
    yield from _comment(_HEAD)
    yield called_elsewhere("#   ./wizard answers --answers FILE")
    yield ""
    yield from _one(keys.SECRETS, Known(secrets, _("secrets of this machine's mailcow.conf")))
    for table in keys.TABLES:
        if table.many:
            continue
        yield ""
        yield from _comment(f"{table.about}.")
        known = some.tables[table.name]
        # A table that needs what is not known would be refused.
        lacking = any(known[key].value == "" for key in table.needed)
        yield f"# [{table.name}]" if lacking else f"[{table.name}]"
        for answer in table.answers:
            yield from _one(answer, known[answer.name])
    yield from _conf(some.conf)
    for one in some.left_out:
        yield from _comment(_("Not as it is here: {why}.", why=one))
    yield from _accepted(some.accepted)
    yield from _mended(some)


def _one(answer: Answer, known: Known) -> Iterator[str]:
    """An answer; where there is none, its example behind a #."""
    yield from _comment(f"{answer.about}.")
    if known.value in ("", 0, ()):
        yield f"# {answer.name} = {answer.kind.example}"
    else:
        yield f"{answer.name} = {_toml(known.value)}  # {harmless(known.origin)}"


def _conf(conf: Mapping[str, Known]) -> Iterator[str]:
    yield ""
    yield from _comment(f"{keys.ABOUT_MAILCOW}.")
    yield f"[{keys.MAILCOW}]"
    for key, known in conf.items():
        layout = KEYS.get(key)
        if layout:
            yield from _comment(f"{for_people(layout)}.")
        number = layout is not None and layout.kind in ("port", "web-port", "number")
        plain = number and known.value.isdecimal() and str(int(known.value)) == known.value
        yield f"{key} = {known.value if plain else _quoted(known.value)}  # {harmless(known.origin)}"


def _accepted(entries: tuple[Entry, ...]) -> Iterator[str]:
    table = _table("accept")
    yield ""
    yield from _comment(_("{what}. One table for each, in double brackets.", what=table.about))
    if not entries:
        yield from _example(table)
    for one in entries:
        said = one.acknowledgement
        yield from _comment(_("Accepted by {who} on {day}.", who=said.by or "?", day=said.at[:10]))
        if said.until is None:
            yield from _comment(_("It was accepted without an end; here it has a year."))
        yield f"[[{table.name}]]"
        yield f"check = {_quoted(one.check)}"
        if one.subject is not None:
            yield f"subject = {_quoted(one.subject)}"
        yield f"reason = {_quoted(harmless(said.reason, 400))}"
        yield f"until = {said.until or _in_a_year()}"
        yield ""


def _mended(some: Collected) -> Iterator[str]:
    table = _table("fix")
    yield ""
    yield from _comment(_("{what}. One table for each, in double brackets.", what=table.about))
    if not some.mended:
        yield from _example(table)
    for one, origin in some.mended:
        yield from _comment(f"{capitalized(origin)}.")
        yield f"[[{table.name}]]"
        yield f"check = {_quoted(one.check)}"
        yield f"fix = {_quoted(one.fix)}"
        if one.subject is not None:
            yield f"subject = {_quoted(one.subject)}"
        yield ""


def _table(name: str) -> Table:
    return next(one for one in keys.TABLES if one.name == name)


def _example(table: Table) -> Iterator[str]:
    yield f"# [[{table.name}]]"
    for answer in table.answers:
        if answer.name in table.needed:
            yield f"# {answer.name} = {answer.kind.example}"


def _in_a_year() -> str:
    year, rest = today().split("-", 1)
    # Not every year has a 29th of February.
    return f"{int(year) + 1}-{'02-28' if rest == '02-29' else rest}"


def _comment(words: str) -> Iterator[str]:
    # A path that is broken at a hyphen is another path.
    yield from wrap(
        harmless(words, 600), _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_quoted, value))}]"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(value: str) -> str:
    """A text as TOML; JSON's escapes are TOML's, but for one character that is in no value of ours."""
    return json.dumps(harmless(value, 4000), ensure_ascii=False)
