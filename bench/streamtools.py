"""Tools that load a model server with streams: how each is asked for the same load, and how its figures are read.

guidellm, aiperf and locust are taken from the package index, each into an environment of its own; guidellm and aiperf
take some gigabytes. `httpx script` is what is written by hand (`bench/streamscripts.py`).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.loadtools import LOCUST, Failed
from bench.openai_server import FIRST_S, GAP_S, TOKENS
from bench.streamscripts import BODY, HTTPX
from bench.streamscripts import LOCUST as LOCUSTFILE
from bench.tools import Installed, other_tool

LIMIT_S = 300
SAMPLE_S = 0.2
PERCENTILES = ("p50", "p95", "p99")
STREAM_S = FIRST_S + TOKENS * GAP_S
TOKENIZER = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
made = Tokenizer(models.WordLevel({"[UNK]": 0, "word": 1}, unk_token="[UNK]"))
made.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]").save_pretrained(sys.argv[1])
"""
"""Writes a tokenizer of words, for aiperf would load one from the network."""
Figures = tuple[float, float, float]
"""The percentiles 50, 95 and 99, in milliseconds."""


@dataclass(frozen=True, slots=True)
class StreamWork:
    """A load: `rate` streams a second, or `users` who open one after the other."""

    rate: int
    users: int
    seconds: int

    @property
    def count(self) -> int:
        """How many streams a tool is asked for that takes no duration."""
        return self.rate * self.seconds or round(self.users * self.seconds / STREAM_S)


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What a tool reports of one load of streams, and what it took."""

    count: int
    """Streams that it counts as whole."""
    errors: int
    """Streams that it counts as errors."""
    first_ms: Figures
    gaps_ms: Figures
    cpu_s: float
    """Processor time of the tool, its start included."""
    rss_mib: float
    """The most memory of the tool and its processes at once."""
    stream_gaps_ms: Figures | None = None
    """The longest gap of each stream, where the tool reports it."""
    longest_ms: tuple[float, ...] = ()
    """The longest gap of every stream, in the order of their beginning, where the tool records them."""
    note: str = ""


StreamTool = Callable[[int, StreamWork], StreamResult]
"""(port, load) -> its result. Raises Failed."""
HEAVY = ("guidellm", "aiperf")
"""Tools that take half a minute of processor to start."""


def stream_tools(home: Path, mine: Installed) -> dict[str, StreamTool | str]:
    """Name -> tool, or why it is not there."""
    found: dict[str, StreamTool | str] = {"load.sse": lambda port, work: _ours(home, mine, port, work)}
    others = (
        ("httpx script", "naive-httpx", ("httpx",), _httpx),
        ("locust", "locust", LOCUST, _locust),
        ("aiperf", "aiperf", ("aiperf",), _aiperf),
        ("guidellm", "guidellm", ("guidellm",), _guidellm),
    )
    for name, folder, packages, run in others:
        tool = other_tool(folder, packages)
        found[name] = _bound(run, home, tool) if tool else "not installed: pip found no version for this machine"
    return found


def percentiles(values: list[float]) -> Figures:
    """The percentiles of measured values."""
    if len(values) < 2:
        return float("nan"), float("nan"), float("nan")
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


def _bound(run: Callable[[Path, Installed, int, StreamWork], StreamResult], home: Path, tool: Installed) -> StreamTool:
    return lambda port, work: run(home, tool, port, work)


def _ours(home: Path, mine: Installed, port: int, work: StreamWork) -> StreamResult:
    suite, profile, report = home / "checks/bench/model.yaml", home / "model.yaml", home / "model.json"
    suite.parent.mkdir(parents=True, exist_ok=True)
    record = home / "requests.jsonl"
    size = {"arrivals": {"rate": work.rate}} if work.rate else {"callers": work.users}
    with_ = {"path": "/v1/chat/completions", "json": BODY, **size, "for": f"{work.seconds}s", "record": str(record)}
    check = {"id": "load", "title": "Load", "kind": "load.sse", "target": "api", "timeout": "100s", "with": with_}
    suite.write_text(json.dumps({"title": "Load", "checks": [check]}), encoding="utf-8")  # JSON is YAML
    targets = {"api": {"url": f"http://127.0.0.1:{port}"}}
    head = {"title": "Load", "targets": targets, "suites": ["bench/model"], "limits": {"deadline": "5m"}}
    profile.write_text(json.dumps(head), encoding="utf-8")
    argv = [mine.ours, "run", str(profile), "--path", str(home), "--quiet", "-o", str(report)]
    cpu_s, rss_mib = _run(home, argv, accepted=(0, 1, 3))
    [measured] = json.loads(report.read_text(encoding="utf-8"))["checks"]
    facts = measured["facts"]
    if not facts.get("completed_count"):
        raise Failed(measured["reason"] or "no stream was whole")
    first, gaps, longest = (
        _figures({each: facts[f"{name}_{each}_ms"] for each in PERCENTILES})
        for name in ("first_token", "token_gap", "stream_gap")
    )
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    whole = sorted((line for line in lines if line["outcome"] == "200"), key=lambda line: float(line["sent_ms"]))
    kinds = ", ".join(f"{kind} {count}" for kind, count in facts["error_kinds"].items())
    note = f"own lag p99 {facts['lag_p99_ms']:.1f} ms{f'; {kinds}' if kinds else ''}"
    each = tuple(float(line["longest_gap_ms"]) for line in whole)
    counts = facts["completed_count"], facts["error_count"]
    return StreamResult(*counts, first, gaps, cpu_s, rss_mib, longest, each, note)


def _httpx(home: Path, tool: Installed, port: int, work: StreamWork) -> StreamResult:
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    numbers = (str(work.rate), str(work.users), str(work.seconds))
    cpu_s, rss_mib = _run(home, [tool.python, "-c", HTTPX, url, json.dumps(BODY), *numbers])
    return _of_script(json.loads(_output(home)[-1]), cpu_s, rss_mib)


def _locust(home: Path, tool: Installed, port: int, work: StreamWork) -> StreamResult:
    file, result = home / "streams_locustfile.py", home / "locust.json"
    file.write_text(LOCUSTFILE, encoding="utf-8")
    users = work.users or 3 * work.rate
    environment = {"BODY": json.dumps(BODY), "USERS": str(users), "RATE": str(work.rate), "RESULT": str(result)}
    argv = [str(tool.folder / "bin/locust"), "-f", str(file), "--headless", "--only-summary"]
    argv += ["-u", str(users), "-r", str(users), "-t", f"{work.seconds}s", "--stop-timeout", "10"]
    cpu_s, rss_mib = _run(home, [*argv, "-H", f"http://127.0.0.1:{port}"], accepted=(0, 1), environment=environment)
    return _of_script(json.loads(result.read_text(encoding="utf-8")), cpu_s, rss_mib)


def _of_script(found: dict[str, list[float]], cpu_s: float, rss_mib: float) -> StreamResult:
    first, gaps, longest = (percentiles(found[name]) for name in ("first_ms", "gaps_ms", "longest_ms"))
    errors = found["errors"]
    assert isinstance(errors, int)
    return StreamResult(len(found["first_ms"]), errors, first, gaps, cpu_s, rss_mib, longest)


def _guidellm(home: Path, tool: Installed, port: int, work: StreamWork) -> StreamResult:
    report = home / "guidellm.json"
    size = f"kind=constant,rate={work.rate}" if work.rate else f"kind=concurrent,streams={work.users}"
    argv = [
        str(tool.folder / "bin/guidellm"), "run", "--disable-console",
        "--backend", f"kind=openai_http,target=http://127.0.0.1:{port},model=bench,request_format=/v1/chat/completions",
        "--profile", size,
        "--constraint", f"kind=max_requests,count={work.count}",
        "--data", f"kind=json_file,path={_prompts(home, work.count)}",
        "--output", f"kind=json,path={report}",
    ]  # fmt: skip
    cpu_s, rss_mib = _run(home, argv)
    metrics = json.loads(report.read_text(encoding="utf-8"))["benchmarks"][0]["metrics"]
    first, gaps = (
        _figures(metrics[name]["successful"]["percentiles"])
        for name in ("time_to_first_token_ms", "inter_token_latency_ms")
    )
    totals = metrics["request_totals"]
    return StreamResult(totals["successful"], totals["errored"], first, gaps, cpu_s, rss_mib)


def _aiperf(home: Path, tool: Installed, port: int, work: StreamWork) -> StreamResult:
    folder, tokenizer = home / "aiperf-result", home / "tokenizer"
    shutil.rmtree(folder, ignore_errors=True)
    if not tokenizer.is_dir():
        _run(home, [tool.python, "-c", TOKENIZER, str(tokenizer)])
    paced = ["--request-rate", str(work.rate), "--request-rate-mode", "constant"]
    argv = [
        str(tool.folder / "bin/aiperf"), "profile", "--model", "bench", "--url", f"http://127.0.0.1:{port}",
        "--endpoint-type", "chat", "--streaming", "--tokenizer", str(tokenizer), "--ui", "none",
        *(paced if work.rate else ["--concurrency", str(work.users)]), "--request-count", str(work.count),
        "--input-file", str(_prompts(home, work.count)), "--custom-dataset-type", "single_turn",
        "--artifact-dir", str(folder),
    ]  # fmt: skip
    cpu_s, rss_mib = _run(home, argv)
    [report] = folder.rglob("profile_export_aiperf.json")
    figures = json.loads(report.read_text(encoding="utf-8"))
    first, gaps = (_figures(figures[name]) for name in ("time_to_first_token", "inter_chunk_latency"))
    errors = sum(each["count"] for each in figures.get("error_summary") or ())
    return StreamResult(int(figures["request_count"]["avg"]), errors, first, gaps, cpu_s, rss_mib)


def _prompts(home: Path, count: int) -> Path:
    """A file of prompts, in fields of the names that both tools look for."""
    path = home / "prompts.jsonl"
    lines = (json.dumps({"prompt": f"write word {n}", "text": f"write word {n}"}) for n in range(2 * count))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _figures(named: dict[str, float]) -> Figures:
    return named["p50"], named["p95"], named["p99"]


def _run(
    home: Path, argv: list[str], accepted: tuple[int, ...] = (0,), environment: dict[str, str] | None = None
) -> tuple[float, float]:
    """Run a command; return its processor time, and the most memory that it and its processes had. Raises Failed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = {**os.environ, "HOME": str(home), **(environment or {})}
    with (home / "output").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(argv, cwd=home, env=own, stdout=output, stderr=subprocess.STDOUT)
        most, ended = [0.0], threading.Event()
        watching = threading.Thread(target=_watch, args=(process.pid, most, ended))
        watching.start()
        try:
            code = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise Failed(f"it did not end in {LIMIT_S} s") from error
        finally:
            ended.set()
            watching.join()
    if code not in accepted:
        raise Failed(f"exit {code}: {_output(home)[-1][:160]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most[0]


def _output(home: Path) -> list[str]:
    """The lines that the last command has printed."""
    printed = (home / "output").read_text(encoding="utf-8", errors="replace")
    return [line.strip() for line in printed.splitlines() if line.strip()] or ["no output"]


def _watch(pid: int, most: list[float], ended: threading.Event) -> None:
    """Keep the most memory that a process and its descendants have together."""
    while not ended.wait(SAMPLE_S):
        total = 0
        try:
            process = psutil.Process(pid)
            for each in (process, *process.children(recursive=True)):
                total += each.memory_info().rss
        except psutil.Error:
            continue
        most[0] = max(most[0], total / 2**20)
