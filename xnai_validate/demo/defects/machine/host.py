"""A host that runs short of memory or disk, or whose clock is wrong."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from itertools import count
from pathlib import Path

import uvicorn

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.machine import host_vars
from xnai_validate.demo.processes.supervision.child import server_config
from xnai_validate.demo.settings import Settings

HostVars = Callable[[Settings], dict[str, object]]

# A host as /proc shows it whose memory is 99 % in use; figures in kB, of a machine with 6 GB.
_MEMORY = {
    "MemTotal": 6_098_432,
    "MemFree": 41_200,
    "MemAvailable": 60_984,
    "Buffers": 1_104,
    "Cached": 88_320,
    "SwapCached": 12_016,
    "Active": 3_412_008,
    "Inactive": 2_012_116,
    "Shmem": 61_212,
    "SReclaimable": 31_004,
    "Slab": 171_120,
    "SwapTotal": 2_097_152,
    "SwapFree": 2_096_000,
}
_HALF_FREE = {"MemAvailable": _MEMORY["MemTotal"] // 2}


def _show_proc(defect: Defect, *, memory: dict[str, int], kills: bool = False) -> Defect:
    """Let a defect show a folder like /proc, of a host in its state; with `kills` of one that kills processes."""

    @defect.wraps(host_vars)
    def with_proc(original: HostVars, /, settings: Settings) -> dict[str, object]:
        proc = settings.run_dir / "proc"
        proc.mkdir(exist_ok=True)
        text = "".join(f"{name + ':':<16}{kib:>8} kB\n" for name, kib in (_MEMORY | memory).items())
        (proc / "meminfo").write_text(text, "ascii")
        (proc / "vmstat").write_text("oom_kill 0000000000\npswpin 104223\npswpout 288110\n", "ascii")
        (proc / "loadavg").write_text("1.02 0.97 0.91 2/611 48213\n", "ascii")
        if kills:
            threading.Thread(target=_count_kills, args=(proc / "vmstat",), daemon=True).start()
        return {**original(settings), "procfs": str(proc)}

    return defect


def _count_kills(vmstat: Path) -> None:
    """Add 1 to the number of kills every 2 ms, for as long as the stack lives."""
    with vmstat.open("r+b", buffering=0) as file:
        for number in count(1):
            os.pwrite(file.fileno(), f"oom_kill {number:010}\n".encode(), 0)
            time.sleep(0.002)


MEMORY_FULL = _show_proc(
    Defect("host-memory-full", "The host's memory is 99 % in use.", checks=("resources/stack:host-memory",)),
    memory={},
)

SWAPPING = _show_proc(
    Defect("host-swapping", "The host has used up its swap.", checks=("resources/stack:swap",)),
    memory={**_HALF_FREE, "SwapFree": 20_480},
)

OOM = _show_proc(
    Defect("host-oom", "The kernel kills processes for want of memory.", checks=("resources/stack:no-oom",)),
    memory=_HALF_FREE,
    kills=True,
)

# /proc is a file system without a single free block.
DISK_FULL = Defect(
    "host-disk-full", "The disk of the data has no room left.", checks=("resources/stack:disk",)
).changes(host_vars, lambda host: {**host, "data_path": "/proc"})


def _an_hour_ahead(config: uvicorn.Config) -> uvicorn.Config:
    """Replace the Date of all responses by one that was an hour ahead at the start."""
    config.date_header = False
    config.headers = [*config.headers, ("Date", formatdate(time.time() + 3600, usegmt=True))]
    return config


CLOCK_AHEAD = Defect(
    "clock-ahead", "The API's clock is an hour ahead.", checks=("environment/environment:clock",)
).changes(server_config, _an_hour_ahead)
