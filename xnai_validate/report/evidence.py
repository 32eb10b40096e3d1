"""What was asked and what came back, for a person who repairs it, and the command that asks again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.judging.expressions import values_at
from xnai_validate.model.judging.findings import cut
from xnai_validate.model.results.exchange import LOGS, NO_RESPONSE, Exchange, last_request
from xnai_validate.model.results.repeat_command import SHOWN, repeat_words
from xnai_validate.model.results.report import CheckResult
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms
from xnai_validate.report.words import broken_rules, places_of

EXCERPT = 300
"""Characters of a body, and of the neighbourhood of a value, that are shown."""
END = 120
"""Characters of the end of a long stream that are shown."""
LOG_LINES = 6
"""Last lines of the log of a container that are shown."""
_HEADERS = ("content-type", "location", "www-authenticate", "retry-after", "content-encoding")
"""Headers of a response that explain it."""
_LAST_STEP = re.compile(r"(\.[\w-]+|\['[^']*'\]|\[\d+\])$")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The exchange that a failure rests on, in lines with labels."""

    rows: tuple[tuple[str, str], ...]
    """Labels (`asked`, `sent`, `got`, `body`, `near`, `log`) and their texts."""
    command: tuple[str, ...]
    """The words of a command that asks again, quoted for a shell; secrets are names of variables."""

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The rows, and the command in one line under the label `repeat`."""
        return [*self.rows, ("repeat", " ".join(self.command))]


def evidence_lines(check: CheckResult) -> list[tuple[str, str]]:
    """Return the labels and texts of the evidence of a check, where it was measured first; empty if it has none."""
    evidence, places = evidence_of(check), places_of(check)
    return ([("from", places)] if places else []) + (evidence.lines if evidence else [])


def evidence_of(check: CheckResult) -> Evidence | None:
    """Return the evidence of a check that failed, warns or was not measured: its last exchange, and the log beside it.

    What stands beside a wrong value in JSON replaces the body. None for any other status, and if no exchange was kept.
    """
    if check.status not in SHOWN or not check.exchanges:
        return None
    exchange = last_request(check.exchanges)
    assert exchange is not None
    near = "; ".join(_neighbourhoods(check))
    known = f"{check.reason} {check.facts.get('error_detail')}"
    rows = tuple(_rows(exchange, known, with_body=not near))
    log = check.exchanges[-1]
    rows += (("near", near),) if near else ()
    if log is not exchange and log.protocol in LOGS:
        rows += (("log", " ".join(repeat_words(log))), *_rows(log, known, with_body=False))
    return Evidence(rows, tuple(repeat_words(exchange)))


def _rows(exchange: Exchange, known: str, *, with_body: bool) -> Iterator[tuple[str, str]]:
    """The rows of an exchange; `known` is what the report shows of the failure already."""
    if exchange.protocol in LOGS:
        for line in (exchange.response_body or "").splitlines()[-LOG_LINES:]:
            yield "log", cut(printable(line), EXCERPT)
        return
    yield "asked", exchange.request + ("" if exchange.load_count is None else f" ({exchange.load_count} times)")
    if exchange.request_body:
        yield "sent", cut(_in_one_line(exchange.request_body), EXCERPT)
    failure = exchange.failure
    response = _response(exchange, "" if failure and failure.removeprefix(NO_RESPONSE) in known else failure)
    if response:
        yield "got", response
    if with_body and exchange.response_body:
        yield "body", _body(exchange)


def _response(exchange: Exchange, failure: str | None) -> str:
    """The response in one line: `503 Service Unavailable, application/json, 214 bytes, 12 ms`."""
    parts = [exchange.response] if exchange.response else []
    parts += [
        value if name == "content-type" else f"{name}: {value}"
        for name, value in exchange.response_headers.items()
        if name in _HEADERS
    ]
    if exchange.load_count is not None:
        return ", ".join([*parts, failure] if failure else parts)
    if exchange.protocol == "http" and exchange.response:
        parts.append(f"{exchange.response_bytes} bytes")
    if failure:
        parts.append(failure)
    elif exchange.failure is None:
        parts.append(format_ms(exchange.elapsed_ms))
    return ", ".join(parts)


def _body(exchange: Exchange) -> str:
    """Return an excerpt of the response body: on one line, or the beginning and the end of a stream."""
    body = exchange.response_body or ""
    if exchange.response_headers.get("content-type", "").startswith("text/event-stream"):
        end = exchange.response_end or body[EXCERPT:]
        return printable(body[:EXCERPT]) + (f" ... {printable(end[-END:])}" if end else "")
    return cut(_in_one_line(body), EXCERPT)


def _in_one_line(text: str) -> str:
    """Return a text with each run of white space as one blank."""
    return " ".join(text.split())


def _neighbourhoods(check: CheckResult) -> Iterator[str]:
    """For each broken rule about a value in JSON, the object or list that holds the value, shortened; each one once."""
    shown: set[str] = set()
    for finding in broken_rules(check):
        fact, _, path = finding.fact.partition(" ")
        parent = _LAST_STEP.sub("", path)
        if not path.startswith("$") or parent in shown:
            continue
        shown.add(parent)
        try:
            values = values_at(parent, check.facts.get(fact))
        except (Unmeasurable, ValueError):
            continue
        if len(values) == 1 and isinstance(values[0], (dict, list)):
            yield f"{parent}: {cut(json.dumps(_shallow(values[0]), ensure_ascii=False), EXCERPT)}"


def _shallow(value: JsonValue) -> JsonValue:
    """A JSON value whose items are cut where they are long, so that all names beside a value are visible."""
    if isinstance(value, dict):
        return {name: _brief(item) for name, item in value.items()}
    return [_brief(item) for item in value] if isinstance(value, list) else value


def _brief(item: JsonValue) -> JsonValue:
    """Return a JSON value shortened to one short line."""
    if isinstance(item, str):
        return cut(item, 60)
    text = json.dumps(item, ensure_ascii=False)
    return item if len(text) <= 60 else f"{cut(text, 40)}"
