"""What typing offers, for modules that `check` imports: TYPE_CHECKING and NamedTuple, without its cost.

To type checkers this NamedTuple is typing's, and it does the same: fields, defaults, `_fields`, `_make`,
`_replace`, `_asdict`. But importing typing takes 5 ms, and each of its classes, compiled from text, 0.14 ms
(Python 3.11); `check ports` as a whole may take 30.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    try:
        from _collections import _tuplegetter
    except ImportError:  # another Python than CPython
        from operator import itemgetter

        def _getter(place):
            return property(itemgetter(place))
    else:

        def _getter(place):
            """What namedtuple itself reads a field with: half as long as a property."""
            return _tuplegetter(place, None)

    class _Fields(type):
        """Makes a class's annotations the names of its places."""

        def __new__(kind, name, bases, body):
            body.setdefault("__slots__", ())
            made = super().__new__(kind, name, bases, body)
            if bases == (tuple,):
                return made
            fields = tuple(made.__annotations__)
            made._fields = made.__match_args__ = fields
            made._field_defaults = {field: body[field] for field in fields if field in body}
            made._last_values = tuple(made._field_defaults.values())
            made._places = {field: place for place, field in enumerate(fields)}
            for field, place in made._places.items():
                setattr(made, field, _getter(place))
            return made

    class NamedTuple(tuple, metaclass=_Fields):
        """The base of a named tuple: write its fields as annotations, in order, those with defaults last."""

        _fields = ()
        _field_defaults = {}  # noqa: RUF012
        _last_values = ()
        _places = {}  # noqa: RUF012

        def __new__(kind, /, *values, **named):
            fields = kind._fields
            missing = len(fields) - len(values)
            if not missing and not named:
                return tuple.__new__(kind, values)
            if missing and not named and 0 < missing <= len(kind._last_values):
                return tuple.__new__(kind, values + kind._last_values[-missing:])
            if named or missing:
                values += tuple(_rest(kind, fields[len(values) :], named))
                if named or len(values) != len(fields):
                    unknown = ", ".join(named) or f"{len(values)} values"
                    raise TypeError(f"{kind.__name__} has {len(fields)} fields and not {unknown}")
            return tuple.__new__(kind, values)

        @classmethod
        def _make(cls, values):
            return cls(*values)

        def _replace(self, /, **named):
            values, places = list(self), self._places
            for field in named:
                if field not in places:
                    raise TypeError(f"{type(self).__name__} has no {field}")
                values[places[field]] = named[field]
            return tuple.__new__(type(self), values)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            parts = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({parts})"

    def _rest(kind, fields, named):
        """The values of fields not given by place: by name, else by default; empties `named`."""
        for field in fields:
            if field in named:
                yield named.pop(field)
            elif field in kind._field_defaults:
                yield kind._field_defaults[field]
            else:
                raise TypeError(f"{kind.__name__} needs a value for {field}")
