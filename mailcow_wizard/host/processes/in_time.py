"""Work that keeps to no time limit of its own, ended after one all the same."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeVar

    Answer = TypeVar("Answer")


def in_time(work: Callable[[], Answer], timeout: float, name: str) -> Answer:
    """What `work` gives, asked in a thread of its own: neither Python's resolver nor its TLS keep to a time.

    `name` is whom it asks, `timeout` in seconds. Raises HostError, NoAnswer.
    """
    answers: queue.SimpleQueue[tuple[Answer | None, HostError | None]] = queue.SimpleQueue()
    late = NoAnswer(f"{name} did not answer within {timeout:g} s")

    def ask() -> None:
        try:
            answers.put((work(), None))
        except HostError as error:
            answers.put((None, error))
        except TimeoutError:
            answers.put((None, late))
        except Exception as error:  # ssl and http.client have many
            answers.put((None, HostError(f"{name}: {why(error)}")))

    threading.Thread(target=ask, daemon=True, name=f"ask {name}").start()
    try:
        answer, error = answers.get(timeout=timeout + 0.1)
    except queue.Empty:
        raise late from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]


def why(error: Exception) -> str:
    """Why there is no answer, in few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    refused = getattr(error, "verify_message", "")  # of ssl, which is loaded only where it is needed
    if refused:
        return f"its certificate is not accepted: {refused[:1].lower()}{refused[1:]}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)[:200] or type(error).__name__
