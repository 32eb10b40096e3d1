"""`model.dataclass.dataclass` is the standard one in all that can be seen of it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter
from pydantic_core import to_json

from xnai_validate.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Ours:
    """A class."""

    a: int
    b: str = "x"
    c: list[int] = field(default_factory=list)
    d: str = field(default="hidden", repr=False)
    e: int = field(default=0, compare=False)
    kind: ClassVar[str] = "k"

    @property
    def twice(self) -> int:
        return 2 * self.a


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    """A class."""

    a: int
    b: str = "x"
    c: list[int] = field(default_factory=list)
    d: str = field(default="hidden", repr=False)
    e: int = field(default=0, compare=False)
    kind: ClassVar[str] = "k"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Numbered."""

    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Base):
    """More."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One with work of its own to do when it is made."""

    a: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("below zero")


@dataclass(frozen=True, slots=True)
class Hashable:
    """One that has nothing in it that changes."""

    a: int
    b: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Changing:
    """One that changes, and is only itself."""

    a: int
    sum: int = field(init=False)
    seen: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.sum = self.a + 1


@dataclass()
class Open:
    """One to which anything may be added."""

    a: int = 1


def both(*args: Any, **kwargs: Any) -> tuple[Ours, Theirs]:
    return Ours(*args, **kwargs), Theirs(*args, **kwargs)


@pytest.mark.parametrize("given", [((1,), {}), ((1, "y", [2]), {}), ((), {"a": 1, "d": "s", "e": 4})])
def test_it_is_made_and_shown_as_the_standard_one(given: tuple[Any, Any]) -> None:
    """The same arguments give the same values, in the same order, and nothing hidden is shown."""
    ours, theirs = both(*given[0], **given[1])
    assert asdict(ours) == asdict(theirs)
    assert [one.name for one in fields(ours)] == [one.name for one in fields(theirs)]
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert "hidden" not in repr(ours)
    assert Ours.__match_args__ == Theirs.__match_args__
    assert Ours.__slots__ == Theirs.__slots__
    assert not hasattr(ours, "__dict__")
    assert (Ours.kind, ours.twice) == ("k", 2)


def test_wrong_arguments_are_refused() -> None:
    """Missing, unknown and positional keyword-only arguments raise TypeError, as ever."""
    for wrong in (lambda: Ours(), lambda: Ours(1, z=2), lambda: Base(1)):  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            wrong()
    assert Ours(1).c is not Ours(1).c


def test_equality_and_hashes_are_those_of_the_fields() -> None:
    """Equal fields make equal values of one class; what is not to be compared is not; another class never equals."""
    assert Ours(1, e=1) == Ours(1, e=2)
    assert Ours(1) != Ours(2)
    assert Ours(1) != Theirs(1)  # type: ignore[comparison-overlap]
    assert {Hashable(1, ("a",)), Hashable(1, ("a",)), Hashable(2)} == {Hashable(1, ("a",)), Hashable(2)}
    assert Derived(seq=1, text="a") == Derived(seq=1, text="a")
    assert Base(seq=1) != Derived(seq=1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours(1))


def test_nothing_of_it_can_be_changed() -> None:
    """Fields are neither set nor deleted, nor are others added."""
    ours = Ours(1)
    for name in ("a", "other"):
        with pytest.raises(FrozenInstanceError):
            setattr(ours, name, 2)
    with pytest.raises(FrozenInstanceError):
        del ours.a
    assert ours.a == 1


def test_one_that_is_not_frozen_changes() -> None:
    """Fields can be set, what is not given is made; without `eq` it equals itself alone, without slots it is open."""
    one, other = Changing(1), Changing(1)
    assert (one.sum, one.seen) == (2, [])
    one.a = 5
    one.seen.append(1)
    assert (one.a, other.a, other.seen) == (5, 1, [])
    assert one != other
    assert len({one, other}) == 2
    with pytest.raises(TypeError):
        Changing(1, sum=2)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        one.more = 1  # type: ignore[attr-defined]
    assert copy.copy(one).a == pickle.loads(pickle.dumps(one)).a == 5
    anything = Open()
    anything.more = 1  # type: ignore[attr-defined]
    assert anything == Open(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(anything)


def test_it_can_be_copied_kept_and_taken_apart() -> None:
    """replace, copy, pickle and match do what they do with a dataclass; what is made at the beginning is checked."""
    ours = Ours(1, "y", [1])
    assert replace(ours, a=2) == Ours(2, "y", [1])
    assert copy.copy(ours) == copy.deepcopy(ours) == pickle.loads(pickle.dumps(ours)) == ours
    match ours:
        case Ours(a, b):
            assert (a, b) == (1, "y")
    with pytest.raises(ValueError, match="below zero"):
        Checked(-1)


def test_it_is_read_and_written_as_json() -> None:
    """pydantic takes it for the dataclass that it is."""
    event = Derived(seq=1, text="é")
    assert TypeAdapter(Derived).validate_json(to_json(event)) == event
    assert TypeAdapter(Ours).json_schema()["required"] == ["a"]
