"""How a question is asked, and what of the answer is the text and the sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from xnai_validate.checkers._streams.content import source_names
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


class Asking(Params):
    """A question, and the requests that ask it."""

    question: Annotated[str, StringConstraints(min_length=1)]
    """What is asked."""
    dialect: Literal["xnai", "openai"] = "xnai"
    """How questions are asked: `openai` is spoken by LiteLLM, Open WebUI, RAGFlow, vLLM and many others. It sets the
    defaults of `query`, `stream`, `answer_path` and `sources_path`."""
    model: str | None = None
    """The model that is asked, where the dialect is `openai`."""
    options: JsonObject = Field(default={})
    """Further fields of the request, such as `{max_tokens: 64}`."""
    query: Observation = Field(default_factory=lambda: Observation(kind="http.request"))
    """How the whole answer is asked for; by default POST /query with `{query: question, ...options}`, in OpenAI's
    dialect POST /v1/chat/completions with the question as a message of the user."""
    stream: Observation = Field(default_factory=lambda: Observation(kind="sse.stream"))
    """How the answer is asked for token by token; by default POST /stream with the same, in OpenAI's dialect the same
    path with `stream: true`."""
    answer_path: str = "$.response"
    """Where the answer's text stands in the body of `query`: a JSONPath (RFC 9535); `$.choices[0].message.content` in
    OpenAI's dialect."""
    sources_path: str = "$.sources"
    """Where the list of sources stands in it: the first list at this path counts. In OpenAI's dialect it is a list
    `sources` or `citations`, or what `reference` holds (RAGFlow), anywhere. A source is a text, or an object with a
    name."""
    timeout: Duration = 30.0
    """How long each answer may take."""
    lenient: bool = False
    """Whether the default of `stream` also reads frames that end in backslash and n; see sse.stream."""

    @model_validator(mode="before")
    @classmethod
    def _requests(cls, raw: Any) -> Any:
        """Spell out the requests, so that they are verified, explained and made as any other observation."""
        options = cls.model_fields["options"].get_default(call_default_factory=True)
        options = raw.get("options", options) if isinstance(raw, dict) else None
        if not isinstance(options, dict):
            return raw  # other validators report what is wrong with it
        limit = {"timeout": raw["timeout"]} if "timeout" in raw else {"timeout": "30s"}
        if raw.get("dialect") == "openai":
            return {**_openai_asking(raw, options, limit), **raw}
        with_ = {"method": "POST", "json": {"query": raw.get("question"), **options}, **limit}
        query = {"kind": "http.request", "with": {"path": "/query", **with_}}
        stream = {"kind": "sse.stream", "with": {"path": "/stream", **with_, **_framing_params(raw)}}
        return {"query": query, "stream": stream, **raw}

    @field_validator("answer_path", "sources_path")
    @classmethod
    def _verify_path(cls, path: str) -> str:
        """Return the path. Raises ValueError if it is not a JSONPath."""
        try:
            json_path(path)
        except ValueError as error:
            raise ValueError(f"{path!r} is not a JSONPath: {error}") from None
        return path

    def answer_of(self, facts: Mapping[str, object]) -> str | None:
        """The text of the answer, by either way; None without one."""
        text = facts.get("text") if "tokens" in facts else self._value_at(self.answer_path, facts)
        return text if isinstance(text, str) else None

    def sources_of(self, facts: Mapping[str, object]) -> list[str] | None:
        """Return the sources that the answer cites, streamed or not; None if it cites no source."""
        if "tokens" in facts:
            return source_names(facts.get("sources"))  # type: ignore[arg-type]
        names = (source_names(value) for value in values_at(self.sources_path, facts.get("json")))  # type: ignore[arg-type]
        return next((found for found in names if found is not None), None)

    def _value_at(self, path: str, facts: Mapping[str, object]) -> object:
        """Return the first value at a path of the response."""
        values = values_at(path, facts.get("json"))
        return values[0] if values else None


def _framing_params(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the params that decide how strictly a stream is read."""
    return {"lenient": raw["lenient"]} if "lenient" in raw else {}


def _openai_asking(raw: dict[str, Any], options: dict[str, Any], limit: dict[str, Any]) -> dict[str, Any]:
    """Return how chat completions of OpenAI's API are requested, and where their responses hold text and sources."""
    model = {} if raw.get("model") is None else {"model": raw["model"]}
    body = {**model, "messages": [{"role": "user", "content": raw.get("question")}], **options}
    with_ = {"method": "POST", "path": "/v1/chat/completions", **limit}
    return {
        "query": {"kind": "http.request", "with": {**with_, "json": body}},
        "stream": {
            "kind": "sse.stream",
            "with": {**with_, "json": {**body, "stream": True}, "dialect": "openai", **_framing_params(raw)},
        },
        "answer_path": "$.choices[0].message.content",
        "sources_path": "$..['sources', 'citations', 'reference', 'chunks']",
    }
