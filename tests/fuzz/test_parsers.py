"""Every parser of data from outside takes whatever comes: the examples, what a fuzzer found and was kept, and
what a property test makes of them. `tests/fuzz/run` does more of it, for as long as one likes."""

import time
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import corpus, cover
from tests.fuzz.parsers import parsers
from tests.fuzz.target import Target
from tests.fuzz.targets import LEFT_OUT, targets

DEADLINE_S = 5.0
# Each is a run of a step's checks; the others are fed by the long test.
_DOOR_SEEDS = 1
_DOOR_EXAMPLES = 2
_TOKENS = (
    b"\0", b"\xff", b"\xc2\xb2", b"9" * 25, b"\n", b"\r\n", b'"', b"'", b"\\", b"{", b"[", b"-", b"=", b": ",
    b"\t",
    b"${", b"\x1b[31m", b"\xe2\x80\xae", b" " * 300,
)  # fmt: skip


def deadline(feed: Target, data: bytes) -> None:
    """Feeds it, and fails where that takes too long."""
    begun = time.monotonic()
    feed.feed(data)
    assert time.monotonic() - begun < DEADLINE_S, f"{feed.name} hangs on {data[:200]!r}"


@pytest.fixture(scope="module")
def entered() -> set[str]:
    """The functions that the examples, and what was kept, lead through; all of them are fed here."""
    with cover.noted() as entered:
        for name, target in targets().items():
            most = _DOOR_SEEDS if name.startswith("door ") else None
            _feed_all(target, (*target.seeds[:most], *corpus.kept(target.name)[:most]))
    return cover.functions(entered)


@pytest.mark.long
def test_every_example_of_the_door() -> None:
    for name, target in targets().items():
        if name.startswith("door "):
            _feed_all(target, (*target.seeds, *corpus.kept(target.name)))


def _feed_all(target: Target, examples: Iterable[bytes]) -> None:
    for one in examples:
        begun = time.monotonic()
        target.feed(one)
        assert time.monotonic() - begun < 4 * DEADLINE_S, f"{target.name} hangs on {one[:200]!r}"


def test_every_parser_is_fed(entered: set[str]) -> None:
    every = set(parsers())
    assert sorted(every - entered - set(LEFT_OUT)) == [], "give it an example in tests/fuzz, or say why not"
    assert sorted(set(LEFT_OUT) - every) == [], "it is no parser any more"
    assert len(every - set(LEFT_OUT)) > 400


def test_what_was_answered_before_is_noted_again() -> None:
    target = targets()["words spf"]
    assert _entered_by(target) == _entered_by(target)


def _entered_by(target: Target) -> set[str]:
    with cover.noted() as entered:
        _feed_all(target, target.seeds)
    return cover.functions(entered)


def test_what_is_kept_is_small() -> None:
    files = list(corpus.PLACE.glob("*.json"))
    names = {name.replace(" ", "-") for name in targets()}
    assert {one.stem for one in files} <= names, "a target was renamed: remove its file"
    assert sum(one.stat().st_size for one in files) < 300_000


@st.composite
def _mutated(draw: st.DrawFn, examples: tuple[bytes, ...]) -> bytes:
    """An example, a few times cut, doubled, overwritten or pieced together with another."""
    data = draw(st.sampled_from(examples))[:2000]
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        more = draw(
            st.one_of(
                st.sampled_from(_TOKENS),
                st.binary(max_size=8),
                st.sampled_from(examples).map(lambda one: one[:200]),
            )
        )
        over = draw(st.sampled_from((0, 1, len(more), 40)))
        data = data[:place] + more + data[place + over :]
    return data


@pytest.mark.parametrize("part", ["host", "words", "facts", "door"])
def test_whatever_comes(part: str) -> None:
    chosen = [one for name, one in targets().items() if name.startswith(f"{part} ")]
    assert len(chosen) > 8
    for target in chosen:
        _try(target, _DOOR_EXAMPLES if part == "door" else 4)


def _try(target: Target, most: int) -> None:
    examples = (*target.seeds, *corpus.kept(target.name))

    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(data=_mutated(examples))
    def feed(data: bytes) -> None:
        deadline(target, data)

    feed()
