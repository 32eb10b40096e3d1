"""`dataclass`, made four times as quickly as the standard library makes one.

Before Python 3.13 the standard library compiles up to six functions for every such class, one by one, at every start;
with a hundred classes that is a sixth of a short run. Here one is compiled, `__init__`, and only when it is needed; the
others are shared by all classes. For type checkers, and for whatever is asked of it beyond that form, it is the
standard decorator.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True, **more: bool
    ) -> Callable[[type], type]:
        """Decorate a class with annotated fields, as `dataclasses.dataclass` of the same parameters does."""

        def decorated(cls: type) -> type:
            if more or _takes_what_it_does_not_keep(cls):
                return dataclasses.dataclass(cls, frozen=frozen, slots=slots, kw_only=kw_only, eq=eq, **more)
            return _made(cls, frozen=frozen, slots=slots, kw_only=kw_only, eq=eq)

        return decorated


_BEFORE_IT_PAYS = 3
"""Values that are made before compiling takes less time than doing without."""


def _takes_what_it_does_not_keep(cls: type) -> bool:
    """Whether a field is not of the plain sort: an `InitVar`."""
    return any("InitVar" in str(kind) for kind in vars(cls).get("__annotations__", {}).values())


def _made(cls: type, *, frozen: bool, slots: bool, kw_only: bool, eq: bool) -> Any:
    own = set(vars(cls))
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # else the standard library works out its signature, to say that
    # The standard library still reads the fields, for which it compiles nothing. It would search the text of each type
    # for those that make no field; here one look is enough.
    types = inspect.get_annotations(cls)
    if not any("ClassVar" in str(kind) or "KW_ONLY" in str(kind) for kind in types.values()):
        cls.__annotations__ = dict.fromkeys(types, object)
    dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)
    cls.__annotations__ = types
    fields = dataclasses.fields(cls)
    for one in fields:
        one.type = types.get(one.name, one.type)
    methods: dict[str, Any] = {"__repr__": _repr}
    if frozen:
        methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    if frozen and slots:
        methods |= {"__getstate__": _state, "__setstate__": _restore}
    methods = {name: method for name, method in methods.items() if name not in own}
    methods["__init__"] = _first_init(fields)
    if eq and "__eq__" not in own:
        compared = tuple(one.name for one in fields if one.compare)
        methods |= {"__eq__": _equality(compared), "__hash__": _hash(compared) if frozen else None}
    return _again(cls, methods, tuple(one.name for one in fields) if slots else None)


def _again(cls: type, methods: dict[str, Any], names: tuple[str, ...] | None) -> type:
    """The class with these methods and with slots for its fields, which only a new class can have."""
    namespace = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    if names is not None:
        inherited = {slot for base in cls.__mro__[1:] for slot in vars(base).get("__slots__", ())}
        namespace = {name: value for name, value in namespace.items() if name not in names}
        namespace["__slots__"] = tuple(name for name in names if name not in inherited)
    return type(cls)(cls.__name__, cls.__bases__, {**namespace, **methods, "__qualname__": cls.__qualname__})


def _first_init(fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    """An `__init__` that compiles the real one when a few values were made: of most classes a run has none or one."""
    names = tuple(one.name for one in fields)
    plain = all(one.init and not one.kw_only for one in fields)
    left = _BEFORE_IT_PAYS

    def __init__(self: Any, *args: object, **kwargs: object) -> None:  # noqa: N807 (it becomes the method)
        nonlocal left
        if plain and left and len(args) + len(kwargs) == len(names) and not hasattr(self, "__post_init__"):
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            if given.keys() == set(names):
                left -= 1
                for name, value in given.items():
                    object.__setattr__(self, name, value)
                return
        owner: Any = next(one for one in type(self).__mro__ if vars(one).get("__init__") is __init__)
        owner.__init__ = _init(owner, fields)
        owner.__init__(self, *args, **kwargs)

    return __init__


def _init(cls: type, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    parameters, lines = ["self"], []
    scope: dict[str, Any] = {"_set": object.__setattr__, "_unset": dataclasses.MISSING}
    for one in sorted(fields, key=lambda one: bool(one.kw_only)):
        name = one.name
        if not one.init:
            if one.default_factory is not dataclasses.MISSING:
                scope[f"_make_{name}"] = one.default_factory
                lines.append(f" _set(self, {name!r}, _make_{name}())")
            continue
        if one.kw_only and "*" not in parameters:
            parameters.append("*")
        default = ""
        if one.default is not dataclasses.MISSING:
            scope[f"_default_{name}"], default = one.default, f"=_default_{name}"
        elif one.default_factory is not dataclasses.MISSING:
            scope[f"_make_{name}"], default = one.default_factory, "=_unset"
            lines.append(f" if {name} is _unset: {name} = _make_{name}()")
        parameters.append(name + default)
        lines.append(f" _set(self, {name!r}, {name})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or [" pass"]), scope)
    made = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
    return f"{type(self).__qualname__}({shown})"


def _equality(names: tuple[str, ...]) -> Any:
    def __eq__(self: Any, other: object) -> bool:  # noqa: N807 (it becomes the method)
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in names)

    return __eq__


def _hash(names: tuple[str, ...]) -> Any:
    def __hash__(self: Any) -> int:  # noqa: N807 (it becomes the method)
        return hash(tuple([getattr(self, name) for name in names]))

    return __hash__


def _refuse_to_set(self: Any, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _restore(self: Any, state: list[object]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
