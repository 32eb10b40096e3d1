"""The functions that the coordinating process calls on workers to measure a check from there.

None raises: Dask writes the arguments of a call that raises into the log of the worker, and secrets may be among them.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, fields

from xnai_validate.kit import JsonObject
from xnai_validate.workers.measurement_run import MeasurementRun
from xnai_validate.workers.orders import MeasurementOrder
from xnai_validate.workers.sealing import seal, unseal

WAIT_S = 1.0
"""How long `fetch` waits for the end of a measurement."""
STOP_S = 0.8
"""How long `stop` waits for the end of a measurement."""
MOST = 64
"""Measurements at a time."""
KEPT_NONCES = 10_000
RUNS: dict[str, MeasurementRun] = {}
"""Nonce -> the measurement that this process makes, or whose answer was not fetched yet."""
_EXECUTED: dict[str, None] = {}
"""The nonces of the last measurements."""


def measure(sealed: bytes) -> JsonObject:
    """Begin the measurement of a sealed order; return {}, or {"refused": reason}.

    Refused is an order that is unreadable, of another version, or was executed before, and one too many at a time.
    """
    try:
        order = unseal(sealed)
    except ValueError as error:
        return {"refused": f"the order cannot be read: {error}"}
    if set(order) != {field.name for field in fields(MeasurementOrder)}:
        return {"refused": "it is of another version"}
    nonce = str(order["nonce"])
    if nonce in _EXECUTED:
        return {"refused": "this measurement was executed before"}
    if len(RUNS) >= MOST:
        return {"refused": f"it makes {MOST} measurements already"}
    _EXECUTED[nonce] = None
    if len(_EXECUTED) > KEPT_NONCES:
        del _EXECUTED[next(iter(_EXECUTED))]
    try:
        parsed = MeasurementOrder(**order)  # type: ignore[arg-type]
        RUNS[nonce] = run = MeasurementRun(parsed, lambda: RUNS.pop(nonce, None))
        run.begin()
    except Exception as error:  # noqa: BLE001 (what a call raises would be logged with its arguments)
        return {"refused": f"the measurement could not begin: {type(error).__name__}"}
    return {}


async def fetch(nonce: str) -> JsonObject:
    """Wait for the end of a measurement and return its answer as a text of JSON; without one if it goes on."""
    run = RUNS.get(nonce)
    if run is None:
        return {"refused": "it does not know this measurement: the process was replaced"}
    run.renew()
    await asyncio.wait([asyncio.wrap_future(run.ended)], timeout=WAIT_S)
    if not run.ended.done():
        return {}
    RUNS.pop(nonce, None)
    run.release()
    return {"answer": run.answer_text()}


async def stop(nonce: str) -> JsonObject:
    """End a measurement at once, and forget it; return whether everything of it is over."""
    run = RUNS.pop(nonce, None)
    if run is None:
        return {"over": True}
    run.stop("the check has ended")
    run.release()
    await asyncio.to_thread(run.join, STOP_S)
    return {"over": run.has_ended}


def sealed(order: MeasurementOrder, key: bytes) -> bytes:
    """Return an order as `measure` takes it, for the worker with this public key."""
    return seal(asdict(order), key)
