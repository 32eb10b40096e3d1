"""A contract file, `contracts/<name>.yaml`: the promises and practices that checks refer to."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from xnai_validate.config.files.entry import Entry, Texts, require_match

_PROMISE_ID = r"[a-z0-9]+(?:[.-][a-z0-9]+)*"


def _verify_promise_id(value: str) -> str:
    """Return the text. Raises ValueError if it is not the id of a promise, such as `api.errors.envelope`."""
    return require_match(value, _PROMISE_ID, "a promise id; use lower-case words, joined by dots and hyphens")


PromiseId = Annotated[
    str, AfterValidator(_verify_promise_id), WithJsonSchema({"type": "string", "pattern": f"^{_PROMISE_ID}$"})
]
"""The name of a promise such as `api.errors.envelope`."""


class PromiseEntry(Entry):
    """One promise: what a check may hold a stack to, and where that is written."""

    id: PromiseId
    text: Annotated[str, Field(min_length=1)]
    """One sentence that is true of a healthy stack."""
    source: Annotated[str, Field(min_length=1)]
    """Where it is promised: a document or interface of the stack, a specification, the vendor's documentation."""
    layouts: Texts = ()
    """The layouts for which it holds; empty: all."""
    unchecked: str | None = None
    """Why no check can verify it, if none can."""


class ContractFile(Entry):
    """The promises of a stack, or the practices of its field."""

    title: Annotated[str, Field(min_length=1)]
    promises: tuple[PromiseEntry, ...] = ()
    """A check of a promise that is not kept fails."""
    practices: tuple[PromiseEntry, ...] = ()
    """Good practices that the stack never promised: a check of one warns, and fails only in a strict profile."""
