"""The functions that the coordinating process calls on workers.

None raises: Dask writes the arguments of a call that raises into the log of the worker, and secrets may be among them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from time import perf_counter

from xnai_validate import __version__
from xnai_validate.kit import JsonObject
from xnai_validate.workers.orders import Order
from xnai_validate.workers.sealing import public_key, seal, unseal
from xnai_validate.workers.share_run import ShareRun

STOP_S = 0.8
"""How long `stop` waits for the end of a share."""
RUNS: dict[str, ShareRun] = {}
"""Nonce -> the share that this process sends, or has sent last."""
_EXECUTED: set[str] = set()


def hello() -> JsonObject:
    """Return what this worker is."""
    about: JsonObject = {"version": __version__, "pid": os.getpid(), "host": socket.gethostname(), "network": network()}
    return {**about, "key": public_key().hex()}


@cache
def network() -> str:
    """The network that this process is in: the same text for all processes that share a loopback interface."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/net')}"
    except OSError:
        return f"{socket.gethostname()}/{os.getpid()}"


def ignore_interrupts() -> JsonObject:
    """Leave an interrupt from the terminal, which reaches all processes in it, to the coordinating process."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return {}


def clock() -> float:
    """Return the clock of this process."""
    return perf_counter()


def prepare(sealed: bytes) -> JsonObject:
    """Prepare a share; refuses a second execution, and a load at the same time as one of another run."""
    try:
        order = unseal(sealed)
    except ValueError as error:
        return {"refused": f"the order cannot be read: {error}"}
    if set(order) != {field.name for field in fields(Order)}:
        return {"refused": "it is of another version"}
    nonce = str(order["nonce"])
    # One of the same run stays until `stop`: its figures may not have been fetched yet.
    for known in [nonce for nonce, run in RUNS.items() if run.has_ended and run.run_id != order["run"]]:
        del RUNS[known]
    if nonce in _EXECUTED:
        return {"refused": "this load was sent before"}
    if any(run.run_id != order["run"] for run in RUNS.values()):
        return {"refused": "it sends a load of another run"}
    _EXECUTED.add(nonce)
    try:
        RUNS[nonce] = ShareRun(Order(**order))  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001 (what a call raises would be logged with its arguments)
        return {"refused": f"the order cannot be read: {type(error).__name__}"}
    return {}


def start(nonce: str, at: float, within_s: float) -> JsonObject:
    """Begin a share at an instant of the clock here."""
    run = RUNS.get(nonce)
    if run is None:
        return {"refused": "it does not know this load"}
    run.start(at, within_s)
    return {}


def poll(nonce: str) -> JsonObject:
    """Return how far a share is, and its figures if it has ended."""
    run = RUNS.get(nonce)
    return {"refused": "it does not know this load: the process was replaced"} if run is None else run.poll()


def end(nonce: str, why: str) -> JsonObject:
    """End a share early, with its figures."""
    if (run := RUNS.get(nonce)) is not None:
        run.end(why)
    return {}


async def stop(nonce: str) -> JsonObject:
    """End a share at once, and forget it; return whether everything of it is over."""
    run = RUNS.get(nonce)
    if run is None:
        return {"over": True}
    run.stop("the run has ended")
    await asyncio.to_thread(run.join, STOP_S)
    if run.has_ended:
        RUNS.pop(nonce, None)
    return {"over": run.has_ended}


def sealed(order: Order, key: bytes) -> bytes:
    """Return an order as `prepare` takes it, for the worker with this public key."""
    return seal(asdict(order), key)
