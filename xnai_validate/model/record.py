"""`Record`: a frozen value with declared fields, verified like a model of pydantic, and mostly without it.

A record is declared, made and asked as pydantic's models are, as far as the names here go. Values that are right beyond
doubt are taken at once (`model.accept`); else a model of pydantic, made when it is needed (`model.twin`), decides,
converts and says what is wrong. Schemas come from that model too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import FrozenInstanceError, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast, dataclass_transform, get_origin, get_type_hints

from xnai_validate.model import marks
from xnai_validate.model.accept import REFUSED, Accept, NotUnderstood, acceptor

if TYPE_CHECKING:
    from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
    from pydantic_core import CoreSchema, ErrorDetails

_set = object.__setattr__


@dataclass(frozen=True, slots=True)
class RecordField:
    """A field as it is declared."""

    name: str
    annotation: Any
    """With all that `Annotated` adds to it."""
    alias: str | None = None
    """Its name in files and in facts, where that is another."""
    metadata: tuple[Any, ...] = ()
    """What is said of its values beside the annotation."""
    required: bool = True
    default: Any = None
    default_factory: Any = None
    """Makes the default anew, where that is no plain value."""

    def get_default(self, *, call_default_factory: bool = True) -> Any:
        """The value of the field where it is not given."""
        assert call_default_factory, "a default that is made anew is not known before it is made"
        return self.default if self.default_factory is None else self.default_factory()


@dataclass(frozen=True, slots=True)
class Form:
    """What the declaration of a record says."""

    fields: Mapping[str, RecordField]
    keys: Mapping[str, str]
    """The keys under which fields may be given -> the name of the field."""
    required: frozenset[str]
    accept: Mapping[str, Accept] | None
    """None where only pydantic understands the declaration."""
    checks: tuple[Any, ...]
    """Methods that verify the whole."""
    before: Any = None
    """The method that is given the mapping first, and returns the one that is taken."""

    def take(self, record: object, given: Any, info: Any, *, strict: bool) -> bool:
        """Set the fields of a new record; False, and nothing is set, where pydantic should decide."""
        if self.before is not None:
            try:
                given = self.before(given)
            except (ValueError, AssertionError):
                return False
        if self.accept is None or type(given) is not dict:
            return False
        taken: dict[str, Any] = {}
        for key, value in given.items():
            name = self.keys.get(key)
            if name is None:
                if strict:
                    return False
                continue
            value = self.accept[name](value, info)
            if value is REFUSED or name in taken:
                return False
            taken[name] = value
        if not taken.keys() >= self.required:
            return False
        for name, value in taken.items():
            _set(record, name, value)
        if all(_agrees(check, record) for check in self.checks):
            return True
        vars(record).clear()
        return False


def _agrees(check: Any, record: object) -> bool:
    try:
        return check(record) is record
    except (ValueError, AssertionError):
        return False


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(marks.Field,))
class RecordMeta(type):
    """Reads what a class declares when it is first asked for, not when the class is made."""

    _form: Form
    _twin: type[BaseModel]
    _written: dict[str, Any]
    """What stands in the body of the class."""
    _scope: dict[str, Any]
    """The names around a class that is made in a function."""
    _by_name: bool
    _strict: bool

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        by_name: bool | None = None,
        extra: Literal["forbid", "ignore"] | None = None,
    ) -> RecordMeta:
        """`by_name`: a field with an alias may be given under its own name too; `extra`: what unknown keys are."""
        written = dict(namespace)
        for key, value in written.items():
            if isinstance(value, marks.FieldMark):
                del namespace[key]
                if value.default is not marks.UNSET:
                    namespace[key] = value.default
            elif type(value).__module__ == "pydantic.fields":
                raise TypeError(f"{name}.{key}: take Field from xnai_validate.kit, not from pydantic")
            elif key in written.get("__annotations__", ()) and isinstance(value, list | dict | set):
                raise TypeError(f"{name}.{key}: a default that can change needs Field(default_factory=...)")
        made = super().__new__(mcs, name, bases, namespace)
        made._written = written
        made._scope = dict(sys._getframe(1).f_locals) if "<locals>" in made.__qualname__ else {}
        if by_name is not None:
            made._by_name = by_name
        if extra is not None:
            made._strict = extra == "forbid"
        return made

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **said: Any) -> None:
        super().__init__(name, bases, namespace)

    @property
    def form(cls) -> Form:
        """What it declares."""
        found = cls.__dict__.get("_form")
        if found is None:
            found = cls._form = _form_of(cls)
        return found

    @property
    def model_fields(cls) -> Mapping[str, RecordField]:
        """Its fields, those of its bases first."""
        return cls.form.fields

    @property
    def twin(cls) -> type[BaseModel]:
        """The model of pydantic that says what is right."""
        if "_twin" not in cls.__dict__:
            from xnai_validate.model.twin import twin_of

            cls._twin = twin_of(cls)
        return cls._twin


def _form_of(cls: RecordMeta) -> Form:
    fields = {name: _field(cls, name, hint) for name, hint in _hints(cls).items()}
    keys = {field.alias or name: name for name, field in fields.items()}
    if cls._by_name:
        keys |= {name: name for name in fields}
    bodies = [base._written for base in cls.__mro__ if isinstance(base, RecordMeta)]
    checks = [one for body in bodies for one in body.values() if isinstance(one, marks.Verification)]
    return Form(
        fields,
        keys,
        frozenset(name for name, field in fields.items() if field.required),
        _acceptors(cls, fields, bodies),
        tuple(one.method for one in checks if not one.fields and one.mode == "after"),
        next((one.__get__(None, cls) for one in checks if one.mode == "before"), None),
    )


def _hints(cls: RecordMeta) -> dict[str, Any]:
    """Field -> annotation."""
    scope = {name: value for base in reversed(cls.__mro__) for name, value in getattr(base, "_scope", {}).items()}
    hints = get_type_hints(cls, localns=scope, include_extras=True)
    declared = {name for base in cls.__mro__ if isinstance(base, RecordMeta) for name in _own(base)}
    return {name: hint for name, hint in hints.items() if name in declared and get_origin(hint) is not ClassVar}


def _own(cls: RecordMeta) -> Iterator[str]:
    return (name for name in cls._written.get("__annotations__", ()) if not name.startswith("_"))


def _field(cls: RecordMeta, name: str, hint: Any) -> RecordField:
    for base in cls.__mro__:
        body = base._written if isinstance(base, RecordMeta) else {}
        if name not in body and name not in body.get("__annotations__", ()):
            continue
        said = body.get(name, marks.UNSET)
        if not isinstance(said, marks.FieldMark):
            required = said is marks.UNSET
            return RecordField(name, hint, required=required, default=None if required else said)
        required = said.default is marks.UNSET and said.default_factory is None
        default = None if said.default is marks.UNSET else said.default
        return RecordField(name, hint, said.alias, (said,), required, default, said.default_factory)
    raise AttributeError(name)


def _acceptors(
    cls: RecordMeta, fields: Mapping[str, RecordField], bodies: list[dict[str, Any]]
) -> dict[str, Accept] | None:
    by_field: dict[str, list[Any]] = {}
    for body in reversed(bodies):
        for key, one in body.items():
            if type(one).__module__.startswith("pydantic."):  # a validator of its own
                return None
            if isinstance(one, marks.Verification):
                for name in one.fields:
                    by_field.setdefault(name, []).append(marks.AfterValidator(getattr(cls, key)))
    try:
        return {
            name: acceptor(field.annotation, (*field.metadata, *by_field.get(name, ())))
            for name, field in fields.items()
        }
    except NotUnderstood:
        return None


class Record(metaclass=RecordMeta):
    """A frozen value with declared fields."""

    _by_name = False
    _strict = True

    def __init__(self, **given: Any) -> None:
        """Raises pydantic's ValidationError, which is a ValueError."""
        cls = type(self)
        if not cls.form.take(self, given, marks.Info(None), strict=cls._strict):
            self._copy(cls.twin(**given))

    def _copy(self, twin: BaseModel) -> None:
        for name in type(self).form.fields:
            if name in twin.model_fields_set:
                _set(self, name, getattr(twin, name))

    @classmethod
    def model_validate(cls, raw: object, *, context: object = None) -> Self:
        """The record of a mapping, as it is read from a file. Raises pydantic's ValidationError."""
        made = cls.__accept__(raw, marks.Info(context))
        return cls._of(cls.twin.model_validate(raw, context=context)) if made is REFUSED else made

    @classmethod
    def __accept__(cls, raw: object, info: Any) -> Any:
        """The record of a mapping, or REFUSED where pydantic should decide."""
        if type(raw) is cls:
            return raw
        made = cls.__new__(cls)
        return made if cls.form.take(made, raw, info, strict=cls._strict) else REFUSED

    @classmethod
    def _of(cls, twin: BaseModel) -> Self:
        made = cls.__new__(cls)
        made._copy(twin)
        return made

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """As `model_validate`, of a JSON document."""
        try:
            made = cls.__accept__(json.loads(text), marks.Info(None))
        except (ValueError, RecursionError):
            made = REFUSED
        return cls._of(cls.twin.model_validate_json(text)) if made is REFUSED else made

    @classmethod
    def model_construct(cls, **values: Any) -> Self:
        """A record of values that are not verified; those that are left out have their defaults."""
        made, keys = cls.__new__(cls), cls.form.keys
        for key, value in values.items():
            _set(made, keys.get(key, key), value)
        return made

    def gives(self, name: str) -> bool:
        """Whether a field was given."""
        return name in vars(self)

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """The same with other values, which are not verified, by the names of fields."""
        return self.model_construct(**{**{name: vars(self)[name] for name in self.model_fields_set}, **(update or {})})

    @property
    def model_fields_set(self) -> frozenset[str]:
        """The fields that were given."""
        return frozenset(type(self).form.fields.keys() & vars(self).keys())

    def model_dump(
        self, *, mode: Literal["python", "json"] = "python", by_alias: bool = False, exclude_defaults: bool = False
    ) -> dict[str, Any]:
        """The values by name (or alias), records in them too; with `json`, as JSON can hold them."""
        dumped = {}
        for name, field in type(self).form.fields.items():
            value = getattr(self, name)
            if exclude_defaults and not field.required and value == field.get_default():
                continue
            key = field.alias if by_alias and field.alias else name
            dumped[key] = _dumped(value, mode, by_alias, exclude_defaults)
        return dumped

    def model_dump_json(self) -> str:
        """The values by name, as a JSON document."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False)

    @classmethod
    def model_json_schema(cls, *, by_alias: bool = True, ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
        """The JSON Schema of what `model_validate` takes."""
        return cls.twin.model_json_schema(by_alias=by_alias, ref_template=ref_template)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        def read(value: Any, model: Any) -> Any:
            return value if isinstance(value, cls) else cls._of(model(value))

        def written(record: Any) -> Any:
            return record.model_dump(mode="json", by_alias=True)

        as_json = core_schema.plain_serializer_function_ser_schema(written)
        model = handler.generate_schema(cls.twin)
        return core_schema.no_info_wrap_validator_function(read, model, serialization=as_json)

    def __getattr__(self, name: str) -> Any:
        field = type(self).form.fields.get(name)
        if field is None or field.default_factory is None:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        return field.default_factory()  # for a record is frozen, one is as good as the other

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).form.fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in type(self).form.fields)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name, None)!r}" for name in type(self).form.fields)
        return f"{type(self).__name__}({shown})"


def errors_of(error: ValueError) -> list[ErrorDetails]:
    """What `model_validate` found wrong: each with its place, its type and its words."""
    return cast("ValidationError", error).errors(include_url=False)


def _dumped(value: Any, mode: Literal["python", "json"], by_alias: bool, exclude_defaults: bool) -> Any:
    if isinstance(value, Record):
        return value.model_dump(mode=mode, by_alias=by_alias, exclude_defaults=exclude_defaults)
    if isinstance(value, dict):
        return {key: _dumped(item, mode, by_alias, exclude_defaults) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_dumped(item, mode, by_alias, exclude_defaults) for item in value]
        return tuple(items) if isinstance(value, tuple) and mode == "python" else items
    return value.value if isinstance(value, Enum) and mode == "json" else value
