"""The spans of a run, made from its events: one for the run, one for each check.

A check's span id is chosen when its first request is sent, before the events that make the span have been read; so the
spans that a stack adds to the trace have their parent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from xnai_validate import __version__
from xnai_validate.model.json import JsonValue
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.report import CheckInfo
from xnai_validate.model.results.status import Status as CheckStatus

Attributes = dict[str, bool | int | float | str]
ATTRIBUTES = 200
"""Attributes of a span, its facts included."""
FACTS = 180
"""Attributes that are facts. Beyond its limit the SDK drops the oldest attribute, the id of the check."""
TEXT_CAP = 256
"""Characters of an attribute."""
EVENTS = 64
"""Events of a span, such as attempts and faults."""
FLUSH_MS = 10_000
LARGEST = 2**63 - 1
"""Integers beyond it are not integers of OTLP."""


class _ChosenIds(IdGenerator):
    """Gives the next span the id that was chosen for it."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.trace_id = self._random.generate_trace_id()
        self.next_span_id = self._random.generate_span_id()

    def new(self) -> int:
        """Return a random span id."""
        return self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        """Return the id of the one trace."""
        return self.trace_id

    def generate_span_id(self) -> int:
        """Return the chosen id."""
        return self.next_span_id


class RunTrace:
    """The trace of one run, made from its events in their order; spans are exported in batches during the run."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._ids = _ChosenIds()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "xnai-validate", "service.version": __version__}),
            id_generator=self._ids,
            span_limits=SpanLimits(
                max_span_attributes=ATTRIBUTES, max_span_attribute_length=TEXT_CAP, max_events=EVENTS
            ),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("xnai-validate", __version__)
        self._span_ids: dict[str, int] = {}
        self._infos: dict[str, CheckInfo] = {}
        self._root: Span | None = None
        self._context = Context()
        self._open: dict[str, Span] = {}
        """Full id of a check -> its span, while it is measured."""
        self._faults: dict[str, Span] = {}
        """Undo record -> the span that the fault belongs to."""
        self._failed = 0

    @property
    def trace_id(self) -> str:
        """The id of the trace, 32 hexadecimal digits."""
        return f"{self._ids.trace_id:032x}"

    def traceparent(self, check_id: str) -> str:
        """Return the header `traceparent` of the requests of a check: version 00, sampled (W3C Trace Context 3.2)."""
        return f"00-{self.trace_id}-{self._span_id_of(check_id):016x}-01"

    def take(self, event: ev.Event) -> None:
        """Add an event."""
        at = int(event.at * 1e9)
        match event:
            case ev.RunStarted():
                self._begin_run(event, at)
            case ev.CheckStarted():
                self._open[event.id] = self._begin_check(event.id, at)
            case ev.AttemptFinished():
                attributes: Attributes = {
                    "attempt": event.attempt,
                    "held": event.held,
                    "reason": event.reason or "",
                }
                self._span_of(event.id).add_event("attempt", attributes, at)
            case ev.FaultInjected():
                self._faults[event.undo] = span = self._span_of(event.check)
                span.add_event("fault injected", {"fault": event.fault, "target": event.target or ""}, at)
            case ev.FaultReverted():
                span = self._faults.pop(event.undo, self._span_of(None))
                span.add_event("fault reverted", {"proven": event.proven}, at)
            case ev.CheckFinished():
                self._finish(event, at)
            case ev.Notice():
                self._span_of(None).add_event(event.level, {"text": event.text}, at)
            case ev.RunFinished():
                self._end_run(event, at)
            case _:
                pass

    def close(self) -> bool:
        """End what is open, export what is left; return whether that was done in time."""
        for span in (*self._open.values(), *([self._root] if self._root is not None else [])):
            if span.is_recording():
                span.end()
        done = self._provider.force_flush(FLUSH_MS)
        self._provider.shutdown()
        return done

    def _span_id_of(self, check_id: str) -> int:
        """Return the id of a check's span, the same for each call."""
        return self._span_ids.setdefault(check_id, self._ids.new())

    def _begin_run(self, event: ev.RunStarted, at: int) -> None:
        """Begin the span of the run."""
        self._infos = {info.id: info for info in event.checks}
        profiles = " ".join(event.run.profiles)
        attributes: Attributes = {
            "xnai.run.id": event.run.id,
            "xnai.profiles": profiles,
            "xnai.checks": len(event.checks),
        }
        self._root = self._tracer.start_span(f"run {profiles}", Context(), SpanKind.INTERNAL, attributes, start_time=at)
        self._context = set_span_in_context(self._root, Context())

    def _begin_check(self, check_id: str, at: int) -> Span:
        """Begin the span of a check."""
        info = self._infos.get(check_id)
        attributes = {"xnai.check.id": check_id}
        if info is not None:
            attributes |= {"xnai.check.title": info.title, "xnai.check.kind": info.kind}
            attributes |= {"xnai.check.target": info.target} if info.target else {}
        self._ids.next_span_id = self._span_id_of(check_id)
        return self._tracer.start_span(check_id, self._context, SpanKind.INTERNAL, attributes, start_time=at)

    def _span_of(self, check_id: str | None) -> Span:
        """Return the open span of a check, else that of the run."""
        span = self._open.get(check_id or "", self._root)
        assert span is not None  # the first event of a run makes its span
        return span

    def _finish(self, event: ev.CheckFinished, at: int) -> None:
        """End the span of a check; one that was not begun has a span without duration."""
        span = self._open.pop(event.id, None) or self._begin_check(event.id, at)
        span.set_attribute("xnai.check.status", event.status.value)
        span.set_attribute("xnai.check.attempts", event.attempts)
        if event.reason:
            span.set_attribute("xnai.check.reason", event.reason)
        for name, value in islice(fact_attributes(event.facts), FACTS):
            span.set_attribute(name, value)
        if event.status.passed:
            span.set_status(Status(StatusCode.OK))
        elif event.status in (CheckStatus.FAIL, CheckStatus.ERROR):
            self._failed += 1
            span.set_status(Status(StatusCode.ERROR, (event.reason or event.status.value)[:TEXT_CAP]))
        span.end(at)

    def _end_run(self, event: ev.RunFinished, at: int) -> None:
        """End the span of the run with its verdict."""
        root = self._span_of(None)
        root.set_attribute("xnai.stopped", event.stopped or "")
        if self._failed or event.stopped or event.not_undone:
            why = event.stopped or f"{self._failed} checks failed or could not be measured"
            root.set_status(Status(StatusCode.ERROR, why))
        else:
            root.set_status(Status(StatusCode.OK))
        root.end(at)


def fact_attributes(facts: Mapping[str, JsonValue]) -> Iterator[tuple[str, bool | int | float | str]]:
    """Yield the facts that are not null as attributes `xnai.fact.NAME`.

    The items of a mapping are attributes of their own; lists, and mappings within a mapping, are JSON.
    """
    for name, value in facts.items():
        if not isinstance(value, dict):
            yield from _attributes_of(f"xnai.fact.{name}", value)
            continue
        for key, item in value.items():
            yield from _attributes_of(f"xnai.fact.{name}.{key}"[:TEXT_CAP], item)


def _attributes_of(name: str, value: JsonValue) -> Iterator[tuple[str, bool | int | float | str]]:
    """Yield a fact as an attribute, lists and mappings as JSON; null is left out."""
    if isinstance(value, list | dict):
        yield name, json.dumps(value, ensure_ascii=False)[:TEXT_CAP]
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield name, str(value)[:TEXT_CAP]
    elif value is not None:
        yield name, value
