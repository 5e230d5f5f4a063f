"""What every screen over the list is."""

from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Modal(ModalScreen[Result], Generic[Result]):
    """A screen that ends once."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Ends it; of keys in a burst a second one may be for it, too, and would end what is below."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
