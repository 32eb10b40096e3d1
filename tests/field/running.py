"""Start the stack for a test, and end it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.field.supervisor import ROOT


@contextmanager
def field_stack(layout: str, errors: Path, defect: str = "") -> Iterator[dict[str, Any]]:
    """Yield the description of a running stack. Its errors go to a file; it ends by SIGTERM and leaves no process."""
    with errors.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.field", "--layout", layout, *(("--defect", defect) if defect else ())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
        )
        with process:
            try:
                assert process.stdout
                line = process.stdout.readline()
                assert line, errors.read_text()
                yield json.loads(line)
            finally:
                process.terminate()
                process.wait(30)
