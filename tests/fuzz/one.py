"""A program of its own: fuzzes one target by coverage, or picks the inputs that are worth keeping.

`python -m tests.fuzz.one NAME [option of libFuzzer…] DIRECTORY…`
"""

import sys

import atheris


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    with atheris.instrument_imports(include=["mailcow_wizard"]):
        from tests.fuzz.targets import targets
    target = targets()[sys.argv[1]]
    for one in target.seeds:
        target.feed(one)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
