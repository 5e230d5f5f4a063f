"""A zone at its DNS provider, through dns-lexicon: what is there, and changes of single records.

Providers differ in what that library does not even out. Some have records, each with an identifier of its
own; others have sets of records, and their identifier means all of a set, or of a name, or there is none.
Some take a name without a final dot for one below the zone; of an MX record some want the priority within.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator

from mailcow_wizard.harmless import harmless
from mailcow_wizard.numerals import whole
from mailcow_wizard.patterns import pattern
from mailcow_wizard.redaction import without_credentials
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_SECRETS = ("auth", "token", "password", "secret", "key")
_LONGEST_FILE = 65536
_PATIENCE_S = 20.0
"""For one call, which the library gives no end: of the minute for all of them enough is left to put back."""
_SECRET_LINE = pattern(rf"(?im)^[ \t]*[\w-]*(?:{'|'.join(_SECRETS)})[\w-]*[ \t]*:[ \t]*(.+?)[ \t]*$")
_KINDS = ("A", "AAAA", "CNAME", "TXT", "MX")
_NAMED = ("CNAME", "MX")
# HTTP's answers to a content that the server does not take in this form (RFC 9110, 15.5.1 and 15.5.21).
_NOT_IN_THIS_FORM = (None, 400, 422)


class Failure(Exception):
    """It was not done; the text says why, in one harmless line. `code` is HTTP's, where there was one."""

    code: int | None = None


class Silence(Failure):
    """It did not answer; nobody knows what was done."""


class _Late(BaseException):
    """It takes too long; no Exception, which the library would take for the provider's refusal."""


class Record(NamedTuple):
    """A record to make, as lexicon speaks of it: no final dots, no quotes; `priority` is of MX."""

    type: str
    name: str
    content: str
    priority: int = 0
    ttl: int = 0


class There(NamedTuple):
    """A record that is there: its content in the form in which contents are compared, as the provider writes
    it (`raw`), and the library's identifier, whatever that is."""

    type: str
    name: str
    content: str
    raw: str
    identifier: Any
    ttl: int = 0

    @property
    def again(self) -> Record:
        """What makes it once more."""
        first = self.raw.partition(" ")[0]
        return Record(self.type, self.name, self.content, whole(first, 10), self.ttl)


class Zone:
    """A zone at its provider. What was listed is kept until something is changed."""

    def __init__(self, provider: str, zone: str) -> None:
        self.provider = provider
        self.zone = zone
        self._listed: dict[tuple[str, str], list[There]] = {}
        self._reader: Any = None
        self._open = contextlib.ExitStack()

    def there(self, type: str, name: str) -> list[There]:
        """The records of a name and type. Raises Failure."""
        if (type, name) not in self._listed:
            self._listed[type, name] = [one for one in self._list(type, name) if one.type == type]
        return self._listed[type, name]

    def at(self, name: str) -> list[There]:
        """All records of a name, of whichever type. Raises Failure."""
        if ("", name) not in self._listed:
            try:
                self._listed["", name] = self._list(None, name)
            except Silence:
                raise
            except Failure:
                # Some cannot list a name without a type.
                self._listed["", name] = [one for type in _KINDS for one in self.there(type, name)]
        return self._listed["", name]

    def add(self, new: Record) -> None:
        """Makes a record, in the first form that the provider takes. Raises Failure."""
        *forms, last = _forms(new)
        for form in forms:
            try:
                self._add(new, form)
                return
            except Failure as failure:
                if isinstance(failure, Silence) or failure.code not in _NOT_IN_THIS_FORM:
                    raise
        self._add(new, last)

    def _add(self, new: Record, content: str) -> None:
        if not self._do("create_record", _options(new), new.type, new.name, content):
            raise Failure(f"{self.provider} did not make the record")

    def replace(self, old: There, new: Record) -> None:
        """Gives a record another content; the others of its name and type stay. Raises Failure."""
        if len(self.there(old.type, old.name)) > 1:
            # Beside others an update may hit another one of them, or all.
            self.add(new)
            self.delete(old)
            return
        by = old.identifier if self._is_of_one(old) else None
        if not self._do("update_record", _options(new), by, new.type, new.name, new.content):
            raise Failure(f"{self.provider} did not change the record")
        # Some go by a content that they cut, and leave the old record where it was.
        if old.content != new.content and self._has(old):
            self._delete_by_content(old)

    def delete(self, old: There) -> None:
        """Deletes this record and none besides. Raises Failure."""
        if self._is_of_one(old):
            if not self._do("delete_record", {}, old.identifier):
                raise Failure(f"{self.provider} did not delete the record")
            if not self._has(old):
                return
        self._delete_by_content(old)

    def _delete_by_content(self, old: There) -> None:
        named = (old.type, old.name, old.raw)
        if [one.content for one in self._list(*named)] != [old.content]:
            raise Failure(f"{self.provider} does not tell this record from the others of its name")
        if not self._do("delete_record", {}, None, *named):
            raise Failure(f"{self.provider} did not delete the record")

    def _is_of_one(self, record: There) -> bool:
        """Whether the identifier means this record and no other of its name."""
        same = [one for one in self.at(record.name) if one.identifier == record.identifier]
        return record.identifier not in (None, "") and len(same) == 1

    def _has(self, record: There) -> bool:
        return any(one.content == record.content for one in self.there(record.type, record.name))

    def forget(self) -> None:
        """What was listed is listed anew; a provider's part of the library may keep what it heard, too."""
        self._listed = {}
        self._reader = None
        with contextlib.suppress(Exception):
            self._open.close()
        self._open = contextlib.ExitStack()

    def _list(self, type: str | None, name: str, content: str | None = None) -> list[There]:
        words = (type, name) if content is None else (type, name, content)
        try:
            with self._in_time():
                if self._reader is None:
                    self._reader = self._open.enter_context(self._client({}))
                listed = [dict(one) for one in self._reader.list_records(*words)]
        except Failure:
            raise
        except Exception as error:
            raise self._failure(error) from None
        return [_there(one, name) for one in listed if self._is_named(one, name)]

    def _is_named(self, listed: dict[str, Any], name: str) -> bool:
        relative = name.removesuffix(self.zone).removesuffix(".")
        known = (name, relative) if relative else (name, "", "@", f"@.{name}")
        return str(listed.get("name") or "").removesuffix(".").lower() in known

    def _do(self, action: str, options: dict[str, Any], *words: Any) -> Any:
        self.forget()
        try:
            with self._in_time(), self._client(options) as zone:
                return getattr(zone, action)(*words)
        except Failure:
            raise
        except Exception as error:
            # Whatever went wrong there: a wrong token, no network, a zone of somebody else.
            raise self._failure(error) from None
        finally:
            self.forget()

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        """One thing that is asked of the provider. Raises Failure where it does not answer."""

        def late(number: int, frame: object) -> None:
            raise _Late

        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE_S)
        try:
            yield
        except _Late:
            raise Silence(f"{self.provider} did not answer within {_PATIENCE_S:g} s") from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)

    def _client(self, options: dict[str, Any]) -> Any:
        from lexicon.client import Client  # type: ignore[import-not-found,unused-ignore]
        from lexicon.config import ConfigResolver  # type: ignore[import-not-found,unused-ignore]

        # `delegated` says that the zone is cut here: lexicon would guess it from the public suffixes.
        about = {"provider_name": self.provider, "domain": self.zone, "delegated": self.zone, **options}
        return Client(ConfigResolver().with_dict(about).with_env().with_config_dir(os.path.expanduser("~")))

    def _failure(self, error: Exception) -> Failure:
        failure = Failure(f"{self.provider} refuses: {_said(error, self.provider)}")
        failure.code = getattr(getattr(error, "response", None), "status_code", None)
        return failure


def _forms(new: Record) -> tuple[str, ...]:
    """A content as providers may want it, the least ambiguous first."""
    if new.type not in _NAMED:
        return (new.content,)
    whole = f"{new.content}."
    return (whole, new.content, *((f"{new.priority} {whole}",) if new.type == "MX" else ()))


def _options(new: Record) -> dict[str, Any]:
    # As words of a command line have them: some providers ask the priority whether it is numeric.
    return {"ttl": new.ttl, **({"priority": str(new.priority)} if new.type == "MX" else {})}


def _there(listed: dict[str, Any], name: str) -> There:
    type, raw = str(listed.get("type", "")), str(listed.get("content", ""))
    ttl = listed.get("ttl")
    return There(type, name, plain(type, raw), raw, listed.get("id"), ttl if isinstance(ttl, int) else 0)


def plain(type: str, content: str) -> str:
    """A content as providers give it, in the form in which contents are compared."""
    if type == "TXT":
        if content.startswith('"') and content.endswith('"') and len(content) > 1:
            content = content[1:-1]
        # Some take the outer quotes away, and leave those between the strings.
        return re.sub(r"\\(.)", r"\1", re.sub(r'(?<!\\)"\s*"', "", content))
    content = content.lower().removesuffix(".")
    return content.rpartition(" ")[2] if type == "MX" else content


def _said(error: Exception, provider: str) -> str:
    """The error in a line, without what is secret: an address that was called may have it."""
    text = without_credentials(str(error)).split("?", 1)[0]
    for value in sorted(_secrets(provider), key=len, reverse=True):
        text = text.replace(value, "•" * 4)
    return harmless(f"{type(error).__name__}: {text}", 200)


def _secrets(provider: str) -> set[str]:
    """What lexicon knows that is secret: its variables, and its files in the home directory."""
    found = [
        value
        for name, value in os.environ.items()
        if name.startswith("LEXICON_") and any(one in name.lower() for one in _SECRETS)
    ]
    for name in ("lexicon.yml", f"lexicon_{provider}.yml"):
        with (
            contextlib.suppress(OSError),
            open(os.path.join(os.path.expanduser("~"), name), encoding="utf-8", errors="replace") as file,
        ):
            found += [one.strip("\"'") for one in _SECRET_LINE.findall(file.read(_LONGEST_FILE))]
    return {one for one in found if len(one) > 3}
