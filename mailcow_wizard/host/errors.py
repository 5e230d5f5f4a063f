"""Why a machine gave no answer, or was not changed: what every call of the door may raise."""


class HostError(Exception):
    """The machine did not answer. The text is one calm sentence to show; `remedies`: what may mend it."""

    remedies: tuple[str, ...] = ()


class Missing(HostError):
    """There is no such file, directory or command."""


class Denied(HostError):
    """This user may not look at it; root may."""


class NoAnswer(HostError):
    """Nothing came within the time allowed."""


class Refused(HostError):
    """Nobody takes connections there: what listened has ended."""


class TooLarge(HostError):
    """More than the caller asked to read at most."""


class NotRecorded(HostError):
    """A recorded machine was asked something that it was not asked when it was recorded: `question`."""

    question = ""


class Unending(NoAnswer):
    """A command goes on, whatever is done to end it: it waits for a device that does not answer, or belongs
    to somebody else."""
