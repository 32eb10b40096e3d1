"""A run of many checks takes little more memory than one of few: what a check adds is bounded."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.tool import environment, report, tool
from xnai_validate.model.results.report import RunReport

FEW, MANY = 500, 3_000
CHECK_BYTES = 3_000
"""What a check may add to the peak of a run, from its lines in the suite to the report."""
BODY = json.dumps({"status": "healthy", "components": {"redis": True, "llm": True}}).encode()
PEAK = """
import sys
from xnai_validate.cli import main

sys.argv[0] = "xnai-validate"
try:
    main()
finally:
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    with open("peak", "w") as file:
        file.write(peak.split()[1])
"""


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(head + BODY)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


@contextmanager
def answering() -> Iterator[int]:
    """The port of a server that answers every request."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()


def ran(home: Path, port: int, count: int, expected_status: int, *arguments: str) -> tuple[RunReport, float]:
    """The report of a number of checks, and the peak of the memory that the run took, in bytes."""
    (home / "checks/many").mkdir(parents=True, exist_ok=True)
    checks = "".join(
        f"  - id: c{number:05}\n    title: Path {number} answers\n    kind: http.request\n    target: api\n"
        f"    with: {{path: /c/{number}}}\n    expect: {{status: {expected_status}}}\n"
        for number in range(count)
    )
    (home / "checks/many/all.yaml").write_text(f"title: Many\nchecks:\n{checks}", encoding="utf-8")
    (home / "many.yaml").write_text(
        f"title: Many\nsuites: [many/all]\ntargets: {{api: {{url: 'http://127.0.0.1:{port}'}}}}\n", encoding="utf-8"
    )
    # The peak is asked for in the process itself: getrusage would have that of its parent in it.
    command = [sys.executable, "-c", PEAK, "run", "many.yaml", "--quiet", "-o", "it.json", *arguments]
    done = subprocess.run(command, cwd=home, env=environment(home), check=False, capture_output=True, timeout=300)
    assert done.returncode == (0 if expected_status == 200 else 1), done.stderr
    return report(home / "it.json"), float((home / "peak").read_text()) * 1024


@pytest.mark.parametrize("expected_status", [200, 404], ids=["passing", "failing"])
def test_a_check_adds_little_to_the_peak(tmp_path: Path, expected_status: int) -> None:
    """Whether checks pass or fail, thousands of them take a few megabytes more; and all of them are in the report."""
    with answering() as port:
        _, few = ran(tmp_path, port, FEW, expected_status)
        whole, many = ran(tmp_path, port, MANY, expected_status)
    assert (many - few) / (MANY - FEW) < CHECK_BYTES
    assert [check.facts["url"] for check in whole.checks] == [f"http://127.0.0.1:{port}/c/{n}" for n in range(MANY)]
    assert {check.findings[-1].actual for check in whole.checks} == {200}


def test_the_stored_run_of_many_gives_the_same_report(tmp_path: Path) -> None:
    """What was packed in the run and what is packed of its journal are the same document, byte for byte."""
    with answering() as port:
        ran(tmp_path, port, FEW, 200)
    again = tool(tmp_path, "report", "last", "--format", "json")
    assert again.stdout == (tmp_path / "it.json").read_text(encoding="utf-8")
