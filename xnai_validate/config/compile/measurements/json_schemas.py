"""The JSON Schemas that rules name, `{schema: file.json}`: read and verified when the profile is loaded."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from xnai_validate.model.json import JsonValue, texts_named
from xnai_validate.model.judging.rules import Schema, Schemas
from xnai_validate.wire.content import parse_json

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

SIZE_CAP = 4 * 2**20
ERRORS_CAP = 10
"""Errors of a document that are reported."""
MESSAGE_CAP = 200
_LATEST = ("http://json-schema.org/schema", "https://spec.openapis.org/oas/3.1/dialect/base")
"""Dialects that are read as draft 2020-12: the latest one, by which a schema without `$schema` is read too, and that of
OpenAPI 3.1, which only adds annotations."""


def schemas_in(folder: Path | None) -> Schemas:
    """Read schemas from files in the folder of a suite, or in the current directory for rules that are in no file."""
    return lambda name: _schema(Path(folder or "", name), name)


def _schema(path: Path, name: str) -> Schema:
    """The schema of a file; raises ValueError if it cannot be used."""
    try:
        return _read(path, name, path.stat().st_mtime_ns)
    except OSError as error:
        raise ValueError(f"the schema {path} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=256)
def _read(path: Path, name: str, changed_ns: int) -> Schema:
    """The schema of a file that was changed at that time; raises ValueError, and OSError."""
    parsed = parse_json(_read_schema_text(path))
    if not parsed.is_json:
        raise ValueError(f"the schema {name} is {parsed.error}")
    return _Errors(_validator(parsed.value, name)).of


def _read_schema_text(path: Path) -> str:
    """Read a schema file. Raises ValueError if it is not a regular file, too large or not UTF-8, and OSError."""
    # Without O_NONBLOCK, opening a FIFO would wait for a writer.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(f"the schema {path} is not a regular file")
        data = file.read(SIZE_CAP + 1)
    if len(data) > SIZE_CAP:
        raise ValueError(f"the schema {path} is larger than {SIZE_CAP // 2**20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"the schema {path} is not UTF-8 text") from None


def _validator(document: JsonValue, name: str) -> Validator:
    """The validator of a schema: draft 2020-12, or the draft that its `$schema` names."""
    try:
        from jsonschema import Draft202012Validator, SchemaError
        from jsonschema.validators import validator_for
        from referencing.exceptions import Unresolvable
    except ImportError:
        raise ValueError("JSON Schemas need another library: pip install 'xnai-validate[schema]'") from None
    if not isinstance(document, dict):
        raise ValueError(f"the schema {name} is not a JSON object")
    dialects = _with_either_scheme(str(document.get("$schema", _LATEST[0])))
    # None for a dialect that is not known
    kinds = (validator_for({"$schema": dialect}, default=None) for dialect in dialects)  # type: ignore[arg-type]
    kind = next((kind for kind in kinds if kind is not None), None)
    if kind is None and not {dialect.rstrip("#") for dialect in dialects} & set(_LATEST):
        raise ValueError(f"the schema {name} is of an unknown dialect: its $schema names none that is known")
    kind = kind or Draft202012Validator
    try:
        kind.check_schema(document)
    except SchemaError as error:
        raise ValueError(f"the schema {name} is invalid at {error.json_path}: {error.message[:MESSAGE_CAP]}") from None
    except (RecursionError, Unresolvable):
        raise ValueError(f"the schema {name} is nested too deep or of an unknown dialect") from None
    anchors = _anchors_of(document)
    for reference in texts_named("$ref", document):
        _verify(reference, document, anchors, name)
    return kind(document)


def _with_either_scheme(url: str) -> tuple[str, str]:
    """Return the url of a dialect with https and with http: their ids differ in it, and files mix them up."""
    rest = url.partition("://")[2]
    return f"https://{rest}", f"http://{rest}"


def _anchors_of(document: JsonValue) -> frozenset[str]:
    """Return the names of places in a schema: anchors, and the fragments that are ids up to draft 7."""
    ids = (text[1:] for name in ("$id", "id") for text in texts_named(name, document) if text.startswith("#"))
    return frozenset((*texts_named("$anchor", document), *texts_named("$dynamicAnchor", document), *ids))


def _verify(reference: str, document: JsonValue, anchors: Collection[str], name: str) -> None:
    """Raise ValueError for a reference that leads out of the file, or to no place in it."""
    if not reference.startswith("#"):
        raise ValueError(f"the schema {name} refers to {reference[:100]}: only places of the same file are followed")
    if not reference.startswith("#/"):
        if reference != "#" and unquote(reference[1:]) not in anchors:
            raise ValueError(f"the schema {name} refers to {reference[:100]}, which it does not have")
        return
    place: JsonValue = document
    for step in unquote(reference[2:]).split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping) and key in place:
            place = place[key]
        elif isinstance(place, list) and key.isdigit() and int(key) < len(place):
            place = place[int(key)]
        else:
            raise ValueError(f"the schema {name} refers to {reference[:100]}, which it does not have")


class _Errors:
    """Finds the errors of documents by one schema."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def of(self, document: JsonValue) -> list[str]:
        """The first errors of a document, each with its place as a JSONPath; empty if it conforms."""
        errors: list[str] = []
        try:
            for error in self._validator.iter_errors(document):
                errors.append(f"{error.json_path}: {error.message[:MESSAGE_CAP]}")
                if len(errors) == ERRORS_CAP:
                    break
        except RecursionError:
            errors.append("$: the schema and the document are nested too deep to be compared")
        return errors
