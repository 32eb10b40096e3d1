"""The first of three layers of undo: the task of a check records, injects, reverts and proves each of its faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xnai_validate.engine.undo.conflicts import held_by_others, left_behind
from xnai_validate.engine.undo.folder import UndoFolder, Unreadable
from xnai_validate.engine.undo.guardian import Guardian
from xnai_validate.engine.undo.record import UndoRecord, myself, placeless
from xnai_validate.engine.undo.revert import FaultPlace, Proof, error_text, result_or_error, revert
from xnai_validate.errors import FaultLimitReached, NotApplicable, Unmeasurable, XnaiError
from xnai_validate.kit import ActiveFault, Clock, Params, Target, Undo, uninterrupted
from xnai_validate.model.json import JsonValue
from xnai_validate.model.results.events import FaultInjected, FaultReverted, Notice
from xnai_validate.plan import PlannedFault

Step = Literal["prepared", "recorded", "injected", "reverting", "reverted", "proven", "removed"]
"""The moments in the life of a fault."""
StepListener = Callable[[Step, str], None]
"""Called at each moment, with the id of the undo record."""
Emit = Callable[..., None]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A fault that can be injected: what its revert needs, and its fingerprint before."""

    planned: PlannedFault
    params: Params
    undo: Undo
    before: JsonValue
    place: FaultPlace


class FaultInjector:
    """Injects faults and reverts them; those that it could not revert are in `not_undone`."""

    def __init__(
        self,
        *,
        run: str,
        state: Path,
        clock: Clock,
        emit: Emit,
        guardian: Guardian,
        mask: Callable[[str], str],
        on_step: StepListener,
    ) -> None:
        self.not_undone: list[str] = []
        """The ids of the faults that may still be in force."""
        self._run = run
        self._folder = UndoFolder.below(state)
        self._clock = clock
        self._emit = emit
        self._guardian = guardian
        self._mask = mask
        self._on_step = on_step
        self._count = 0
        self._ends: dict[str, float] = {}
        """Record id -> the time by which it must be reverted, for every fault that may be in force."""
        self._impatient = asyncio.Event()

    def cut_grace_short(self) -> None:
        """Leave at most a second for each proof; the faults in force are reverted all the same."""
        self._impatient.set()

    @asynccontextmanager
    async def in_force(
        self, planned: PlannedFault, target: Target | None, check: str
    ) -> AsyncIterator[Mapping[str, Target]]:
        """A context in which a fault is in force, for at most its limit.

        Yields name -> target for a target that is reached at another url meanwhile, such as that of a proxy. Raises
        NotApplicable or Unmeasurable if the fault cannot be injected, FaultLimitReached if its limit ended it.
        """
        fault = planned.fault
        prepared = await self._prepare(planned, target)
        record = self._record(prepared, target, check)
        active: ActiveFault | None = None
        limit = asyncio.timeout(fault.limit_s)
        try:
            self._set_deadline(record.id, fault.limit_s + fault.grace_s)
            self._emit(FaultInjected, fault=fault.name, target=planned.target, undo=record.id, check=check)
            async with limit:
                active = await self._inject(prepared)
                self._on_step("injected", record.id)
                yield self._redirect_target(planned, target, active)
        except TimeoutError:
            if not limit.expired():  # a timeout of the measurement itself
                raise
            raise FaultLimitReached(f"{fault.name} was reverted after its limit of {fault.limit_s:g} s") from None
        finally:
            await uninterrupted(self._revert(prepared, record))
            self._close(active)

    def _set_deadline(self, record_id: str, seconds: float | None) -> None:
        """Set the guardian's deadline for the next fault; None once this fault is reverted."""
        now = self._clock.monotonic()
        if seconds is None:
            self._ends.pop(record_id, None)
        else:
            self._ends[record_id] = now + seconds
        self._guardian.expect(min(self._ends.values()) - now if self._ends else None)

    async def _prepare(self, planned: PlannedFault, target: Target | None) -> _Prepared:
        """Do all that only reads, and start the guardian before anything is changed."""
        fault = planned.fault
        if self.not_undone:
            raise Unmeasurable("an earlier fault may still be in force, so nothing more is disturbed")
        self._refuse_others(target)
        self._count += 1
        place = FaultPlace(f"{self._run}.{self._count}", self._clock, fault.limit_s, target)
        prepared = await result_or_error(_prepare_fault(planned, place), fault.grace_s)
        if isinstance(prepared, BaseException):
            why = error_text(prepared, f"no answer within {fault.grace_s:g} s")
            raise _unmeasurable(prepared, f"{fault.name} cannot be prepared: {why}")
        self._on_step("prepared", place.id)
        await self._guardian.watch()
        return prepared

    def _refuse_others(self, target: Target | None) -> None:
        """Raise Unmeasurable if another run has left a fault in force, or has one in force now."""
        others: tuple[UndoRecord | Unreadable, ...] = left_behind(self._folder, besides=self._run)
        others = others or held_by_others(self._folder, [target] if target else [], besides=self._run)
        if others:
            raise Unmeasurable(
                f"another run has left or holds a fault ({others[0].id}), so nothing is disturbed",
                hint="see xnai-validate undo --list",
            )

    def _record(self, prepared: _Prepared, target: Target | None, check: str) -> UndoRecord:
        """Write the undo record to disk. Raises Unmeasurable if that fails: then nothing is injected."""
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
        self._on_step("recorded", record.id)
        return record

    async def _inject(self, prepared: _Prepared) -> ActiveFault | None:
        """Inject a prepared fault. Raises Unmeasurable if that fails."""
        fault = prepared.planned.fault
        force = await result_or_error(fault.methods.inject(prepared.params, prepared.undo, prepared.place), None)
        if isinstance(force, BaseException):
            raise _unmeasurable(force, f"{fault.name} cannot be injected: {error_text(force, 'no answer')}")
        return force

    def _redirect_target(
        self, planned: PlannedFault, target: Target | None, force: ActiveFault | None
    ) -> Mapping[str, Target]:
        """Return the target at the url of the fault's proxy, by name; no target if the fault has no proxy."""
        if force is None or force.url is None or target is None:
            return {}
        # The proxy passes TLS through, so the certificate is still that of the target's name.
        tls = replace(target.tls, server_name=target.tls.server_name or target.host or None)
        return {target.name: replace(target, url=force.url, tls=tls)}

    async def _revert(self, prepared: _Prepared, record: UndoRecord) -> None:
        """Revert a fault and prove it; if that fails, its record stays, and a notice names the command to repair it."""
        self._on_step("reverting", record.id)
        proof = await revert(
            prepared.planned.fault,
            prepared.undo,
            prepared.before,
            prepared.place,
            self._impatient,
            lambda: self._on_step("reverted", record.id),
        )
        if proof.proven:
            self._on_step("proven", record.id)
            proof = self._remove_record(record)
        self._set_deadline(record.id, None)
        self._emit(FaultReverted, undo=record.id, proven=proof.proven)
        if not proof.proven:
            self.not_undone.append(record.id)
            text = (
                f"{record.fault} may still be in force: {record.sentence} ({proof.why}); xnai-validate undo repairs it"
            )
            self._emit(Notice, level="error", text=text)
        else:
            self._on_step("removed", record.id)

    def _close(self, force: ActiveFault | None) -> None:
        """Release what a reverted fault held in this process, such as a socket."""
        if force is None or force.close is None:
            return
        try:
            force.close()
        except OSError as error:
            self._emit(Notice, level="warning", text=f"a fault left something behind: {error_text(error, '')}")

    def _remove_record(self, record: UndoRecord) -> Proof:
        """Remove the undo record of a fault that is reverted, and return the proof."""
        try:
            self._folder.remove(record.id)
        except OSError as error:
            return Proof(False, f"it is reverted, but its record cannot be removed: {error.strerror}")
        return Proof(True)


async def _prepare_fault(planned: PlannedFault, place: FaultPlace) -> _Prepared:
    """Have a fault read what it will change, and take the fingerprint to which its revert must return."""
    undo = await planned.fault.methods.prepare(planned.params, place)
    return _Prepared(planned, planned.params, undo, await planned.fault.methods.fingerprint(undo, place), place)


def _unmeasurable(error: BaseException, message: str) -> XnaiError:
    """Return the exception to raise when a fault raised `error`: the same if it is for the user, else Unmeasurable."""
    if isinstance(error, XnaiError):
        return error
    unmeasurable = Unmeasurable(message)
    unmeasurable.__cause__ = error
    return unmeasurable


def target_of(planned: PlannedFault, named: Callable[[str], Target]) -> Target | None:
    """The target of a fault; raises NotApplicable if it is not configured."""
    if planned.target is None:
        return None
    try:
        return named(planned.target)
    except NotApplicable as error:
        raise NotApplicable(f"{planned.fault.name}: {error.message}") from None
