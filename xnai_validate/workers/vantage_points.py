"""The workers of a run as vantage points: each measures a check from where it is, and the check is judged here."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

from xnai_validate.engine.attempts.lateness import Lateness
from xnai_validate.engine.attempts.vantage import Measured
from xnai_validate.errors import ConfigError, NotApplicable, XnaiError
from xnai_validate.kit import Checker, Context, Facts, JsonObject, Unmeasurable, uninterrupted
from xnai_validate.model.frozen_model import FrozenModel
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.vantage import AT_ONCE, AT_ONCE_EACH, EVERY_WORKER, HERE, SPARE_S
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.trace_context import TRACEPARENT
from xnai_validate.plan import CompiledMeasurement, Plan
from xnai_validate.workers import measurement_calls
from xnai_validate.workers.cluster import LOST_S, Cluster, Worker, WorkerLost, WorkerRefused
from xnai_validate.workers.measurement_run import ANSWER_CAP
from xnai_validate.workers.orders import MeasurementOrder
from xnai_validate.workers.sender import Sender

STOP_S = 1.0
LISTED = 20
"""Names of workers that a message lists."""


class Answer(FrozenModel):
    """What a worker has sent about a measurement that ended."""

    elapsed_ms: float
    stage: str
    exchanges: tuple[Exchange, ...]
    secrets: tuple[str, ...] = ()
    """What the checker has found and what must be masked; empty where secrets must not be sent."""
    facts: JsonObject | None = None
    """None where the time limit ended the measurement."""
    not_reached: str | None = None
    incomplete: str | None = None
    span: tuple[float, float] | None = None
    """When it measured, in seconds of its `time.monotonic`."""
    late: tuple[tuple[float, float], ...] = ()
    """When it was late meanwhile, by the same clock."""


class Failure(FrozenModel):
    """Why a worker has not measured."""

    error: Literal["Unmeasurable", "NotApplicable"]
    message: str
    hint: str | None


class WorkerPoints:
    """Finds the workers that the names of a check stand for."""

    def __init__(self, cluster: Cluster, sender: Sender) -> None:
        self._cluster, self._sender = cluster, sender
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._gates = {worker.address: asyncio.Semaphore(AT_ONCE_EACH) for worker in cluster.workers}

    def points(self, names: Sequence[str]) -> Sequence[WorkerPoint]:
        """Return a vantage point for each worker that is named, each once. Raises Unmeasurable for an unknown name."""
        points: dict[str, WorkerPoint] = {}
        for name in names:
            found = list(workers_of(name, self._cluster.workers))
            if not found:
                raise Unmeasurable(unknown_worker(name), hint=describe_workers(name, self._cluster.workers))
            for worker in found:
                own = worker.label if worker.name == HERE else worker.name  # two places must not have one name
                label = own if name in (worker.name, EVERY_WORKER) else f"{name} ({own})"
                gates = (self._gates[worker.address], self._gate)
                points.setdefault(worker.address, WorkerPoint(label, worker, self._cluster, self._sender, gates))
        return tuple(points.values())


def refuse_unknown_workers(plan: Plan, workers: Sequence[Worker]) -> None:
    """Raise ConfigError if a check of the plan names a worker that is not connected."""
    for check in plan.checks:
        for name in check.vantage:
            if check.skip is None and name != HERE and not any(workers_of(name, workers)):
                place = f"{check.info.source.file}:{check.info.source.line}"
                raise ConfigError(f"{place}: {unknown_worker(name)}", hint=describe_workers(name, workers))


def places_of(plan: Plan, workers: Sequence[Worker]) -> dict[str, tuple[str, ...]]:
    """Return full id -> addresses of the workers that measure the check; checks that none measures are absent."""
    places: dict[str, tuple[str, ...]] = {}
    for check in plan.checks:
        names = [name for name in check.vantage if name != HERE and check.skip is None]
        addresses = dict.fromkeys(worker.address for name in names for worker in workers_of(name, workers))
        if addresses:
            places[check.id] = tuple(addresses)
    return places


def workers_of(name: str, workers: Iterable[Worker]) -> Iterator[Worker]:
    """Yield the workers that a name stands for: its own, a resource, or `workers` for each."""
    return (worker for worker in workers if name in (EVERY_WORKER, worker.name) or name in worker.resources)


def unknown_worker(name: str) -> str:
    """Describe a name that no worker has."""
    return f'no worker "{name}" is connected, by name or by resource'


def describe_workers(name: str, workers: Iterable[Worker]) -> str:
    """Describe which names there are, the nearest first."""
    known = sorted({known for worker in workers for known in (worker.name, *worker.resources)})
    listed = ", ".join(known[:LISTED]) + (f" and {len(known) - LISTED} more" if len(known) > LISTED else "")
    nearest = did_you_mean(name, known)
    return f"{nearest}; connected: {listed}" if nearest else f"connected: {listed}"


@dataclass(frozen=True, slots=True)
class WorkerPoint:
    """One worker as a vantage point."""

    name: str
    worker: Worker
    cluster: Cluster
    sender: Sender
    gates: tuple[asyncio.Semaphore, asyncio.Semaphore]

    async def measure(self, measurement: CompiledMeasurement, ctx: Context, timeout_s: float) -> Measured:
        """Measure once on the worker.

        Raises NotApplicable and Unmeasurable as the checker does there, and WorkerLost where the worker is lost.
        """
        own, every = self.gates
        async with own, every:
            if (lost := self.cluster.lost.get(self.worker.address)) is not None:
                raise Unmeasurable(f"not measured: it was lost before: {lost}")
            order = await self._order(measurement, ctx, timeout_s)
            text = await self._answer(order)
        return self._measured(measurement.checker, ctx, text)

    async def _order(self, measurement: CompiledMeasurement, ctx: Context, timeout_s: float) -> MeasurementOrder:
        """Return the order of a measurement. Raises Unmeasurable where it cannot be sent, or the login fails."""
        checker, target = measurement.checker, None
        if measurement.target is not None:
            target = await self.sender.target(ctx.target, (self.worker,))
        name = measurement.target or checker.kind
        params = self.sender.params(checker, measurement.params, name, target)
        return MeasurementOrder(
            nonce=secrets.token_hex(16),
            kind=checker.kind,
            params=params,
            target=target,
            timeout_s=timeout_s,
            lease_s=LOST_S,
            traceparent=TRACEPARENT.get(),
            secrets_may_return=self.sender.secrets_may_be_sent,
        )

    async def _answer(self, order: MeasurementOrder) -> str:
        """Send an order and wait for its answer; however that ends, it does not go on at a worker that answers."""
        until = perf_counter() + order.timeout_s + SPARE_S
        is_over = False
        try:
            sealed = measurement_calls.sealed(order, self.worker.key)
            await self.cluster.call(self.worker, measurement_calls.measure, sealed)
            while perf_counter() < until:
                found = await self.cluster.call(self.worker, measurement_calls.fetch, order.nonce)
                if "answer" in found:
                    is_over = True
                    return str(found["answer"])
            raise WorkerLost(f"worker {self.worker.label} has not come to its end in time")
        except WorkerRefused:
            raise
        except WorkerLost as lost:
            is_over = True  # what it may still do ends with its lease
            self.cluster.lost[self.worker.address] = lost.message
            raise
        finally:
            if not is_over:
                await uninterrupted(self._stop(order.nonce))

    async def _stop(self, nonce: str) -> None:
        """End a measurement on the worker and have it forget it, within a time limit."""
        call = self.cluster.call(self.worker, measurement_calls.stop, nonce, within_s=STOP_S)
        await asyncio.gather(call, return_exceptions=True)

    def _measured(self, checker: Checker, ctx: Context, text: str) -> Measured:
        """Read what a worker has sent. Raises what the measurement raised there, Unmeasurable for anything else."""
        try:
            answer = _read(text)
            facts = None if answer.facts is None else _facts(checker, answer)
        except (ValueError, RecursionError):
            raise Unmeasurable(f"worker {self.worker.label} has sent an answer that cannot be read") from None
        for secret in answer.secrets:
            ctx.mask(secret)
        lateness = Lateness()
        for due, came in answer.late:
            lateness.add(due, came)
        return Measured(facts, answer.elapsed_ms, lateness, answer.exchanges, answer.stage)


def _read(text: str) -> Answer:
    """Read an answer. Raises ValueError for any other text, and what the measurement raised."""
    if len(text) > ANSWER_CAP:
        raise ValueError("it is too large")
    document = json.loads(text)
    if not isinstance(document, dict) or "error" not in document:
        return Answer.model_validate(document)
    failure = Failure.model_validate(document)
    error: type[XnaiError] = NotApplicable if failure.error == "NotApplicable" else Unmeasurable
    raise error(failure.message, hint=failure.hint)


def _facts(checker: Checker, answer: Answer) -> Facts:
    """Return the facts of an answer. Raises ValueError for what the kind does not measure."""
    facts = checker.facts.model_validate(answer.facts)
    facts = facts.not_reached(answer.not_reached).incomplete(answer.incomplete)
    if answer.span is not None:
        facts.note_span(*answer.span)
    return facts
