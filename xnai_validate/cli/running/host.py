"""The facts of this host that a report shows."""

from __future__ import annotations

import os
import sys

from xnai_validate.model.json import JsonObject


def host_facts() -> JsonObject:
    """Return the facts of this host that the report shows."""
    system = os.uname()
    return {
        "name": system.nodename,
        "system": f"{system.sysname} {system.release} {system.machine}",
        "python": sys.version.partition(" ")[0],
        "cpus": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
    }
