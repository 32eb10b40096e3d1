"""Generators of load: how each is asked for the same work, and how its output is read.

wrk, hey and ab are Debian's, of the packages wrk, hey and apache2-utils, used where they are installed; locust is taken
from the package index.
"""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.tools import Installed, other_tool

LOCUST = ("locust",)
LIMIT_S = 120
CONNECTIONS = 20


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The result of one run of a generator."""

    rps: float
    p95_ms: float = float("nan")
    p99_ms: float = float("nan")
    max_ms: float = float("nan")
    cpu_us: float = float("nan")
    """Processor time of the generator for each request."""
    extra: str = ""


class Failed(Exception):
    """A generator did not do its work; the text is the reason."""


Tool = Callable[[int, int, float | None], LoadResult]
"""(port, seconds, rate or None for as fast as it goes) -> its result. Raises Failed."""


def tools(home: Path, mine: Installed) -> dict[str, Tool | str]:
    """Name -> tool, or why it is not there."""
    locust = other_tool("locust", LOCUST)
    found: dict[str, Tool | str] = {
        "xnai-validate": lambda port, seconds, rate: ours(home, mine, port, seconds, rate),
        "xnai-validate without uvloop": lambda port, seconds, rate: ours(
            home, mine, port, seconds, rate, env={"PYTHONPATH": str(_no_uvloop(home))}
        ),
        "locust": (lambda port, seconds, rate: locust_run(home, locust, "HttpUser", port, seconds, rate))
        if locust
        else "not installed",
        "locust, FastHttpUser": (
            lambda port, seconds, rate: locust_run(home, locust, "FastHttpUser", port, seconds, rate)
        )
        if locust
        else "not installed",
    }
    for name, package, tool in (("wrk", "wrk", wrk), ("hey", "hey", _hey), ("ab", "apache2-utils", _ab)):
        found[name] = tool if shutil.which(name) else f"not installed; Debian: apt-get install {package}"
    return found


def _no_uvloop(home: Path) -> Path:
    """A folder that makes uvloop missing for who has it in its PYTHONPATH."""
    folder = home / "no-uvloop"
    folder.mkdir(exist_ok=True)
    (folder / "uvloop.py").write_text('raise ImportError("left out on purpose")\n', encoding="utf-8")
    return folder


def facts_of(
    home: Path,
    mine: Installed,
    name: str,
    port: int,
    with_: Mapping[str, object],
    env: Mapping[str, str],
    options: tuple[str, ...] = (),
) -> dict[str, float]:
    """The facts of a run of `load.http` by the installed tool, from its report."""
    return facts_of_run(start(home, mine, name, port, with_, env, options))


def start(
    home: Path,
    mine: Installed,
    name: str,
    port: int,
    with_: Mapping[str, object],
    env: Mapping[str, str],
    options: tuple[str, ...] = (),
) -> subprocess.Popen[str]:
    """Start such a run, with more options of the command line."""
    suite, profile = home / f"checks/bench/{name}.yaml", home / f"{name}.yaml"
    suite.parent.mkdir(parents=True, exist_ok=True)
    check = {"id": "load", "title": "Load", "kind": "load.http", "target": "api", "timeout": "100s", "with": with_}
    suite.write_text(json.dumps({"title": "Load", "checks": [check]}), encoding="utf-8")  # JSON is YAML
    targets = {"api": {"url": f"http://127.0.0.1:{port}"}}
    head = {"title": "Load", "targets": targets, "suites": [f"bench/{name}"], "limits": {"deadline": "5m"}}
    profile.write_text(json.dumps(head), encoding="utf-8")
    argv = [mine.ours, "run", str(profile), "--path", str(home), "--quiet", "--format", "json", *options]
    return subprocess.Popen(
        argv, cwd=home, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def facts_of_run(process: subprocess.Popen[str]) -> dict[str, float]:
    """Wait for such a run, and read the facts of its only check. Raises Failed if it has no facts."""
    try:
        output, printed = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise Failed(f"it did not end in {LIMIT_S} s") from error
    try:
        [check] = json.loads(output)["checks"]
    except (ValueError, LookupError) as error:
        raise Failed(f"exit {process.returncode} without a report: {printed.strip()[-160:]}") from error
    facts: dict[str, float] = check["facts"]
    if not facts.get("completed_count"):
        raise Failed(check["reason"] or "nothing was answered")
    return facts


def ours(
    home: Path,
    mine: Installed,
    port: int,
    seconds: int,
    rate: float | None,
    *,
    env: Mapping[str, str] | None = None,
    options: tuple[str, ...] = (),
) -> LoadResult:
    """Our own tool, as a user runs it."""
    with_: dict[str, object] = {"path": "/", "for": f"{seconds}s", "stop_at": None}
    with_ |= {"callers": CONNECTIONS} if rate is None else {"arrivals": {"rate": rate}, "connections": CONNECTIONS}
    facts = facts_of(home, mine, "load", port, with_, env or {}, options)
    cpu_us = facts["own_cpu_ratio"] * facts["elapsed_ms"] * 1000 / facts["completed_count"]
    extra = f"own lag p99 {facts['lag_p99_ms']:.1f} ms, {facts['not_sent_count']:.0f} not sent"
    return LoadResult(facts["throughput_rps"], facts["p95_ms"], facts["p99_ms"], facts["max_ms"], cpu_us, extra)


def wrk(port: int, seconds: int, rate: float | None, *, threads: int = 1) -> LoadResult:
    """The result of wrk, which knows no rate."""
    text, cpu_s = _run(
        ["wrk", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", f"http://127.0.0.1:{port}/"]
    )
    rps, count = _number(r"Requests/sec:\s+([\d.]+)", text), _number(r"(\d+) requests in", text)
    units = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", text)
    worst = re.search(r"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s|m)\b", text)
    return LoadResult(
        rps,
        p99_ms=float(p99[1]) * units[p99[2]] if p99 else float("nan"),
        max_ms=float(worst[1]) * units[worst[2]] if worst else float("nan"),
        cpu_us=_each(cpu_s, count),
        extra="it has no rate: as fast as it goes",
    )


def _hey(port: int, seconds: int, rate: float | None) -> LoadResult:
    paced = [] if rate is None else ["-q", f"{rate / CONNECTIONS:g}"]
    text, cpu_s = _run(["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), *paced, f"http://127.0.0.1:{port}/"])
    rps = _number(r"Requests/sec:\s+([\d.]+)", text)
    p95, p99, worst = (
        _number(pattern, text) * 1000
        for pattern in (r"95% in ([\d.]+) secs", r"99% in ([\d.]+) secs", r"Slowest:\s+([\d.]+)")
    )
    return LoadResult(rps, p95, p99, worst, _each(cpu_s, rps * seconds))


def _ab(port: int, seconds: int, rate: float | None) -> LoadResult:
    text, cpu_s = _run(
        ["ab", "-k", "-q", "-c", str(CONNECTIONS), "-t", str(seconds), "-n", "9999999", f"http://127.0.0.1:{port}/"]
    )
    rps, count = _number(r"Requests per second:\s+([\d.]+)", text), _number(r"Complete requests:\s+(\d+)", text)
    p95, p99, worst = (_number(rf"\s{share}%\s+(\d+)", text) for share in (95, 99, 100))
    return LoadResult(rps, p95, p99, worst, _each(cpu_s, count), "it has no rate: as fast as it goes")


def locust_run(
    home: Path, tool: Installed | None, user: str, port: int, seconds: int, rate: float | None, *, processes: int = 1
) -> LoadResult:
    """The result of locust; with `processes`, in its own distributed mode on this machine."""
    assert tool is not None
    pace = "" if rate is None else f"\n    wait_time = constant_throughput({rate / CONNECTIONS:g})"
    file = home / "locustfile.py"
    file.write_text(
        f"from locust import {user}, constant_throughput, task\n\n\n"
        f"class Caller({user}):{pace}\n\n    @task\n    def ask(self):\n        self.client.get('/')\n",
        encoding="utf-8",
    )
    out = home / "locust"
    users = ["-u", str(CONNECTIONS), "-r", str(CONNECTIONS), "-t", f"{seconds}s", "--stop-timeout", "5"]
    if processes > 1:
        users += ["--processes", str(processes)]
    argv = [str(tool.folder / "bin/locust"), "-f", str(file), "--headless", "--only-summary", "--csv", str(out)]
    _, cpu_s = _run([*argv, *users, "-H", f"http://127.0.0.1:{port}"])
    with out.with_name("locust_stats.csv").open(encoding="utf-8") as lines:
        total = next(row for row in csv.DictReader(lines) if row["Name"] == "Aggregated")
    count = float(total["Request Count"])
    if not count:
        raise Failed("it made no request in its time")
    p95, p99, worst = (float(total[column]) for column in ("95%", "99%", "Max Response Time"))
    # Its own figure counts the seconds in which it starts and stops.
    return LoadResult(count / seconds, p95, p99, worst, _each(cpu_s, count))


def _each(cpu_s: float, count: float) -> float:
    """Microseconds for each request."""
    if not count:
        raise Failed("nothing was answered")
    return cpu_s / count * 1e6


def _run(argv: list[str]) -> tuple[str, float]:
    """The output of a command, and the processor time that it took. Raises Failed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from error
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Failed(f"exit {done.returncode}: {lines[-1][:160] if lines else 'no output'}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise Failed(f"its output has no {pattern!r}")
    return float(found[1])
