"""Values that are right beyond doubt, taken without pydantic.

`acceptor` makes of an annotation a function that returns the value as pydantic would return it, or REFUSED. It refuses
whatever it is not sure of, right or wrong: then pydantic itself is asked, and it alone says what is wrong. So there is
one meaning of an annotation, and a plain run needs none of pydantic's import and building, which take as long as a
hundred checks. A test holds both against each other on random values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from xnai_validate.model import marks
from xnai_validate.model.json import JsonValue
from xnai_validate.model.marks import Info

REFUSED: Any = type("Refused", (), {"__repr__": lambda self: "refused"})()
Accept = Callable[[Any, Info], Any]
JSON_NODES = 20_000
"""A JSON document with more values is left to pydantic, whose import takes as long as to look at so many here."""
JSON_DEPTH = 60
EXACT_FLOATS = 2**53
"""Integers below are floats without loss."""


class NotUnderstood(Exception):
    """An annotation that only pydantic understands."""


def acceptor(annotation: Any, told: tuple[Any, ...] = ()) -> Accept:
    """The function that takes values of an annotation; raises NotUnderstood. `told`: what else its field says."""
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        return acceptor(inner, (*own, *told))
    accept = _plain(annotation)
    for mark in told:
        accept = _marked(accept, mark)
    return accept


def _plain(annotation: Any) -> Accept:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is JsonValue:
        return lambda value, info: value if _is_json(value) else REFUSED
    if origin in (Union, UnionType):
        return _union(arguments)
    if origin is Literal:
        return _literal(arguments)
    if origin is list:
        return _list(acceptor(arguments[0]))
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return _tuple(acceptor(arguments[0]))
    if origin in (dict, Mapping):
        return _dict(acceptor(arguments[0]), acceptor(arguments[1]))
    if annotation in _ATOMS:
        return _ATOMS[annotation]
    if isinstance(annotation, type) and hasattr(annotation, "__accept__"):
        return lambda value, info: annotation.__accept__(value, info)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choice(annotation)
    raise NotUnderstood(annotation)


def _text(value: Any, info: Info) -> Any:
    return value if type(value) is str and (value.isascii() or _encodable(value)) else REFUSED


def _encodable(text: str) -> bool:
    """Whether there is no half of a surrogate pair in it: pydantic refuses those in some places."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _float(value: Any, info: Info) -> Any:
    if type(value) is float:
        return value
    return float(value) if type(value) is int and -EXACT_FLOATS < value < EXACT_FLOATS else REFUSED


_ATOMS: dict[Any, Accept] = {
    str: _text,
    int: lambda value, info: value if type(value) is int else REFUSED,
    float: _float,
    bool: lambda value, info: value if type(value) is bool else REFUSED,
    NoneType: lambda value, info: value if value is None else REFUSED,
    Any: lambda value, info: value,
    object: lambda value, info: value,
}


def _literal(choices: tuple[Any, ...]) -> Accept:
    if not all(type(choice) is str for choice in choices):
        raise NotUnderstood(choices)
    known = frozenset(choices)
    return lambda value, info: value if type(value) is str and value in known else REFUSED


def _choice(enum: type[StrEnum]) -> Accept:
    members = {member.value: member for member in enum}

    def accept(value: Any, info: Info) -> Any:
        if type(value) is enum:
            return value
        return members.get(value, REFUSED) if type(value) is str else REFUSED

    return accept


def _list(item: Accept) -> Accept:
    def accept(value: Any, info: Info) -> Any:
        if type(value) is not list:
            return REFUSED
        items = [item(one, info) for one in value]
        return REFUSED if REFUSED in items else items

    return accept


def _tuple(item: Accept) -> Accept:
    def accept(value: Any, info: Info) -> Any:
        if type(value) is not list and type(value) is not tuple:
            return REFUSED
        items = tuple([item(one, info) for one in value])
        return REFUSED if REFUSED in items else items

    return accept


def _dict(key: Accept, item: Accept) -> Accept:
    def accept(value: Any, info: Info) -> Any:
        if type(value) is not dict:
            return REFUSED
        same, items = True, {}
        for name, one in value.items():
            taken, made = key(name, info), item(one, info)
            if taken is REFUSED or made is REFUSED:
                return REFUSED
            same = same and taken is name and made is one
            items[taken] = made
        return value if same else items  # what nothing changes is not kept twice

    return accept


def _union(members: tuple[Any, ...]) -> Accept:
    """One alternative besides None, or several that no value can be mistaken for: told apart by the exact type."""
    inner = [member for member in members if member is not NoneType]
    if len(inner) == 1:
        accept = acceptor(inner[0])
        if len(members) == 1:
            return accept
        return lambda value, info: None if value is None else accept(value, info)
    by_type: dict[type, Accept] = {NoneType: _ATOMS[NoneType]} if len(inner) < len(members) else {}
    for member in inner:
        for kind in _types_of(member):
            if kind in by_type:
                raise NotUnderstood(members)
            by_type[kind] = acceptor(member)
    return lambda value, info: by_type[type(value)](value, info) if type(value) in by_type else REFUSED


def _types_of(member: Any) -> tuple[type, ...]:
    if get_origin(member) is Annotated and not any(isinstance(mark, marks.Validator) for mark in member.__metadata__):
        return _types_of(member.__origin__)
    if member in (str, int, float, bool):
        return (member,)
    origin = get_origin(member)
    if origin in (list, dict):
        return (origin,)
    if origin is Literal:
        return (str,)  # of others than texts there is no acceptor
    if isinstance(member, type) and hasattr(member, "__accept__"):
        return (dict, member)
    raise NotUnderstood(member)


def _marked(accept: Accept, mark: Any) -> Accept:
    """The acceptor with what a mark says applied around it."""
    if isinstance(mark, marks.TextMark) and mark.pattern is not None:
        accept = _matching(accept, mark.pattern)
    if bounds := marks.bounds_of(mark):
        for name, bound in bounds.items():
            accept = _bounded(accept, name, bound)
        return accept
    if isinstance(mark, marks.BeforeValidator):
        return _through(mark, accept, first=True)
    if isinstance(mark, marks.AfterValidator):
        return _through(mark, accept, first=False)
    if isinstance(mark, marks.SchemaMark | marks.FieldMark | marks.TextMark) or getattr(
        mark, "says_nothing_of_values", False
    ):
        return accept
    raise NotUnderstood(mark)


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "ge": lambda value, bound: value >= bound,
    "gt": lambda value, bound: value > bound,
    "le": lambda value, bound: value <= bound,
    "lt": lambda value, bound: value < bound,
    "min_length": lambda value, bound: len(value) >= bound,
    "max_length": lambda value, bound: len(value) <= bound,
}


def _bounded(accept: Accept, name: str, bound: Any) -> Accept:
    holds = _HOLDS[name]
    kinds = (str, list, tuple, dict) if name.endswith("length") else (int, float)

    def bounded(value: Any, info: Info) -> Any:
        taken = accept(value, info)
        return taken if type(taken) in kinds and holds(taken, bound) else REFUSED

    return bounded


def _matching(accept: Accept, pattern: str) -> Accept:
    """Of ASCII text in one line, where Python's regular expressions and those of pydantic mean the same."""
    found = re.compile(pattern).search

    def matching(value: Any, info: Info) -> Any:
        plain = type(value) is str and value.isascii() and "\n" not in value
        return accept(value, info) if plain and found(value) else REFUSED

    return matching


def _through(validator: Any, accept: Accept, *, first: bool) -> Accept:
    func = validator.func

    def call(value: Any, info: Info) -> Any:
        try:
            return func(value, info) if validator.takes_info else func(value)
        except (ValueError, AssertionError):
            return REFUSED  # pydantic makes a message of it

    def before(value: Any, info: Info) -> Any:
        read = call(value, info)
        return REFUSED if read is REFUSED else accept(read, info)

    def after(value: Any, info: Info) -> Any:
        taken = accept(value, info)
        return REFUSED if taken is REFUSED else call(taken, info)

    return before if first else after


_NUMBERS = frozenset({int, float, bool})


def _is_json(value: Any) -> bool:
    """Whether it is a JSON document for certain, and small; without recursion."""
    if value is None or type(value) in _NUMBERS:
        return True
    open_, seen = [(value, 0)], 0
    while open_:
        one, depth = open_.pop()
        kind = type(one)
        if kind is str:
            if not (one.isascii() or _encodable(one)):
                return False
        elif kind is list or kind is dict:
            seen += len(one)
            if seen > JSON_NODES or depth > JSON_DEPTH:
                return False
            if kind is dict:
                if not all(type(key) is str and (key.isascii() or _encodable(key)) for key in one):
                    return False
                one = one.values()
            open_ += [(item, depth + 1) for item in one]
        elif kind not in _NUMBERS and one is not None:
            return False
    return True
