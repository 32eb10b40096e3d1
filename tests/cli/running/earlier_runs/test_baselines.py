"""`run --record`, `run --baseline` and `compare`: a process that grows, and a load; whatever else the machine does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.conftest import Place
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.report.formats.json import parse

SUITE = """\
title: Memory and load
checks:
  - id: memory
    title: The process has its memory
    kind: process.state
    target: api
    with: {cpu_window: 0s}
    expect: {rss_mib: {max: 100000}}
  - id: pages
    title: Pages are answered under load
    kind: load.http
    target: api
    with: {path: /ok, arrivals: {rate: 40}, for: 1s}
    expect: {error_ratio: 0}
"""
MEMORY = ("loaded", "--only", "site/loaded:memory")
GROWN = "import sys; block = bytearray(b'x') * (int(sys.argv[1]) << 20); print(flush=True); sys.stdin.read()"


@contextmanager
def process(mib: int) -> Iterator[int]:
    """The pid of a process that holds that much memory."""
    command = [sys.executable, "-c", GROWN, str(mib)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        yield child.pid
        child.stdin.close()


def watch(place: Place, pid: int) -> None:
    """Let the profile look at this process."""
    (place.path / "profiles/loaded.yaml").write_text(
        "title: Load\nsuites: [site/loaded]\n"
        f"targets: {{api: {{url: '{place.site.url}', pid: {pid}}}}}\n"
        "limits: {host_memory_percent: {warn: 100, stop: 100}, own_memory: 8GiB}\n"
    )


@pytest.fixture
def loaded(place: Place) -> Iterator[Place]:
    """The folder with a profile that looks at a process of 40 MiB and loads the site."""
    (place.path / "checks/site/loaded.yaml").write_text(SUITE)
    with process(40) as pid:
        watch(place, pid)
        yield place


def document(result: Result) -> Comparison:
    """The comparison of a JSON report on stdout."""
    found = parse(result.stdout).comparison
    assert found is not None, result.output
    return found


def path_of(place: Place, name: str = "main") -> Path:
    return place.state / "baselines" / f"{name}.json"


def edit(place: Place, **fingerprint: object) -> None:
    """Pretend that the baseline was recorded elsewhere."""
    content = json.loads(path_of(place).read_text())
    for run in content["runs"]:
        run["fingerprint"].update(fingerprint)
    path_of(place).write_text(json.dumps(content))


def test_runs_are_recorded_and_a_like_one_is_not_worse(loaded: Place) -> None:
    """The first run begins a baseline, later ones are added, another is compared with them and is the same."""
    assert loaded.run(*MEMORY, "--record", "main").stderr == "recorded as main, which has 1 run now\n"
    loaded.run(*MEMORY, "--record", "main")
    assert loaded.run(*MEMORY, "--record", "main", "-q").stderr == ""
    assert "main  3 runs  loaded, 1 check to compare" in loaded.invoke("list", "baselines").stdout
    result = loaded.run(*MEMORY, "--baseline", "main", "--format", "json")
    assert result.exit_code == 0
    (figure,) = document(result).figures
    assert (figure.check, figure.figure, figure.change) == ("site/loaded:memory", "rss_mib", "same")
    assert document(result).runs == 3
    criterion = parse(result.stdout).criteria[-1]
    assert (criterion.name, criterion.planned, criterion.actual, criterion.met) == ("regressions", "equals 0", 0, True)


def test_a_larger_process_fails_the_run(loaded: Place) -> None:
    """Twice the memory is a regression, in every format, and is not recorded as an example."""
    loaded.run(*MEMORY, "--record", "main")
    again = ("--baseline", "main", "--record", "main", "--color", "-o", "r.json", "-o", "r.xml", "-o", "r.md")
    with process(100) as pid:
        watch(loaded, pid)
        result = loaded.run(*MEMORY, *again)
    assert result.exit_code == 1
    assert "1 figure is worse than in main" in result.stdout
    assert "\x1b[1;31mregression" in result.stdout
    assert "the run was not recorded as main: it is worse than main" in result.stderr
    assert len(json.loads(path_of(loaded).read_text())["runs"]) == 1
    worst = parse((loaded.path / "r.json").read_text()).comparison
    assert worst is not None
    assert worst.count("regression") == 1
    for name in ("r.xml", "r.md"):
        text = (loaded.path / name).read_text()
        assert "site/loaded:memory rss_mib: " in text.replace("\\", "")
        assert "a change counts from 5%" in text
    later = loaded.invoke("compare", "main", "last")
    assert later.exit_code == 1
    assert "1 regression" in later.stdout
    for args in (("last", "main"), ("r.json", "main")):
        back = loaded.invoke("compare", *args, "--format", "json")
        assert back.exit_code == 0
        assert json.loads(back.stdout)["figures"][0]["change"] == "improvement"


def test_a_load_is_compared_by_its_windows(loaded: Place) -> None:
    """A baseline has the latencies of a load, and a later run is compared by them; few requests have no p99."""
    loaded.run("loaded", "--only", "site/loaded:pages", "--record", "main")
    (run,) = json.loads(path_of(loaded).read_text())["runs"]
    windows = run["checks"]["site/loaded:pages"]["latency_windows"]["windows"]
    assert sum(count for window in windows for _, count in window["buckets"]) == 40
    found = document(loaded.run("loaded", "--baseline", "main", "--format", "json"))
    figures = {(figure.check, figure.figure): figure for figure in found.figures}
    assert set(figures) == {
        ("site/loaded:pages", "p50_ms"),
        ("site/loaded:pages", "p99_ms"),
        ("site/loaded:memory", "rss_mib"),
    }
    assert figures["site/loaded:pages", "p99_ms"].change == "cannot tell"
    assert figures["site/loaded:memory", "rss_mib"].reason == "the baseline does not have it"


def test_runs_of_no_use_are_not_recorded(loaded: Place) -> None:
    """A run without comparable figures, or that did not reach its end, is not recorded: exit 3 or more."""
    useless = loaded.run("good", "--record", "main")
    assert useless.exit_code == 3
    assert "the run measured no load and no memory" in useless.stderr
    late = loaded.run("hanging", "--record", "main", "--deadline", "1s")
    assert late.exit_code == 5
    assert "did not reach its end (deadline)" in late.stderr
    assert not path_of(loaded).exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cpus": 4096}, "another host: processors 4096"),
        ({"profiles": ["other"]}, "other profiles: other before, loaded now"),
        ({"interfaces": {"api": "http:/xnai/api/v1"}}, "another interface of api: http:/xnai/api/v1 before, http:"),
    ],
)
def test_other_conditions_are_refused_before_anything_is_touched(
    loaded: Place, changed: dict[str, object], message: str
) -> None:
    """Neither judged by such a baseline nor added to it; exit 2, with how to go on."""
    loaded.run(*MEMORY, "--record", "main")
    edit(loaded, **changed)
    for option in ("--baseline", "--record"):
        result = loaded.run(*MEMORY, option, "main")
        assert result.exit_code == 2
        assert message in result.stderr
        assert "under another name: run PROFILE --record NAME" in result.stderr
        assert result.stdout == ""
    compared = loaded.invoke("compare", "main", "main")
    assert (compared.exit_code, compared.stderr) == (2, "main and main are the same run\n")
    assert loaded.site.seen == []


def test_another_version_is_reported_and_compared(loaded: Place) -> None:
    """What may explain a change is in the report, and the runs are compared."""
    loaded.run(*MEMORY, "--record", "main")
    edit(loaded, python="2.7", versions={})
    result = loaded.run(*MEMORY, "--baseline", "main")
    assert result.exit_code in (0, 3)
    assert "Python: 2.7 before" in result.stdout


def test_a_comparison_without_figures_is_3(loaded: Place) -> None:
    """Where no figure could be compared that is not a pass, and no failure either."""
    loaded.run(*MEMORY, "--record", "main")
    result = loaded.run(*MEMORY, "--baseline", "main")
    assert result.exit_code == 3, "one run each cannot tell five percent of memory"
    assert "no check failed, but no figure could be compared with main" in result.stdout
    assert "with 5 runs or more, a baseline shows smaller changes" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("run", "good", "--baseline", "mian"), 'did you mean "main"?'),
        (("run", "good", "--baseline", "missing.json"), "No such file"),
        (("run", "good", "--record", "../main"), "not the name of a baseline"),
        (("run", "good", "--record", "newer"), "xnai-validate/baseline/9"),
        (("run", "good", "--baseline", "newer"), "xnai-validate/baseline/9"),
        (("compare", "foreign.json", "main"), "not a report of this version"),
        (("compare", "main", "profiles/good.yaml"), "not a report of this version"),
        (("compare", "main", "empty.jsonl"), "run-started is missing"),
        (("compare", "main", "words.jsonl"), "words.jsonl:1: not an event of a run"),
        (("compare", "main", "2020"), 'no baseline and no run is named "2020"'),
        (("compare", "main"), "'B'"),
        (("report", "2020"), 'no run "2020" is stored'),
        (("report", "foreign.json"), "not a report of this version"),
        (("report", "missing.json"), "No such file"),
        (("report", "--format", "jnuit"), 'did you mean "junit"?'),
        (("report", "-q", "-v"), "exclude each other"),
        (("report", "-o", "x.pdf"), "does not show the format"),
        (("list", "baselines", "--tag", "x"), "select checks"),
    ],
)
def test_wrong_names_are_2(loaded: Place, args: tuple[str, ...], message: str) -> None:
    """A wrong name is an error on stderr that shows how to go on; no request is made."""
    loaded.run(*MEMORY, "--record", "main")
    path_of(loaded, "newer").write_text('{"format": "xnai-validate/baseline/9"}')
    (loaded.path / "foreign.json").write_text('{"format": "something/else"}')
    (loaded.path / "empty.jsonl").write_text("")
    (loaded.path / "words.jsonl").write_text("hello\n")
    result = loaded.invoke(*args)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""
    assert loaded.site.seen == []


def test_a_run_is_not_recorded_among_baselines_that_others_can_write(place: Place) -> None:
    """Exit 2 before anything is measured: another user could plant a baseline that hides a regression."""
    shared = place.state / "baselines"
    shared.mkdir(parents=True)
    shared.chmod(0o777)
    ended = place.invoke("run", "good", "--record", "nightly")
    assert ended.exit_code == 2
    assert f"another user can write the state folder {shared}" in ended.stderr
    assert place.site.seen == []
    assert list(shared.iterdir()) == []
