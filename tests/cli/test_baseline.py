"""`run --record`, `run --baseline` and `compare`: against a real server that becomes slower."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.conftest import Place
from xnai_validate.model.comparison import Comparison
from xnai_validate.report.json import parse

LOADED = """\
title: Load
checks:
  - id: pages
    title: Pages are answered under load
    kind: load.http
    target: api
    with: {path: /ok, arrivals: {rate: 40}, for: 1s}
    expect: {error_ratio: 0}
  - id: memory
    title: The site has memory
    kind: process.state
    target: api
    with: {cpu_window: 0s}
    expect: {rss_mib: {max: 100000}}
"""
DELAY_S = 0.25
"""So long that the tool is not late by a quarter of it on a busy machine, which would make the load tell nothing."""


@pytest.fixture
def loaded(place: Place) -> Place:
    """The folder with a profile that loads the site, whose answers take some time."""
    (place.path / "checks/site/loaded.yaml").write_text(LOADED)
    (place.path / "profiles/loaded.yaml").write_text(
        "title: Load\nsuites: [site/loaded]\n"
        f"targets: {{api: {{url: '{place.site.url}', pid: {os.getpid()}}}}}\n"
        "limits: {host_memory_percent: {warn: 100, stop: 100}, own_memory: 8GiB}\n"
    )
    place.site.delay_s = DELAY_S
    return place


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
    """The first run begins a baseline, the second is added, a third is held against them and nothing is worse."""
    assert "recorded as main, which has 1 run now" in loaded.run("loaded", "--record", "main").stderr
    assert "recorded as main, which has 2 runs now" in loaded.run("loaded", "--record", "main").stderr
    assert "main  2 runs  loaded, 2 checks to compare" in loaded.invoke("list", "baselines").stdout
    result = loaded.run("loaded", "--baseline", "main", "--format", "json")
    found = document(result)
    assert [(one.check, one.figure) for one in found.figures] == [
        ("site/loaded:pages", "p50_ms"),
        ("site/loaded:pages", "p99_ms"),
        ("site/loaded:memory", "rss_mib"),
    ]
    assert found.runs == 2
    assert found.count("regression") == 0
    assert result.exit_code == (0 if found.told else 3)
    assert found.figures[0].after is not None
    assert found.figures[0].after >= DELAY_S * 1000
    assert found.figures[1].reason == "the baseline: 40 requests are too few, it takes 500"
    criterion = parse(result.stdout).criteria[-1]
    assert (criterion.name, criterion.planned, criterion.actual, criterion.met) == ("regressions", "equals 0", 0, True)


def test_a_slower_stack_fails_the_run(loaded: Place) -> None:
    """Answers that take four times as long are a regression, in every format, and are not recorded as an example."""
    loaded.run("loaded", "--record", "main")
    loaded.site.delay_s = 4 * DELAY_S
    again = ("--baseline", "main", "--record", "main", "--color", "-o", "r.json", "-o", "r.xml", "-o", "r.md")
    result = loaded.run("loaded", *again)
    assert result.exit_code == 1
    assert "1 figure is worse than in main" in result.stdout
    assert "\x1b[1;31mregression" in result.stdout
    assert "nothing was recorded as main: it is worse than main" in result.stderr
    assert len(json.loads(path_of(loaded).read_text())["runs"]) == 1
    worst = parse((loaded.path / "r.json").read_text()).comparison
    assert worst is not None
    assert (worst.figures[0].figure, worst.figures[0].change) == ("p50_ms", "regression")
    for name in ("r.xml", "r.md"):
        text = (loaded.path / name).read_text()
        assert "site/loaded:pages p50" in text.replace("\\", "")
        assert "what counts is 10" in text
    later = loaded.invoke("compare", "main", "last")
    assert later.exit_code == 1
    assert "1 regression" in later.stdout
    for args in (("last", "main"), ("r.json", "main")):
        back = loaded.invoke("compare", *args, "--format", "json")
        assert back.exit_code == 0
        assert json.loads(back.stdout)["figures"][0]["change"] == "improvement"


def test_runs_of_no_use_are_not_recorded(loaded: Place) -> None:
    """A run that measured nothing comparable, or did not reach its end: exit 3 at least, with the reason."""
    nothing = loaded.run("good", "--record", "main")
    assert nothing.exit_code == 3
    assert "no load and no memory was measured" in nothing.stderr
    late = loaded.run("hanging", "--record", "main", "--deadline", "1s")
    assert late.exit_code == 5
    assert "did not reach its end (deadline)" in late.stderr
    assert not path_of(loaded).exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cpus": 4096}, "another host: processors 4096"),
        ({"profiles": ["other"]}, "other profiles: other; loaded"),
        ({"interfaces": {"api": "http:/xnai/api/v1"}}, "another interface of api: http:/xnai/api/v1; http:"),
    ],
)
def test_other_conditions_are_refused_before_anything_is_touched(
    loaded: Place, changed: dict[str, object], said: str
) -> None:
    """Neither judged by such a baseline nor added to it; exit 2, with how to go on."""
    only = ("loaded", "--only", "site/loaded:memory")
    loaded.run(*only, "--record", "main")
    edit(loaded, **changed)
    for option in ("--baseline", "--record"):
        result = loaded.run(*only, option, "main")
        assert result.exit_code == 2
        assert said in result.stderr
        assert "under another name: run PROFILE --record NAME" in result.stderr
        assert result.stdout == ""
    compared = loaded.invoke("compare", "main", "main")
    assert (compared.exit_code, compared.stderr) == (2, "main and main are the same run\n")
    assert loaded.site.seen == []


def test_another_version_is_said_and_judged(loaded: Place) -> None:
    """What may explain a change is told, and hinders nothing."""
    only = ("loaded", "--only", "site/loaded:memory")
    loaded.run(*only, "--record", "main")
    edit(loaded, python="2.7", versions={})
    result = loaded.run(*only, "--baseline", "main")
    assert result.exit_code in (0, 3)
    assert "Python: 2.7 before" in result.stdout


def test_nothing_to_tell_is_3(loaded: Place) -> None:
    """Where no figure could be compared that is no pass, and no failure either."""
    loaded.run("loaded", "--only", "site/loaded:memory", "--record", "main")
    result = loaded.run("loaded", "--only", "site/loaded:memory", "--baseline", "main")
    assert result.exit_code == 3, "one run each cannot tell five percent of memory"
    assert "nothing failed, but no figure could be compared with main" in result.stdout
    assert "a baseline of 5 runs or more tells smaller changes" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("args", "said"),
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
        (("report", "2020"), 'no run "2020" is kept'),
        (("report", "foreign.json"), "not a report of this version"),
        (("report", "missing.json"), "No such file"),
        (("report", "--format", "jnuit"), 'did you mean "junit"?'),
        (("report", "-q", "-v"), "exclude each other"),
        (("report", "-o", "x.pdf"), "cannot be told from its name"),
        (("list", "baselines", "--tag", "x"), "select checks"),
    ],
)
def test_mistakes_are_2(loaded: Place, args: tuple[str, ...], said: str) -> None:
    """Whatever is named wrongly is told on stderr with how to go on, and no request is made."""
    loaded.run("loaded", "--only", "site/loaded:memory", "--record", "main")
    path_of(loaded, "newer").write_text('{"format": "xnai-validate/baseline/9"}')
    (loaded.path / "foreign.json").write_text('{"format": "something/else"}')
    (loaded.path / "empty.jsonl").write_text("")
    (loaded.path / "words.jsonl").write_text("hello\n")
    result = loaded.invoke(*args)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""
    assert loaded.site.seen == []
