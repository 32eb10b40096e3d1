"""What a Python reports about itself; other interpreters (3.8 and later) run the text of this file alone."""

from __future__ import annotations

import json
import os
import platform
import site
import sys
from importlib import metadata


def report(names: list[str], everything: bool) -> dict[str, object]:
    """The interpreter, its marker environment (PEP 508) and packages: name -> {version, requires}.

    `names`: of packages; `everything`: all that are installed, with what each requires.
    """
    packages: dict[str, dict[str, object]] = {}
    if everything:
        found = list(metadata.distributions())
    else:
        found = []
        for name in names:
            try:
                found.append(metadata.distribution(name))
            except metadata.PackageNotFoundError:
                continue
    for distribution in found:
        name = distribution.metadata["Name"]
        if name and name not in packages:  # the first on the path is the one that is imported
            packages[name] = {
                "version": distribution.version,
                "requires": list(distribution.requires or []) if everything else [],
            }
    return {
        "version": platform.python_version(),
        "implementation": sys.implementation.name,
        "executable": os.path.basename(sys.executable),
        "in_venv": sys.prefix != sys.base_prefix,
        "user_site": bool(site.ENABLE_USER_SITE),
        "packages": packages,
        "environment": {
            "implementation_name": sys.implementation.name,
            "implementation_version": platform.python_version(),
            "os_name": os.name,
            "platform_machine": platform.machine(),
            "platform_python_implementation": platform.python_implementation(),
            "platform_release": platform.release(),
            "platform_system": platform.system(),
            "platform_version": platform.version(),
            "python_full_version": platform.python_version(),
            "python_version": ".".join(platform.python_version_tuple()[:2]),
            "sys_platform": sys.platform,
        },
    }


if __name__ == "__main__":
    question = json.loads(sys.argv[1])
    json.dump(report(question["names"], question["everything"]), sys.stdout)
