"""The model of pydantic that a record stands for; made when a value is not plainly right, or a schema is asked for."""

from __future__ import annotations

from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict

from xnai_validate.model import marks
from xnai_validate.model.field_docs import DocumentedValue
from xnai_validate.model.record import Record, RecordMeta


class Documented(DocumentedValue, BaseModel):
    """A model whose fields are documented by the text under them, also in its JSON Schema."""

    def gives(self, name: str) -> bool:
        """As a record has it, for the methods that verify one."""
        return name in self.model_fields_set


def twin_of(record: RecordMeta) -> type[BaseModel]:
    """A model with the fields, validators, methods and texts of a record."""
    if record is Record:
        return Documented
    written = record._written
    own = written.get("__annotations__", {})
    config = ConfigDict(
        frozen=True,
        extra="forbid" if record._strict else "ignore",
        populate_by_name=record._by_name,
        defer_build=True,
    )
    body = {
        **{name: _theirs(value) for name, value in written.items() if name not in ("__classcell__", "__slots__")},
        "__annotations__": {name: record.form.fields[name].annotation for name in own if name in record.form.fields},
        "model_config": config,
    }
    bases = tuple(base.twin if isinstance(base, RecordMeta) else base for base in record.__bases__)
    made: type[BaseModel] = type(bases[0])(record.__name__, bases, body)
    return made


def _theirs(value: Any) -> Any:
    """What stands in the body of a class, as pydantic has it."""
    if isinstance(value, marks.FieldMark):
        said = {"default": value.default} if value.default is not marks.UNSET else {}
        if value.default_factory is not None:
            said["default_factory"] = value.default_factory
        return pydantic.Field(**said, alias=value.alias, **value.bounds)
    if isinstance(value, marks.Verification):
        if value.fields:
            return pydantic.field_validator(*value.fields)(value.method)
        return pydantic.model_validator(mode=value.mode)(value.method)
    return value
