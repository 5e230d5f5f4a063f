"""Our NamedTuple does what typing's does."""

import copy
import pickle
from typing import NamedTuple as Typings

import pytest

from mailcow_wizard.typed import NamedTuple


class Ours(NamedTuple):
    """Field names that a careless signature would take for its own."""

    kind: int
    cls: str
    self: tuple[str, ...] = ()
    last: int | None = None

    @property
    def twice(self) -> int:
        """Twice the first field."""
        return self[0] * 2


class Theirs(Typings):
    """The same by typing."""

    kind: int
    cls: str
    self: tuple[str, ...] = ()
    last: int | None = None


CALLS = [
    ((1, "b"), {}),
    ((1,), {"cls": "b"}),
    ((1, "b", ("c",)), {}),
    ((), {"kind": 1, "cls": "b", "self": ("c",), "last": 4}),
    ((1, "b", ("c",), 4), {}),
]


@pytest.mark.parametrize(("values", "named"), CALLS)
def test_is_made_as_typings_is(values, named):
    ours, theirs = Ours(*values, **named), Theirs(*values, **named)
    assert tuple(ours) == tuple(theirs)
    assert ours == theirs
    assert hash(ours) == hash(theirs)
    assert ours._asdict() == theirs._asdict()
    assert ours._fields == theirs._fields
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert (ours.kind, ours.cls, ours.last, ours.twice) == (1, "b", theirs.last, 2)
    assert ours._replace(last=9, kind=3) == theirs._replace(last=9, kind=3)
    assert Ours._make(theirs) == theirs


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1,), {}), ((1, 2, 3, 4, 5), {}), ((1, "b"), {"kind": 1}), ((1, "b"), {"x": 1})],
)
def test_wrong_fields_are_refused(values, named):
    for kind in (Ours, Theirs):
        with pytest.raises(TypeError):
            kind(*values, **named)


def test_cannot_be_changed():
    one = Ours(1, "b")
    for name in ("kind", "unheard_of"):
        with pytest.raises(AttributeError):
            setattr(one, name, 2)
    with pytest.raises((TypeError, ValueError)):
        one._replace(unheard_of=2)


def test_is_copied_pickled_and_matched():
    one = Ours(1, "b", ("c",), 4)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
    match one:
        case Ours(kind, last=last):
            assert (kind, last) == (1, 4)
