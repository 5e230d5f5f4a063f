"""A mistake of the wizard in one line that can be reported: what kind, and the file and line of ours."""

from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _


def described(error: BaseException) -> str:
    """The line; never values of variables, which may hold what must not be shown."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    file = place.tb_frame.f_code.co_filename.rpartition("/")[2] if place else ""
    where = f"{file}:{place.tb_lineno}" if place else "nowhere"
    return _(
        "a defect of the wizard in {where}: {name}: {text}",
        where=where,
        name=type(error).__name__,
        text=harmless(str(error), 200),
    )
