"""The machine under the embedded stack: what the stack tells of it, and the burdens that defects lay on a part."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

from xnai_validate.demo.settings import Settings

API_MIB = 700
"""What the API of this stack may take; a real one has 4 GB."""
_BALLAST_MIB = 900
_DESCRIPTORS = 640
_PROC = Path("/proc")

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


def machine_vars(settings: Settings) -> dict[str, object]:
    """The vars `host`, `limits` and `environment` of the handover."""
    host: dict[str, object] = {"oom_kills": _oom_kills(), "data_path": str(settings.run_dir)}
    if any(map(settings.broken, ("host-memory-full", "host-swapping", "host-oom"))):
        host["procfs"] = str(_recorded_proc(settings))
    if settings.broken("host-disk-full"):
        host["data_path"] = "/proc"  # a file system without a single free block
    return {
        "host": host,
        "limits": {"api_mib": API_MIB, "api_memory_gb": 4},
        "environment": {"python": _python(settings)},
    }


def _oom_kills() -> int:
    """How many processes the kernel has killed since it started: more than these would be the stack's doing."""
    try:
        lines = (_PROC / "vmstat").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _recorded_proc(settings: Settings) -> Path:
    """A folder like /proc, as it looks on a host in the state that the defect names."""
    proc = settings.run_dir / "proc"
    proc.mkdir(exist_ok=True)
    memory = dict(_MEMORY)
    if not settings.broken("host-memory-full"):
        memory["MemAvailable"] = memory["MemTotal"] // 2
    if settings.broken("host-swapping"):
        memory["SwapFree"] = 20_480
    kills = _oom_kills() + (3 if settings.broken("host-oom") else 0)
    text = "".join(f"{name + ':':<16}{kib:>8} kB\n" for name, kib in memory.items())
    (proc / "meminfo").write_text(text, "ascii")
    (proc / "vmstat").write_text(f"pswpin 104223\npswpout 288110\noom_kill {kills}\n", "ascii")
    (proc / "loadavg").write_text("1.02 0.97 0.91 2/611 48213\n", "ascii")
    return proc


def _python(settings: Settings) -> str:
    """The interpreter that the stack says it runs on."""
    if settings.broken("python-gone"):
        gone = settings.run_dir / "python3"
        gone.unlink(missing_ok=True)
        gone.symlink_to("/usr/lib/python-of-last-year/bin/python3")
        return str(gone)
    if settings.broken("python-of-system"):
        return os.path.realpath(sys.executable)
    if settings.broken("python-bare"):
        bare = settings.run_dir / "bare"
        if not bare.exists():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True, timeout=30)
        return str(bare / "bin" / "python")
    return sys.executable


def burden(part: str, settings: Settings) -> list[object]:
    """Lay on a part what a defect wants it to carry; the result must be kept alive."""
    kept: list[object] = []
    if part != "api":
        return kept
    if settings.broken("api-memory-bloat"):
        kept.append(bytearray(os.urandom(4096)) * (_BALLAST_MIB * 256))
    if settings.broken("api-few-descriptors"):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    if settings.broken("api-descriptors-leaked"):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(4096, _DESCRIPTORS * 2), max(hard, 4096)))
        kept.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(_DESCRIPTORS))
    if settings.broken("api-threads-leaked"):
        for _ in range(160):
            threading.Thread(target=time.sleep, args=(86_400,), daemon=True).start()
    if settings.broken("api-zombies"):
        for _ in range(3):
            if (pid := os.fork()) == 0:
                os._exit(0)
            kept.append(pid)
    return kept
