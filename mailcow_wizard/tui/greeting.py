"""The lines of the first screen: what this is, which machine it looks at, and the two names asked once."""

from collections.abc import Callable, Sequence

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.identity import machine_line
from mailcow_wizard.facts.mail.set_up import is_set_up, is_set_up_elsewhere
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.install.leftover import left_over
from mailcow_wizard.language import _
from mailcow_wizard.model import Step
from mailcow_wizard.names import NotAName, doubt, mail_domain, mail_host_name
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.parts import Part
from mailcow_wizard.typed import NamedTuple
from mailcow_wizard.wrapping import wrapped

_ORIGINS = {
    "option": _("as given on the command line"),
    "mailcow.conf": _("from mailcow.conf"),
    "saved": _("from last time"),
    "guess": _("a guess: this machine's own name"),
}
_ABOUT_HEIGHT, _FIELDS_HEIGHT = 5, 6
_MATTERS = (0, 3, 1, 2)
"""What is said above the fields, in the order in which it goes where there is room."""


class Greeting(NamedTuple):
    """What the first screen says. `origin` is where the server's name comes from (contract); `resumed` the
    title of the step where the last sitting ended; `there`: mailcow is set up on this machine already, and no
    install of it waits for its end; `apart` is mailcow's directory where it was started from another one."""

    machine: str
    hostname: str
    domain: str
    origin: str
    resumed: str
    there: bool = False
    apart: str = ""

    @property
    def values(self) -> tuple[str, str]:
        """The two names as the fields show them first."""
        return self.hostname, self.domain or domain_of(self.hostname)


def greeting(session: Session, facts: Facts, steps: Sequence[Step]) -> Greeting:
    """What this sitting begins with."""
    name = session.hostname_if_known()
    # An unfinished install gives what was said when it was begun as if it were said again.
    again = name.origin == "option" and name.name == session.answers.hostname
    return Greeting(
        machine_line(facts),
        name.name,
        next(iter(session.settings.domains), ""),
        "saved" if again else name.origin,
        next((one.title for one in steps[1:] if one.id == session.answers.step), ""),
        is_set_up(facts) and not left_over(session),
        session.settings.directory if is_set_up_elsewhere(facts) and not left_over(session) else "",
    )


def about(look: Look, said: Greeting, width: int, height: int) -> list[list[Part]]:
    """What this is, and which machine it looks at, on a first screen of so many cells and lines: as much as
    there is room for above the fields, what matters most first."""
    resumed = (
        _("Welcome back: you were at {resumed}. Enter goes on from there.", resumed=said.resumed)
        if said.resumed
        else ""
    )
    asks = _("It shows every change before it makes it, and asks; most can be taken back.")
    first = _("Looks at this server, says what mailcow needs and what is in its way.")
    if said.there:
        first = _("mailcow is set up on this server. The step Verify shows whether it works.")
    if said.apart:
        first = _(
            "mailcow was started on this server, not from {directory}: start the wizard with --dir and its "
            "directory.",
            directory=said.apart,
        )
    said_here = (
        (first, look.bold),
        (asks, look.plain),
        (look.text(said.machine), look.plain),
        (resumed, look.bold),
    )
    parts = [
        [[(f" {line}", style)] for line in wrapped(text, max(1, width - 1))] if text else []
        for text, style in said_here
    ]
    room = max(1, height - _FIELDS_HEIGHT)
    shares = [0] * len(parts)
    for number in _MATTERS:
        if sum(shares) + len(parts[number]) <= room or not number:
            shares[number] = min(room, len(parts[number]))
    lines = [line for some, share in zip(parts, shares, strict=True) for line in some[:share]]
    return lines + [[]] * (min(room, max(_ABOUT_HEIGHT, len(lines) + 1)) - len(lines))


def labels(look: Look, said: Greeting, values: Sequence[str]) -> tuple[list[Part], list[Part]]:
    """What stands above each field."""
    hostname, domain = values
    # In the field an example would look like a value.
    origin = _ORIGINS[said.origin] if hostname == said.hostname else ""
    origin = origin if hostname else _("such as mail.example.org")
    example = "" if domain else _("such as example.org")
    return (
        [(" " + _("Full name of the mail server"), look.bold), (f"  {origin}", look.dim)],
        [(" " + _("Mail domain: what stands behind the @"), look.bold), (f"  {example}", look.dim)],
    )


def remarks(look: Look, said: Greeting, values: Sequence[str]) -> tuple[list[Part], list[Part]]:
    """What stands below each field: whether it can be used, and what is doubtful."""
    hostname, wrong_name = read(values[0], mail_host_name)
    domain, wrong_domain = read(values[1], mail_domain)
    counts = said.hostname if said.origin == "mailcow.conf" else ""
    if counts and hostname and hostname != counts.lower().rstrip("."):
        wrong_name = _("mailcow.conf says {name}, and that counts", name=counts)
    return _remark(look, wrong_name or doubt(hostname, domain)), _remark(look, wrong_domain)


def _remark(look: Look, problem: str) -> list[Part]:
    state = "warn" if problem else "pass"
    return [(f" {look.glyph(state)} {problem}", look.state(state))]


def texts(look: Look, said: Greeting, values: Sequence[str], width: int, height: int) -> list[list[Part]]:
    """Everything as the fields will look, where there are none yet."""
    lines = about(look, said, width, height)
    for label, value, remark in zip(
        labels(look, said, values), values, remarks(look, said, values), strict=True
    ):
        lines += [label, [("  ", look.plain), (value, look.underlined)], remark]
    return lines


def read(text: str, reader: Callable[[str], str]) -> tuple[str, str]:
    """The name and no problem, or no name and the problem."""
    try:
        return reader(text), ""
    except NotAName as error:
        return "", str(error)


def domain_of(hostname: str) -> str:
    """What stands behind the first dot, where that is a domain."""
    rest = hostname.strip().rstrip(".").partition(".")[2]
    return rest if "." in rest else ""
