"""Files with answers, and with the secrets beside them: read whole, and who else may read or change them."""

import os
import stat

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple

_MOST_BYTES = 256 << 10


class Text(NamedTuple):
    """A file's text, and what is wrong with who may see or change it: `open_to` are words for those who may
    read it besides its owner (empty: nobody), `changeable` says that everybody may change it."""

    text: str
    open_to: str
    changeable: bool


class NotText(HostError):
    """The file is not text in UTF-8; `line` is the first that is not."""

    def __init__(self, words: str, line: int) -> None:
        super().__init__(words)
        self.line = line


def read(path: str) -> Text:
    """The file. Raises HostError."""
    try:
        # Not blocking: a FIFO would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise HostError("it is not a file")
            data = file.read(_MOST_BYTES + 1)
    except ValueError:
        raise HostError("it is no name of a file") from None
    except OSError as error:
        raise HostError((error.strerror or "it cannot be read").lower()) from None
    if len(data) > _MOST_BYTES:
        raise HostError(f"it is larger than {_MOST_BYTES >> 10} KiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotText("it is not text in UTF-8", data[: error.start].count(b"\n") + 1) from None
    others = [
        who
        for who, bits in (("its group", stat.S_IRGRP), ("everybody", stat.S_IROTH))
        if found.st_mode & bits
    ]
    return Text(text, others[-1] if others else "", bool(found.st_mode & stat.S_IWOTH))


def beside(path: str, other: str) -> str:
    """A path that stands in a file, seen from the directory of that file."""
    return os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(path)), os.path.expanduser(other)))
