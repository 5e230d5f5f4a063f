"""A change to mailcow.conf that is not made."""


class Unwritable(ValueError):
    """It cannot be written so that bash and compose read the same; the text says why, without the value."""
