"""The machine under the embedded stack, as the stack file describes it."""

from __future__ import annotations

import sys
from pathlib import Path

from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

API_MIB = 700
"""Memory that the API of this stack may take; a real one has 4 GB."""
_PROC = Path("/proc")


def machine_vars(settings: Settings) -> dict[str, object]:
    """The vars `host`, `limits` and `environment` of the stack file."""
    return {
        "host": host_vars(settings),
        "limits": {"api_mib": API_MIB},
        "environment": {"python": python_path(settings)},
    }


@seam
def host_vars(settings: Settings) -> dict[str, object]:
    """The var `host`: `oom_kills` so far, and `data_path`, a path on the file system of the stack's data."""
    return {"oom_kills": oom_kills(), "data_path": str(settings.run_dir)}


@seam
def python_path(settings: Settings) -> str:
    """The interpreter that the stack runs on."""
    return sys.executable


def oom_kills() -> int:
    """Processes that the kernel has killed since it started: only more than these can be the stack's doing."""
    try:
        lines = (_PROC / "vmstat").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
