"""The settings of mailcow.conf as a form: what is asked for a first install, every other key, what speaks
against a value, and the plan that saves them. A draft changes nothing until its plan is carried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from mailcow_wizard.conf.document import Document
from mailcow_wizard.conf.layout import KEYS, for_people
from mailcow_wizard.conf.rule import Surroundings
from mailcow_wizard.conf.rules import lint
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.engine.diff import unified
from mailcow_wizard.engine.hard_links import told
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.surroundings import surroundings
from mailcow_wizard.fixes import conf_new, conf_set
from mailcow_wizard.fixes.mailcow_conf import content, is_lacking, path_of, takes_effect
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import STORED, _, current, pgettext
from mailcow_wizard.model import Edit, Plan
from mailcow_wizard.redaction import REMOVED, is_secret
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

PROXY = "(proxy)"
"""Not a key: stands for the five that make mailcow's web server listen behind another one."""

_EXAMPLES = {"MAILCOW_HOSTNAME": "mail.example.org", "TZ": "Etc/UTC"}
_ON_OFF = (("y", _("yes")), ("n", _("no")))
_LEFT_OUT = (("n", _("on")), ("y", pgettext("a part of mailcow", "left out")))
_BEHIND_PROXY = {
    "HTTP_BIND": "127.0.0.1",
    "HTTP_PORT": "8080",
    "HTTPS_BIND": "127.0.0.1",
    "HTTPS_PORT": "8443",
    "HTTP_REDIRECT": "n",
}
_IN_FRONT = {"HTTP_BIND": "", "HTTP_PORT": "80", "HTTPS_BIND": "", "HTTPS_PORT": "443", "HTTP_REDIRECT": "y"}
_WEB_PORTS = {"HTTP_PORT": "80", "HTTPS_PORT": "443"}
_LONGEST_COMMENT = 600
_LONGEST_LINE = 400
_ALIKE = 4


class Field(NamedTuple):
    """A row of the form: its key, its name in words, and the values to choose from with their words (none:
    any text)."""

    key: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    secret: bool = False


class Problem(NamedTuple):
    """What speaks against a value: `level` is error, warning or advice."""

    level: str
    text: str


Judge = Callable[[bytes], Sequence[tuple[str, Problem]]]
"""What speaks against the keys of a file's content."""

FIRST: tuple[Field, ...] = (
    Field("MAILCOW_HOSTNAME", _("Server's name")),
    Field("TZ", _("Timezone")),
    Field("ENABLE_IPV6", "IPv6", (("true", _("on")), ("false", _("off")))),
    Field("SKIP_CLAMD", _("Virus scan (ClamAV)"), _LEFT_OUT),
    Field("SKIP_FTS", _("Full-text search"), _LEFT_OUT),
    Field(PROXY, _("Behind a web proxy"), _ON_OFF),
    Field("HTTP_BIND", _("HTTP address")),
    Field("HTTP_PORT", _("HTTP port")),
    Field("HTTPS_BIND", _("HTTPS address")),
    Field("HTTPS_PORT", _("HTTPS port")),
    Field("HTTP_REDIRECT", _("HTTP to HTTPS"), _ON_OFF),
    Field("SMTP_PORT", "SMTP"),
    Field("SMTPS_PORT", "SMTPS"),
    Field("SUBMISSION_PORT", _("Submission")),
    Field("IMAP_PORT", "IMAP"),
    Field("IMAPS_PORT", "IMAPS"),
    Field("POP_PORT", "POP3"),
    Field("POPS_PORT", "POP3S"),
    Field("SIEVE_PORT", _("ManageSieve")),
    Field("IPV4_NETWORK", _("Containers' subnet")),
)
"""What a first install needs."""


def field(key: str) -> Field:
    """The row of any key."""
    known = next((one for one in FIRST if one.key == key), None)
    if known:
        return known
    layout = KEYS.get(key)
    choices = tuple((value, value) for value in layout.choices) if layout else ()
    return Field(key, key, choices, is_secret(key))


class Draft:
    """mailcow.conf with changes that are not saved; a new one where there is no file; where mailcow is not
    there at all, what the file is to hold when an install makes it (`for_install`)."""

    def __init__(
        self,
        path: str,
        before: bytes | None,
        document: Document,
        judge: Judge,
        plan: Callable[[Mapping[str, str]], Plan],
        for_install: bool = False,
    ) -> None:
        """`before` is the file's content (None: no file), `document` what the form begins with; `plan` makes
        the plan that saves the values that were changed."""
        self.path = path
        self.before = before
        self.for_install = for_install
        self._judge = judge
        self._plan = plan
        self._found = document
        self._document = document
        self._refused: dict[str, tuple[str, str]] = {}
        self._known: dict[str, Any] = {}
        self._old = tuple(self.problems().values()) if before is not None else ()

    @property
    def worth_saving(self) -> bool:
        """Whether saving would do anything; a new file always is."""
        return self.before is None or bool(self.changed())

    def value(self, key: str) -> str:
        """The value as it would be saved, or as it was typed where it cannot be."""
        if key == PROXY:
            binds = (self.value("HTTP_BIND"), self.value("HTTPS_BIND"))
            return "y" if all(one.startswith("127.") for one in binds) else "n"
        if key in self._refused:
            return self._refused[key][0]
        value = self._document.get(key)
        if value is None:
            layout = KEYS.get(key)
            return layout.default if layout and not layout.off else ""
        return value

    def put(self, key: str, value: str) -> None:
        """Changes a value. One that cannot be written is kept aside, and is a problem."""
        self._known = {}
        if key == PROXY:
            self._put_proxy(value == "y")
            return
        self._refused.pop(key, None)
        if value == self.value(key):
            return
        try:
            self._document = self._document.set(key, value)
        except Unwritable as error:
            before = self._found.get(key)
            if before is not None:
                self._document = self._document.set(key, before)
            self._refused[key] = (value, str(error).removeprefix(f"{key}: "))

    def _put_proxy(self, behind: bool) -> None:
        for key, value in (_BEHIND_PROXY if behind else _IN_FRONT).items():
            # A port that somebody chose stays, one that the visitors' server needs does not.
            chosen = behind and key in _WEB_PORTS and self.value(key) != _WEB_PORTS[key]
            if not chosen:
                self.put(key, value)

    def take_back(self, key: str) -> None:
        """Gives a key the value that it has in the file."""
        self._known = {}
        for one in tuple(_BEHIND_PROXY) if key == PROXY else (key,):
            value = self._found.get(one)
            self._refused.pop(one, None)
            if value is not None:
                self.put(one, value)
            elif self._document.get(one) is not None:
                self._document = self._document.unset(one)
        if not self.changed():
            self._document = self._found

    def changed(self) -> tuple[str, ...]:
        """The keys whose value differs from the file's."""
        changed: tuple[str, ...] = self._once("changed", self._changed)
        return changed

    def _changed(self) -> tuple[str, ...]:
        keys = dict.fromkeys((*self._document.keys(), *self._found.keys(), *self._refused))
        return tuple(
            one for one in keys if one in self._refused or self._found.get(one) != self._document.get(one)
        )

    def _once(self, what: str, ask: Callable[[], Any]) -> Any:
        """An answer that stays the same until a value changes: the form asks at every key."""
        if what not in self._known:
            self._known[what] = ask()
        return self._known[what]

    def unsaved(self) -> dict[str, str]:
        """The changed keys with their values, also those that cannot be saved."""
        return {key: self.value(key) for key in self.changed()}

    def settle(self) -> None:
        """What was changed is remembered now, and is no change any more."""
        self._known = {}
        self._found = self._document
        self.before = self._document.data

    def keys(self) -> tuple[str, ...]:
        """Every key that there can be: of the file, and of mailcow's current one; secrets only of a file, for
        nobody remembers them for an install."""
        every = dict.fromkeys((*self._document.keys(), *KEYS))
        return tuple(one for one in every if not (self.for_install and is_secret(one)))

    def problems(self) -> Mapping[str, Problem]:
        """What speaks against the values, by key, the worst of each."""
        problems: Mapping[str, Problem] = self._once("problems", self._judged)
        return problems

    def _judged(self) -> dict[str, Problem]:
        found: dict[str, Problem] = {}
        for key, problem in self._judge(self._document.data):
            if key not in found or _rank(problem) < _rank(found[key]):
                found[key] = problem
        return found | {key: Problem("error", said) for key, (_unused, said) in self._refused.items()}

    def obstacle(self) -> tuple[str, str]:
        """The first key that the changes make wrong, and why; empty texts where all can be saved."""
        changed = self.changed()
        for key, problem in self.problems().items():
            if problem.level == "error" and (key in changed or problem not in self._old):
                return key, problem.text
        return "", ""

    def diff(self) -> str:
        """What would be saved, as a unified diff without secrets."""
        edit = Edit(self.path, self.before, self._document.data, 0o600)
        diff: str = self._once("diff", lambda: unified(edit))
        return diff

    def plan(self) -> Plan:
        """The plan that saves it. Raises HostError, whose text says which value is refused and why."""
        return self._plan(self.unsaved())

    def by_hand(self) -> str:
        """The command line that saves the same, secrets left out."""
        words = [f"{key}={self._document.get(key)}" for key in self.changed() if not is_secret(key)]
        return harmless(
            " ".join((f"conf {'new' if self.before is None else 'set'}", *words)),
            _LONGEST_LINE,
        )

    def about(self, key: str) -> str:
        """What the file itself says above the key, or what the key is for; in another language than the
        file's what is known of the key comes first."""
        if key == PROXY:
            return _(
                "Another web server on this machine holds ports 80 and 443 and passes mailcow's "
                "visitors on: mailcow then listens on 127.0.0.1:8080 and :8443 and does not "
                "redirect by itself."
            )
        layout = KEYS.get(key)
        if layout and current() != STORED:
            return for_people(layout)
        text = self._found.data.decode("utf-8", "replace")
        return comment_above(text, key) or (for_people(layout) if layout else "")


def _rank(problem: Problem) -> int:
    return ("error", "warning", "advice").index(problem.level)


def comment_above(text: str, key: str) -> str:
    """The comment above a key in the file, as one harmless paragraph.

    Keys that stand together share it, and behind an empty line those that are named alike (HTTPS_PORT is
    explained above HTTP_PORT).
    """
    lines = text.splitlines()
    places = [number for number, line in enumerate(lines) if _key_of(line) == key]
    if not places:
        return ""
    number = places[-1] - 1
    while number >= 0 and (_key_of(lines[number]) or _goes_on(lines, number, key)):
        number -= 1
    said: list[str] = []
    while number >= 0 and lines[number].startswith("#") and not _key_of(lines[number]):
        words = lines[number].strip("#- \t")
        if not words or words == REMOVED:  # a recording keeps no remarks
            break
        said.insert(0, words)
        number -= 1
    return harmless(" ".join(said), _LONGEST_COMMENT)


def _goes_on(lines: Sequence[str], number: int, key: str) -> bool:
    """Whether an empty line only divides keys that are named alike."""
    above = _key_of(lines[number - 1]) if number else ""
    return not lines[number].strip() and above[:_ALIKE] == key[:_ALIKE]


def _key_of(line: str) -> str:
    """The key that a line sets, or would set without its `#`."""
    name, equals, _unused = line.removeprefix("#").partition("=")
    plain = name.replace("_", "").isalnum() and name.isascii() and name.upper() == name
    return name if equals and plain else ""


def open_draft(session: Session) -> Draft:
    """The machine's mailcow.conf, to be changed, or a new one of what is found. Raises HostError where there
    is neither."""
    facts = session.new_facts()
    path = path_of(facts)
    if is_lacking(facts.host, path):
        return _new(facts, path)
    before = content(facts)

    def plan(values: Mapping[str, str]) -> Plan:
        # Fresh facts: the plan is of the file as it is now.
        now = session.new_facts()
        planned = told(now.host, conf_set.plan(now, values))
        effect = takes_effect(now, values)
        return planned._replace(steps=(*planned.steps, effect)) if effect else planned

    return Draft(path, before, Document.read(before), _judge(facts.get(surroundings)), plan)


def _new(facts: Facts, path: str) -> Draft:
    """Raises NoPlan where a new file would do harm, which is beside a database."""
    for_install = not facts.get(place).names
    if for_install:
        conf_new.refuse_beside_database(facts)
        data = conf_new.text(facts, _EXAMPLES)
    else:
        data = _step(conf_new.plan(facts, _EXAMPLES)).after or b""
    document = Document.read(data)
    answers = conf_new.answers(facts)
    for key in _EXAMPLES:
        document = document.set(key, answers.get(key, ""))
    about = facts.get(surroundings)._replace(exported=None, env=None)
    before = document.data if for_install else None
    return Draft(
        path, before, document, _judge(about), lambda values: conf_new.plan(facts, values), for_install
    )


def remember(session: Session, draft: Draft) -> int:
    """Keeps what was chosen for an install; the number of settings. Raises HostError where something lies in
    the file's directory by now, or it cannot be written."""
    here = session.new_facts().get(place)
    if here.names:
        raise HostError(
            _("{directory} is not empty any more; open the settings again", directory=here.directory)
        )
    values = draft.unsaved()
    session.choose(values)
    draft.settle()
    return len(values)


def _step(plan: Plan) -> Edit:
    return next(step for step in plan.steps if isinstance(step, Edit))


def _judge(about: Surroundings) -> Judge:
    def judge(data: bytes) -> list[tuple[str, Problem]]:
        return [(one.key, Problem(one.level, _plain(one.key, one.message))) for one in lint(data, about)]

    return judge


def _plain(key: str, message: str) -> str:
    """A rule's message without the key and value that it begins with: it stands beside them."""
    pattern = rf"^{re.escape(key)}(=.*?)?(: | (?=is |has |cannot ))"
    return harmless(re.sub(pattern, "", message) if key else message)
