"""How a question is asked, and what of the answer is the text and the sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from xnai_validate.kit import (
    Duration,
    Field,
    JsonObject,
    Observation,
    Params,
    StringConstraints,
    field_validator,
    json_path,
    model_validator,
    values_at,
)

SOURCES_CAP = 100


class Asking(Params):
    """A question, and the requests that ask it."""

    question: Annotated[str, StringConstraints(min_length=1)]
    """What is asked."""
    options: JsonObject = Field(default={})
    """Further fields of the request, such as `{max_tokens: 64}`."""
    query: Observation = Field(default_factory=lambda: Observation(kind="http.request"))
    """How the whole answer is asked for; by default POST /query with `{query: question, ...options}`."""
    stream: Observation = Field(default_factory=lambda: Observation(kind="sse.stream"))
    """How the answer is asked for token by token; by default POST /stream with the same."""
    answer_path: str = "$.response"
    """Where the answer's text stands in the body of `query`: a JSONPath (RFC 9535)."""
    sources_path: str = "$.sources"
    """Where the list of sources stands in it."""
    timeout: Duration = 30.0
    """How long each answer may take."""

    @model_validator(mode="before")
    @classmethod
    def _requests(cls, raw: Any) -> Any:
        """Spell out the requests, so that they are verified, explained and made as any other observation."""
        options = cls.model_fields["options"].get_default(call_default_factory=True)
        options = raw.get("options", options) if isinstance(raw, dict) else None
        if not isinstance(options, dict):
            return raw  # other validators report what is wrong with it
        body = {"query": raw.get("question"), **options}
        limit = {"timeout": raw["timeout"]} if "timeout" in raw else {"timeout": "30s"}
        for name, kind in (("query", "http.request"), ("stream", "sse.stream")):
            with_ = {"method": "POST", "path": f"/{name}", "json": body, **limit}
            raw = {name: {"kind": kind, "with": with_}, **raw}
        return raw

    @field_validator("answer_path", "sources_path")
    @classmethod
    def _compile(cls, path: str) -> str:
        try:
            json_path(path)
        except ValueError as error:
            raise ValueError(f"{path!r} is not a JSONPath: {error}") from None
        return path

    def answer_of(self, facts: Mapping[str, object]) -> str | None:
        """The text of the answer, by either way; None without one."""
        found = facts.get("text") if "tokens" in facts else self._at(self.answer_path, facts)
        return found if isinstance(found, str) else None

    def sources_of(self, facts: Mapping[str, object]) -> list[str] | None:
        """What the answer cites, by either way; None where it does not cite."""
        found = facts.get("sources") if "tokens" in facts else self._at(self.sources_path, facts)
        return [str(name)[:500] for name in found[:SOURCES_CAP]] if isinstance(found, list) else None

    def _at(self, path: str, facts: Mapping[str, object]) -> object:
        found = values_at(path, facts.get("json"))
        return found[0] if found else None
