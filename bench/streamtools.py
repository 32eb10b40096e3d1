"""Tools that load a model server with streams: how each is asked for the same load, and how its figures are read.

guidellm and aiperf are taken from the package index, each into an environment of its own; both take some gigabytes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.loadtools import Failed
from bench.tools import Installed, other_tool

RATE, SECONDS, LIMIT_S = 10, 20, 300
SAMPLE_S = 0.2
PERCENTILES = ("p50", "p95", "p99")
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
class StreamResult:
    """What a tool reports of one load of streams, and what it took."""

    count: int
    first_ms: Figures
    gaps_ms: Figures
    cpu_s: float
    """Processor time of the tool, its start included."""
    rss_mib: float
    """The most memory of the tool and its processes at once."""
    stream_gaps_ms: Figures | None = None
    """The longest gap of each stream, which only ours reports."""
    lag_ms: float | None = None
    """How late the tool itself was, 99 % of the time, which only ours reports."""


StreamTool = Callable[[int], StreamResult]
"""(port) -> the result of a load of `RATE` streams a second for `SECONDS`. Raises Failed."""


def stream_tools(home: Path, mine: Installed) -> dict[str, StreamTool | str]:
    """Name -> tool, or why it is not there."""
    found: dict[str, StreamTool | str] = {"load.sse": lambda port: _ours(home, mine, port)}
    for name, run in (("guidellm", _guidellm), ("aiperf", _aiperf)):
        tool = other_tool(name, (name,))
        found[name] = _bound(run, home, tool) if tool else "not installed: pip found no version for this machine"
    return found


def _bound(run: Callable[[Path, Installed, int], StreamResult], home: Path, tool: Installed) -> StreamTool:
    return lambda port: run(home, tool, port)


def _ours(home: Path, mine: Installed, port: int) -> StreamResult:
    suite, profile, report = home / "checks/bench/model.yaml", home / "model.yaml", home / "model.json"
    suite.parent.mkdir(parents=True, exist_ok=True)
    body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": "write a word"}]}
    with_ = {"path": "/v1/chat/completions", "json": body, "arrivals": {"rate": RATE}, "for": f"{SECONDS}s"}
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
    return StreamResult(facts["completed_count"], first, gaps, cpu_s, rss_mib, longest, facts["lag_p99_ms"])


def _guidellm(home: Path, tool: Installed, port: int) -> StreamResult:
    report = home / "guidellm.json"
    argv = [
        str(tool.folder / "bin/guidellm"), "run", "--disable-console",
        "--backend", f"kind=openai_http,target=http://127.0.0.1:{port},model=bench,request_format=/v1/chat/completions",
        "--profile", f"kind=constant,rate={RATE}",
        "--constraint", f"kind=max_requests,count={RATE * SECONDS}",
        "--data", f"kind=json_file,path={_prompts(home)}",
        "--output", f"kind=json,path={report}",
    ]  # fmt: skip
    cpu_s, rss_mib = _run(home, argv)
    metrics = json.loads(report.read_text(encoding="utf-8"))["benchmarks"][0]["metrics"]
    first, gaps = (
        _figures(metrics[name]["successful"]["percentiles"])
        for name in ("time_to_first_token_ms", "inter_token_latency_ms")
    )
    return StreamResult(metrics["request_totals"]["successful"], first, gaps, cpu_s, rss_mib)


def _aiperf(home: Path, tool: Installed, port: int) -> StreamResult:
    folder, tokenizer = home / f"aiperf-{port}", home / "tokenizer"
    _run(home, [tool.python, "-c", TOKENIZER, str(tokenizer)])
    argv = [
        str(tool.folder / "bin/aiperf"), "profile", "--model", "bench", "--url", f"http://127.0.0.1:{port}",
        "--endpoint-type", "chat", "--streaming", "--tokenizer", str(tokenizer), "--ui", "none",
        "--request-rate", str(RATE), "--request-rate-mode", "constant", "--request-count", str(RATE * SECONDS),
        "--input-file", str(_prompts(home)), "--custom-dataset-type", "single_turn",
        "--artifact-dir", str(folder),
    ]  # fmt: skip
    cpu_s, rss_mib = _run(home, argv)
    [report] = folder.rglob("profile_export_aiperf.json")
    figures = json.loads(report.read_text(encoding="utf-8"))
    first, gaps = (_figures(figures[name]) for name in ("time_to_first_token", "inter_token_latency"))
    return StreamResult(int(figures["request_count"]["avg"]), first, gaps, cpu_s, rss_mib)


def _prompts(home: Path) -> Path:
    """A file of prompts, in fields of the names that both tools look for."""
    path = home / "prompts.jsonl"
    lines = (json.dumps({"prompt": f"write word {n}", "text": f"write word {n}"}) for n in range(2 * RATE * SECONDS))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _figures(named: dict[str, float]) -> Figures:
    return named["p50"], named["p95"], named["p99"]


def _run(home: Path, argv: list[str], accepted: tuple[int, ...] = (0,)) -> tuple[float, float]:
    """Run a command; return its processor time, and the most memory that it and its processes had. Raises Failed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "HOME": str(home)}
    with (home / "output").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(argv, cwd=home, env=environment, stdout=output, stderr=subprocess.STDOUT)
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
        output.seek(0)
        lines = [line.strip() for line in output if line.strip()]
    if code not in accepted:
        raise Failed(f"exit {code}: {lines[-1][:160] if lines else 'no output'}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most[0]


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
