"""The servers that are measured against, each a process of its own that prints its port as its first line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.tools import ROOT


@contextmanager
def static_server() -> Iterator[int]:
    """The port of the static server."""
    with served("bench.server") as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


@contextmanager
def served(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A server of this package; it ends when its input does."""
    argv = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
