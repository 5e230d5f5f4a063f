"""What a user may have no more of: threads and processes, open files. That is no mistake of the wizard."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _

_FILES = (errno.EMFILE, errno.ENFILE)
NO_MORE = _("this user may have no more threads or processes (ulimit -u)")


def is_reached(error: BaseException) -> bool:
    """Whether this user may have no more threads or open files."""
    return lacks_threads(error) or (isinstance(error, OSError) and error.errno in _FILES)


def lacks_threads(error: BaseException) -> bool:
    """Whether it comes of a thread that could not be started, directly or while something was put away."""
    # What Python says of threads; it has no exception of its own for it.
    return any(
        isinstance(one, RuntimeError) and str(one) == "can't start new thread" for one in _chain(error)
    )


def in_words(error: BaseException) -> str:
    """What is said of it."""
    return NO_MORE if lacks_threads(error) else str(error)


def begin(work: Callable[[], object], name: str) -> None:
    """Does the work in a thread of this name, which ends with this process. Raises HostError where this user
    may have no more of them."""
    try:
        threading.Thread(target=work, daemon=True, name=name).start()
    except RuntimeError as error:
        raise HostError(NO_MORE) from error


def _chain(error: BaseException) -> Iterator[BaseException]:
    now: BaseException | None = error
    while now is not None:
        yield now
        now = now.__cause__ or now.__context__
