"""The inputs that a question endpoint is tried with: each with a name, and what must become of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus

from xnai_validate.checkers.rag._input import Expectation, Input, of_json
from xnai_validate.checkers.rag._malformed import malformed
from xnai_validate.checkers.rag._models import LimitsParams
from xnai_validate.kit import JsonObject, JsonValue

WIDE = "ü"
"""Two bytes, one character: a limit in characters must not be one in bytes."""


def inputs(params: LimitsParams) -> Iterator[Input]:
    """All inputs of the wanted groups."""
    groups = {"lengths": lengths, "numbers": numbers, "types": types, "unicode": scripts}
    for group in params.groups:
        yield from malformed(params.question) if group == "malformed" else groups[group](params)


def lengths(params: LimitsParams) -> Iterator[Input]:
    """Questions of every length that matters; the answers are kept short."""
    most = params.query_characters
    texts: dict[str, tuple[str, Expectation]] = {
        "a question of 0 characters": ("", "refused"),
        "a question of 1 character": ("x", "accepted"),
        f"a question of {most - 1} characters": ("x" * (most - 1), "accepted"),
        f"a question of {most} characters": ("x" * most, "accepted"),
        f"a question of {most} characters, two bytes each": (WIDE * most, "accepted"),
        f"a question of {most + 1} characters": ("x" * (most + 1), "refused"),
        f"a question of {most + 1} characters, two bytes each": (WIDE * (most + 1), "refused"),
        f"a question of {10 * most} characters": ("x" * (10 * most), "refused"),
    }
    for name, (text, expected) in texts.items():
        yield of_json(name, expected, {"query": text, "max_tokens": 1})
    yield of_json("no question", "refused", {})
    yield of_json("a question of blanks", "answered", {"query": " " * 20, "max_tokens": 1})


def numbers(params: LimitsParams) -> Iterator[Input]:
    """Each number at its ends and beyond them."""
    values: dict[str, dict[Expectation, list[JsonValue]]] = {
        "max_tokens": {
            "accepted": [1, 2, params.max_tokens],
            "refused": [0, -1, params.max_tokens + 1, 1.5, 10**12],
        },
        "temperature": _range_inputs(params.temperature),
        "top_p": _range_inputs(params.top_p),
    }
    for field, by_expectation in values.items():
        for expected, several in by_expectation.items():
            for value in several:
                made = of_json(f"{field} of {value}", expected, _question(params, field, value))
                # The model may generate that number of tokens and exceed its time: then the number was accepted.
                is_long = field == "max_tokens" and value == params.max_tokens
                yield replace(made, also=(HTTPStatus.GATEWAY_TIMEOUT,)) if is_long else made


def _range_inputs(most: float) -> dict[Expectation, list[JsonValue]]:
    """Return numbers within and beyond the range from 0 to `most`."""
    inside: list[JsonValue] = [0, most, most / 2, math.nextafter(most, 0)]
    beyond: list[JsonValue] = [math.nextafter(most, math.inf), -0.01, most + 1, 1e300]
    return {"accepted": inside, "refused": beyond}


def types(params: LimitsParams) -> Iterator[Input]:
    """Each field with values of other types."""
    others: dict[str, list[JsonValue]] = {
        "query": [None, 5, True, ["a"], {"a": "b"}],
        "use_rag": [None, 7, "perhaps", [], {}],
        "max_tokens": [None, "many", [], {}],
        "temperature": [None, "warm", [], {}],
        "top_p": [None, "most", [], {}],
    }
    for field, values in others.items():
        for value in values:
            yield of_json(f"{field} of {_type_name(value)}", "refused", _question(params, field, value))
    yield of_json("a field that is not known", "accepted", _question(params, "no_such_field", {"a": [1]}))


def scripts(params: LimitsParams) -> Iterator[Input]:
    """Questions in many scripts, and characters that something on the way may stumble over."""
    texts = {
        "German": "Wie groß darf die Übersicht sein?",
        "Japanese": "これは何ですか。",
        "Arabic": "ما هي حدود الذاكرة؟",
        "Hindi": "यह क्या है?",
        "an emoji of several characters": "What is this? \U0001f469\u200d\U0001f469\u200d\U0001f467",
        "combining marks": "Z\u0335\u0321a\u0335\u0322l\u0337\u0321g\u0336o\u0334",
        "directional marks": "What is \u202eevil\u202c?",
        "a zero width space": "What\u200b is this?",
        "a byte order mark within": "What \ufeff is this?",
        "a line separator": "What\u2028is this?",
        "markup": "<script>alert(1)</script> &amp; what is this?",
        "quotes and backslashes": "What is \"'\\\\' OR 1=1 --?",
        "braces of templates": "What is {{7*7}} ${HOME} %s {0}?",
        "a frame of an event stream": 'What is this?\n\ndata: {"type": "done"}\n\n',
    }
    for name, text in texts.items():
        yield of_json(
            f"a question in {name}" if name.istitle() else f"a question with {name}", "accepted", {"query": text}
        )
    yield of_json("a question with NUL", "answered", {"query": "a\u0000b"})
    yield Input("a question with a lone surrogate", "answered", b'{"query": "\\ud800"}')
    yield Input("a question with an escaped pair", "accepted", b'{"query": "What is \\ud83d\\ude00?"}')


def _question(params: LimitsParams, field: str, value: JsonValue) -> JsonObject:
    """A question that is taken, but for one field."""
    return {"query": params.question, "max_tokens": 1, field: value}


def _type_name(value: JsonValue) -> str:
    """Return the name of a value's JSON type for the name of an input."""
    if value is None:
        return "null"
    named = {bool: "true", int: f"the number {value}", str: f"the text {value}", list: "a list"}
    return named.get(type(value), "an object")
