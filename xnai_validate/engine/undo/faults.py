"""The first ring: faults of a run, each recorded, injected, taken back and proven, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xnai_validate.engine.undo.conflicts import held, left_behind
from xnai_validate.engine.undo.folder import UndoFolder, Unreadable
from xnai_validate.engine.undo.guardian import Guardian
from xnai_validate.engine.undo.record import UndoRecord, myself, placeless
from xnai_validate.engine.undo.revert import FaultPlace, Proof, take_back, words
from xnai_validate.errors import NotApplicable, Unmeasurable, XnaiError
from xnai_validate.kit import ActiveFault, Clock, Params, Target, Undo
from xnai_validate.model.json import JsonValue
from xnai_validate.model.results.events import FaultInjected, FaultReverted, Notice
from xnai_validate.plan import PlannedFault

Step = Literal["prepared", "recorded", "injected", "reverting", "reverted", "proven", "removed"]
"""Moments in the life of a fault, for those who want to be told of them."""
Told = Callable[[Step, str], None]
"""Told of a moment and the id of the injection."""
Emit = Callable[..., None]


@dataclass(frozen=True, slots=True)
class _Prepared:
    planned: PlannedFault
    params: Params
    undo: Undo
    before: JsonValue
    place: FaultPlace


class Disturbances:
    """Puts faults in force and takes them back; what it could not take back is in `not_undone`."""

    def __init__(
        self,
        *,
        run: str,
        state: Path,
        clock: Clock,
        emit: Emit,
        guardian: Guardian,
        mask: Callable[[str], str],
        told: Told,
    ) -> None:
        self.not_undone: list[str] = []
        """The ids of what may still be in force."""
        self._run = run
        self._folder = UndoFolder.below(state)
        self._clock = clock
        self._emit = emit
        self._guardian = guardian
        self._mask = mask
        self._told = told
        self._count = 0
        self._ends: dict[str, float] = {}
        """Injection -> when it must have been taken back, for every fault that may be in force."""
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """Wait no longer than necessary for proofs; what is in force is taken back all the same."""
        self._hurried.set()

    @asynccontextmanager
    async def in_force(
        self, planned: PlannedFault, target: Target | None, check: str
    ) -> AsyncIterator[Mapping[str, Target]]:
        """The fault is in force in this context, no longer than its limit; gives targets that are elsewhere meanwhile.

        Raises NotApplicable or Unmeasurable where it cannot be injected, or was in force for its limit.
        """
        fault = planned.fault
        prepared = await self._prepare(planned, target)
        record = self._record(prepared, target, check)
        force: ActiveFault | None = None
        limit = asyncio.timeout(fault.limit_s)
        try:
            self._await_end(record.id, fault.limit_s + fault.grace_s)
            self._emit(FaultInjected, fault=fault.name, target=planned.target, undo=record.id, check=check)
            async with limit:
                force = await self._inject(prepared)
                self._told("injected", record.id)
                yield self._moved(planned, target, force)
        except TimeoutError:
            if not limit.expired():
                raise
            raise Unmeasurable(f"{fault.name} was taken back after its limit of {fault.limit_s:g} s") from None
        finally:
            await self._surely(self._taken_back(prepared, record, force))

    def _await_end(self, record_id: str, seconds: float | None) -> None:
        """Let the guardian know when the next fault must have been taken back; None: this one was."""
        now = self._clock.monotonic()
        if seconds is None:
            self._ends.pop(record_id, None)
        else:
            self._ends[record_id] = now + seconds
        self._guardian.expect(min(self._ends.values()) - now if self._ends else None)

    async def _prepare(self, planned: PlannedFault, target: Target | None) -> _Prepared:
        """Everything that only reads. The guardian watches before anything else can happen."""
        fault = planned.fault
        if self.not_undone:
            raise Unmeasurable("an earlier fault may still be in force, so nothing more is disturbed")
        self._refuse_others(target)
        self._count += 1
        place = FaultPlace(f"{self._run}.{self._count}", self._clock, fault.limit_s, target)
        try:
            async with asyncio.timeout(fault.grace_s):
                undo = await fault.methods.prepare(planned.params, place)
                before = await fault.methods.fingerprint(undo, place)
        except XnaiError:
            raise
        except Exception as error:
            raise Unmeasurable(
                f"{fault.name} cannot be prepared: {words(error, f'no answer within {fault.grace_s:g} s')}"
            ) from error
        self._told("prepared", place.id)
        await self._guardian.watch()
        return _Prepared(planned, planned.params, undo, before, place)

    def _refuse_others(self, target: Target | None) -> None:
        """Nothing is disturbed on top of what another run has left, or holds just now."""
        others: tuple[UndoRecord | Unreadable, ...] = left_behind(self._folder, besides=self._run)
        others = others or held(self._folder, [target] if target else [], besides=self._run)
        if others:
            raise Unmeasurable(
                f"another run has left or holds a fault ({others[0].id}), so nothing is disturbed",
                hint="see xnai-validate undo --list",
            )

    def _record(self, prepared: _Prepared, target: Target | None, check: str) -> UndoRecord:
        """The record, on the disk. Raises Unmeasurable where it cannot be written: then nothing is injected."""
        try:
            record = UndoRecord(
                id=prepared.place.id,
                fault=prepared.planned.fault.name,
                sentence=self._mask(prepared.planned.description),
                run=self._run,
                check=check,
                owner=myself(),
                target=placeless(target) if target else None,
                undo=prepared.undo.model_dump(mode="json"),
                before=prepared.before,
                recorded_at=self._clock.time(),
            )
            self._folder.add(record)
        except OSError as error:
            raise Unmeasurable(
                f"the undo record cannot be written: {error.strerror or error}; nothing was injected",
                hint=f"make room in {self._folder.path.parent}, or set XNAI_VALIDATE_STATE",
            ) from None
        self._told("recorded", record.id)
        return record

    async def _inject(self, prepared: _Prepared) -> ActiveFault | None:
        fault = prepared.planned.fault
        try:
            return await fault.methods.inject(prepared.params, prepared.undo, prepared.place)
        except XnaiError:
            raise
        except Exception as error:
            raise Unmeasurable(f"{fault.name} cannot be injected: {words(error, 'no answer')}") from error

    def _moved(self, planned: PlannedFault, target: Target | None, force: ActiveFault | None) -> Mapping[str, Target]:
        if force is None or force.url is None or target is None:
            return {}
        # What passes through a proxy is the target's own TLS: its certificate is still for the target's name.
        tls = replace(target.tls, server_name=target.tls.server_name or target.host or None)
        return {target.name: replace(target, url=force.url, tls=tls)}

    async def _surely(self, work: object) -> None:
        """Do something to its end; whoever cancels meanwhile waits for it."""
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError as error:
                cancelled = error
        task.result()
        if cancelled is not None:
            raise cancelled

    async def _taken_back(self, prepared: _Prepared, record: UndoRecord, force: ActiveFault | None) -> None:
        self._told("reverting", record.id)
        proof = await take_back(
            prepared.planned.fault,
            prepared.undo,
            prepared.before,
            prepared.place,
            self._hurried,
            lambda: self._told("reverted", record.id),
        )
        if force is not None and force.close is not None:
            proof = self._closed(force.close, proof)
        if proof.proven:
            self._told("proven", record.id)
            proof = self._removed(record, proof)
        self._await_end(record.id, None)
        self._emit(FaultReverted, undo=record.id, proven=proof.proven)
        if not proof.proven:
            self.not_undone.append(record.id)
            text = (
                f"{record.fault} may still be in force: {record.sentence} ({proof.why}); xnai-validate undo repairs it"
            )
            self._emit(Notice, level="error", text=text)
        else:
            self._told("removed", record.id)

    def _closed(self, close: Callable[[], None], proof: Proof) -> Proof:
        try:
            close()
        except Exception as error:  # noqa: BLE001 (what is left of it is not the stack's)
            self._emit(Notice, level="warning", text=f"a fault left something behind: {words(error, '')}")
        return proof

    def _removed(self, record: UndoRecord, proof: Proof) -> Proof:
        try:
            self._folder.remove(record.id)
        except OSError as error:
            return Proof(False, f"it is taken back, but its record cannot be removed: {error.strerror}")
        return proof


def target_of(planned: PlannedFault, named: Callable[[str], Target]) -> Target | None:
    """The target of a fault; raises NotApplicable where it is not configured."""
    if planned.target is None:
        return None
    try:
        return named(planned.target)
    except NotApplicable as error:
        raise NotApplicable(f"{planned.fault.name}: {error.message}") from None
