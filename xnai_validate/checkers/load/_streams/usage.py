"""The tokens that a server itself reports of an answer, in the forms that model servers have for it."""

from __future__ import annotations

from typing import NamedTuple

from xnai_validate.kit import JsonObject


class Usage(NamedTuple):
    """Tokens as reported; None where an event does not report them."""

    prompt: int | None
    answer: int | None


_NAMES = (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens"))
"""The names of OpenAI's and of Anthropic's API (https://docs.anthropic.com/en/api/messages-streaming)."""


def usage_of(document: JsonObject) -> Usage | None:
    """Return what an event reports; None where it reports nothing.

    `usage` of an OpenAI-like chunk or of Anthropic's `message_delta`, `message.usage` of its `message_start`, and
    `prompt_eval_count` and `eval_count` of Ollama's last line.
    """
    usage = document.get("usage")
    if usage is None and isinstance(message := document.get("message"), dict):
        usage = message.get("usage")
    if isinstance(usage, dict):
        for prompt, answer in _NAMES:
            if prompt in usage or answer in usage:
                return Usage(_valid_count(usage.get(prompt)), _valid_count(usage.get(answer)))
        return None
    if "eval_count" in document:
        return Usage(_valid_count(document.get("prompt_eval_count")), _valid_count(document["eval_count"]))
    return None


def _valid_count(value: object) -> int | None:
    """Return the value if it is an integer from 0, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
