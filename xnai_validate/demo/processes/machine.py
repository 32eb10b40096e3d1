"""The machine under the embedded stack, as the stack file describes it."""

from __future__ import annotations

import sys

from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

API_MIB = 700
"""Memory that the API of this stack may take; a real one has 4 GB."""


def machine_vars(settings: Settings) -> dict[str, object]:
    """The vars `host`, `limits` and `environment` of the stack file."""
    return {
        "host": host_vars(settings),
        "limits": {"api_mib": API_MIB},
        "environment": {"python": python_path(settings)},
    }


@seam
def host_vars(settings: Settings) -> dict[str, object]:
    """The var `host`: `data_path`, a path on the file system of the stack's data."""
    return {"data_path": str(settings.run_dir)}


@seam
def python_path(settings: Settings) -> str:
    """The interpreter that the stack runs on."""
    return sys.executable
