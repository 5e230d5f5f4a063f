"""Makes what the tests keep between runs, before the first of them waits for it: `python -m lab.fetch`.

What cannot be had is left to the test that needs it, which tries again and says why.
"""

from contextlib import suppress

from . import compose, engine, machine
from .inside import LabError, needs


def fetch() -> None:
    """The base system of the machines, which takes longest, then engines and Compose."""
    for suite in ("", *engine.SUITES):
        with suppress(LabError):
            needs("apt-get", "dpkg-deb")
            if suite:
                engine.unpacked(suite)
                if suite in compose.SUITES:
                    compose.program(suite)
            else:
                needs("mmdebstrap")
                machine.base()


if __name__ == "__main__":
    fetch()
