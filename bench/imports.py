"""Which modules a command line of ours imports, without running anything else."""

from __future__ import annotations

import subprocess

from bench.tools import Installed

HEAVY = ("httpx", "redis", "psutil", "pydantic", "rich", "yaml", "h11", "websockets")


def heavy_imports(tool: Installed, *arguments: str) -> list[str] | None:
    """The heavy libraries that `xnai-validate <arguments>` imports; None where it does not run."""
    code = (
        "import sys\n"
        f"sys.argv = ['xnai-validate', *{list(arguments)!r}]\n"
        "from xnai_validate.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\nelse:\n    code = 0\n"
        "sys.stderr.write('\\n'.join(sys.modules))\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run([tool.python, "-I", "-c", code], check=False, capture_output=True, text=True, timeout=60)
    if done.returncode:
        return None
    return [name for name in HEAVY if name in done.stderr.splitlines()]
