"""The model of a file of waivers: failures that are accepted until a date, each with its reason and owner."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema

from xnai_validate.config.files.entry import Entry
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import field_errors
from xnai_validate.kit import FROM_FILE

Text = Annotated[str, Field(min_length=1)]


def _day(value: object) -> date:
    """Return the day of `2026-12-31`; raises ValueError."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value} is not a day of the calendar") from None
    raise ValueError(f'"{value}" is not a date; write it as 2026-12-31')


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A day of the calendar, as `2026-12-31`."""


class WaiverEntry(Entry):
    """A failure that is accepted until a date."""

    check: Text
    """A glob on full ids, such as `api/errors:*`."""
    reason: Text
    """Why the failure is accepted; every report shows it."""
    until: Day
    """The last day (UTC) on which it is accepted; at most a year from now."""
    owner: Text
    """Who will remove the cause, or decide again."""


class WaiversFile(Entry):
    """The failures that are accepted for some time."""

    title: str = ""
    waivers: Annotated[tuple[WaiverEntry, ...], Field(max_length=2_000)]


def parse_waivers(source: Source, problems: Problems) -> tuple[WaiverEntry, ...]:
    """The waivers of a file; empty if it has errors, which are noted."""
    if not isinstance(source.value, dict):
        problems.at(Where(source), "a file of waivers is a mapping with `waivers`")
        return ()
    try:
        return WaiversFile.model_validate(source.value, context=FROM_FILE).waivers
    except ValidationError as error:
        problems.extend_at(Where(source), field_errors(error, source.value, WaiversFile, "a file of waivers"))
        return ()
