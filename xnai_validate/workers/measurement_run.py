"""One measurement of a check on a worker, from its order to its facts."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import fields

from xnai_validate import registry
from xnai_validate.engine.attempts.lateness import Lateness
from xnai_validate.kit import Checker, Facts, JsonObject, Unmeasurable
from xnai_validate.model.judging.fact_types import fact_attributes
from xnai_validate.model.results.exchange import Exchange, recorder
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.model.trace_context import TRACEPARENT
from xnai_validate.workers.order_thread import OrderThread
from xnai_validate.workers.orders import PLAIN_HINT, MeasurementOrder, target_of
from xnai_validate.workers.worker_context import WorkerContext

ANSWER_CAP = 4 << 20
"""Characters of an answer as JSON; a larger one is not sent."""
_EXCHANGE = tuple(field.name for field in fields(Exchange))


class MeasurementRun(OrderThread):
    """Measures once; other threads call the methods without underscore."""

    def __init__(self, order: MeasurementOrder, forget: Callable[[], object]) -> None:
        """`forget` is called once the answer is released, or at the end of the lease if it was not fetched."""
        super().__init__(order.lease_s)
        self.ended: Future[None] = Future()
        """Done once everything of it is over."""
        self._released = threading.Event()
        self._forget = forget
        self._order = order
        self._target = None if order.target is None else target_of(order.target)
        self._ctx = WorkerContext(self._target)
        self._ctx.timeout_s = order.timeout_s

    def release(self) -> None:
        """Note that the answer is not needed any longer."""
        self._released.set()

    def answer_text(self) -> str:
        """Return the answer as JSON, within ANSWER_CAP; to be called after the end."""
        text = json.dumps(self.answer)
        if len(text) <= ANSWER_CAP:
            return text
        message = f"what it measured takes {len(text)} characters, and a worker sends {ANSWER_CAP} at most"
        return json.dumps({"error": "Unmeasurable", "message": message, "hint": "measure less of the answer"})

    # In the thread.

    def _main(self) -> None:
        """Work, wake those that wait for the end, and keep the answer for as long as it may be asked for."""
        try:
            super()._main()
            if not self._order.secrets_may_return:
                masker = Masker(self._ctx.secrets)
                self.answer = {name: masker.json(value) for name, value in self.answer.items()}
        finally:
            self.ended.set_result(None)
        self._released.wait(self._lease_s)
        self._forget()

    async def _work(self) -> None:
        """Measure as the order describes, within its time limit."""
        order = self._order
        checker = registry.CHECKERS.get(order.kind)
        if not checker.from_workers:
            raise Unmeasurable(f"{order.kind} is not measured from workers")
        params = checker.params.model_validate(order.params)
        _import_all(checker.preload if isinstance(checker.preload, tuple) else checker.preload(self._target))
        TRACEPARENT.set(order.traceparent)
        lateness = Lateness()
        lateness.begin()
        limit = asyncio.timeout(order.timeout_s)
        facts: Facts | None = None
        try:
            async with self._ctx.opened() as ctx:
                begun = time.monotonic()
                with recorder() as exchanges:
                    try:
                        async with limit:
                            facts = await checker.measure(params, ctx)
                    except TimeoutError:
                        if not limit.expired():
                            raise
                    ended = time.monotonic()
                    late = list(lateness.within((begun, ended)))  # before the end: a call back may be overdue
        finally:
            lateness.end()
        answer: JsonObject = {
            "elapsed_ms": (ended - begun) * 1000,
            "stage": self._ctx.stage,
            "exchanges": [_plain_exchange(each) for each in exchanges.exchanges()],
        }
        if self._order.secrets_may_return:
            answer["secrets"] = [*self._ctx.secrets]
        if facts is not None:
            answer["facts"] = self._permitted(plain_facts(checker, facts))
            answer |= {"not_reached": facts.why_not_reached, "incomplete": facts.why_incomplete}
            answer |= {"span": [begun, ended], "late": [list(each) for each in late]}
        self.answer = answer

    def _permitted(self, facts: JsonObject) -> JsonObject:
        """Return the facts. Raises Unmeasurable where they hold a secret that must not be sent."""
        if not self._order.secrets_may_return and (self._ctx.secrets or Masker(()).json(facts) != facts):
            message = "what it measured holds a secret, and the connections to the workers are not encrypted"
            raise Unmeasurable(message, hint=PLAIN_HINT)
        return facts


def _import_all(names: Iterable[str]) -> None:
    """Import the modules that a measurement needs, so that its time is that of the stack; it reports missing ones."""
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)


def plain_facts(checker: Checker, facts: Facts) -> JsonObject:
    """Return facts as plain data. Raises Unmeasurable where they would not arrive as they are."""
    try:
        plain: JsonObject = json.loads(json.dumps(facts.model_dump(by_alias=True, warnings=False)))
        arrived = checker.facts.model_validate(plain)
    except (TypeError, ValueError, RecursionError):
        arrived = None
    names = fact_attributes(checker.facts).values()
    if arrived is None or not all(_are_same(getattr(arrived, name), getattr(facts, name)) for name in names):
        raise Unmeasurable(f"the facts of {checker.kind} cannot be sent by workers")
    return plain


def _are_same(arrived: object, sent: object) -> bool:
    """Whether two values of a fact are equal, NaN included."""
    return arrived == sent or repr(arrived) == repr(sent)


def _plain_exchange(exchange: Exchange) -> JsonObject:
    """Return an exchange as plain data."""
    return {name: getattr(exchange, name) for name in _EXCHANGE}
