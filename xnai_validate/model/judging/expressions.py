"""Regular expressions and JSONPaths, applied to what a server sent: bounded in time and in the text they read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from jsonpath_rfc9535 import JSONPathError, JSONPathNode, JSONPathQuery, compile

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.judging.cpu_limit import CpuLimitExceeded, within_cpu_limit

T = TypeVar("T")

TEXT_CAP = 65_536
"""A regular expression reads at most this many characters of a text."""
CPU_LIMIT_S = 2.0
"""CPU time that one regular expression, or one JSONPath, may take."""
CACHED = 4096
"""Compiled expressions that are kept."""


def search(regex: str, text: str) -> re.Match[str] | None:
    """Return the first match in the first 65 536 characters of a text; raises Unmeasurable if it takes too long."""
    pattern, head = _compile_pattern(regex), text[:TEXT_CAP]
    return within_limit(lambda: pattern.search(head), "match", regex)


@lru_cache(maxsize=CACHED)
def _compile_pattern(regex: str) -> re.Pattern[str]:
    """Compile a regular expression, cached."""
    return re.compile(regex)


def verified_regex(text: str) -> str:
    """Return a regular expression as it is; raises ValueError for one that Python cannot compile."""
    try:
        re.compile(text)
    except (re.error, OverflowError) as error:
        raise ValueError(f"{_quote(text)} is not a regular expression: {error}") from None
    except RecursionError:
        raise ValueError(f"{_quote(text)} is nested too deep for a regular expression") from None
    return text


def _quote(text: str) -> str:
    """Quote a text for a message as JSON, and cut it."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if len(quoted) <= 80 else f"{quoted[:76]} ..."


@lru_cache(maxsize=CACHED)
def json_path(text: str) -> JSONPathQuery:
    """Return the compiled query (RFC 9535); raises ValueError with the library's message, in one line."""
    try:
        return compile(text)
    except JSONPathError as error:
        raise ValueError(error.args[0]) from None  # str(error) has several lines from 2.0 on
    except RecursionError:
        raise ValueError("it is nested too deep") from None


@lru_cache(maxsize=CACHED)
def is_singular(path: str) -> bool:
    """Return whether a JSONPath finds one value at most, as `$.a[0]` does; raises ValueError as `json_path` does.

    RFC 9535 section 2.3.5.1 allows only such queries as operands of a comparison, so the library's own parser decides.
    """
    json_path(path)
    try:
        json_path(f"$[?{path} == 0]")
    except ValueError:
        return False
    return True


def values_at(path: str, document: object) -> list[object]:
    """Return the values that a JSONPath finds in a document.

    Raises Unmeasurable if that takes too long or the document is too deep.
    """
    return [node.value for node in _find_nodes(path, document)]


def locations_of(path: str, document: object, most: int) -> list[str]:
    """Return where the first `most` values are that a JSONPath finds: `components.redis`, `items[2].id`.

    Raises Unmeasurable as `values_at` does.
    """
    nodes = _find_nodes(path, document, most)
    return ["".join(map(_format_step, node.location)).removeprefix(".") for node in nodes]


def _find_nodes(path: str, document: Any, most: int | None = None) -> list[JSONPathNode]:
    """Return the first `most` nodes at a JSONPath. Raises Unmeasurable if the document is nested too deeply."""
    query = json_path(path)
    try:
        return within_limit(lambda: list(islice(query.finditer(document), most)), "follow", path)
    except JSONPathError as error:
        raise Unmeasurable(
            f"{path!r} cannot be followed in what the server sent: {error.args[0]}",
            hint="name the place with fewer `..`: the library follows them through a bounded number of levels",
        ) from None


def _format_step(key: str | int) -> str:
    """Format one step of a path: `[0]` or `.name`."""
    return f"[{key}]" if isinstance(key, int) else f".{key}"


def within_limit(compute: Callable[[], T], verb: str, expression: str) -> T:
    """The result of `compute`; raises Unmeasurable if it takes more than 2 s of CPU time."""
    try:
        return within_cpu_limit(CPU_LIMIT_S, compute)
    except CpuLimitExceeded:
        raise Unmeasurable(
            f"{expression!r} takes more than {CPU_LIMIT_S:g} s to {verb} on what the server sent",
            hint="write it so that nothing in it can be matched in many ways, as in (a+)+ or $..*..*",
        ) from None
