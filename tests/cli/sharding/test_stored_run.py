"""`run --shard K/N` and `report A B C`, against a real server: all shards together are worth the whole run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.formats.json import parse
from xnai_validate.report.registry import FORMATS

SUITE = """\
title: All kinds of chain
defaults: {target: api}
checks:
  - {id: up, title: It answers, kind: http.request, with: {path: /ok}}
  - {id: alone, title: It runs alone, kind: http.request, needs: [up], exclusive: true, with: {path: /ok}}
  - {id: on-it, title: Needs what runs alone, kind: http.request, needs: [alone], with: {path: /ok}}
  - {id: pair, title: One of a group, kind: http.request, needs: [up], together: pair, with: {path: /ok}}
  - {id: other, title: The other, kind: http.request, needs: [up], together: pair, with: {path: /ok}}
  - {id: boom, title: A page that breaks, kind: http.request, needs: [up], with: {path: /boom}}
  - {id: blocked, title: Needs the page, kind: http.request, needs: [boom], with: {path: /ok}}
  - {id: known, title: Known to be broken, kind: http.request, needs: [up], with: {path: /boom}}
  - {id: odd, title: It warns, kind: http.request, needs: [up], with: {path: /ok}, warn: {headers: {x-who: me}}}
  - {id: later, title: Comes later, kind: http.request, needs: [up], after: [odd], with: {path: /ok}}
  - {id: absent, title: Another part, kind: http.request, target: other, with: {path: /ok}}
  - {id: disturbs, title: It disturbs, kind: http.request, disruptive: true, needs: [up], with: {path: /ok}}
  - {id: disturbed, title: It is disturbed, kind: http.request, disruptive: true, with: {path: /ok}}
"""
PROFILE = """\
title: All kinds
suites: [{suites}]
targets: {{api: {{url: "{url}"}}, other: {{url: null}}}}
criteria:
  total: {{passed: {{min: 9}}, failed: 1}}
  kinds: {{warnings: 1}}
"""
WAIVERS = 'waivers: [{check: "kinds/all:known", reason: "a known one", until: 2099-12-31, owner: me}]\n'


@pytest.fixture
def kinds(place: Place) -> Place:
    """A profile with checks of all kinds of chain."""
    (place.path / "checks/kinds").mkdir()
    (place.path / "checks/kinds/all.yaml").write_text(SUITE)
    (place.path / "profiles/kinds.yaml").write_text(PROFILE.format(suites="kinds/all", url=place.site.url))
    (place.path / "profiles/waivers.yaml").write_text(WAIVERS)
    return place


RUN = ("kinds", "--allow", "disruptive", "--long")


def shards(place: Place, count: int, *options: str) -> list[str]:
    """Run all shards, each with a state folder of its own as in a CI job, and return the files of their reports."""
    files = []
    for number in range(1, count + 1):
        file = f"shard-{number}.{'json' if number % 2 else 'jsonl'}"
        place.run(*RUN, "--shard", f"{number}/{count}", "-o", file, "-q", *options)
        files.append(file)
    return files


def read(path: Path) -> RunReport:
    return parse(path.read_text(encoding="utf-8"))


def outcome(report: RunReport) -> tuple[object, ...]:
    """What must be that of the whole run."""
    checks = [(c.id, c.status, c.reason, c.blocked_by, c.waiver, c.fix, c.promise, c.severity) for c in report.checks]
    return checks, report.criteria, report.causes, report.exit_code, report.verdict, report.run.title, report.summary


@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
def test_all_shards_are_worth_the_whole_run(kinds: Place, down: bool) -> None:
    """Verdicts, criteria, causes, waivers and the exit code, from journals and JSON reports in any order."""
    if down:
        kinds.site.down.set()
    whole = kinds.run(*RUN, "-o", "whole.json", "-q")
    files = shards(kinds, 3)
    done = kinds.invoke("report", *reversed(files), "-o", "merged.json", "-q")
    assert done.exit_code == whole.exit_code == 1, done.output
    assert outcome(read(kinds.path / "merged.json")) == outcome(read(kinds.path / "whole.json"))
    if not down:
        assert {check.status.value for check in read(kinds.path / "merged.json").checks} == {
            "pass", "fail", "waived", "warn", "skip",
        }  # fmt: skip


def test_every_format_is_made_from_the_merged_run(kinds: Place) -> None:
    """Its journal gives the same report again; compare takes the report, and integration the merged run."""
    files = shards(kinds, 2)
    written = [f"{name}:merged.{name}" for name in FORMATS.names()]
    done = kinds.invoke("report", *files, *(word for name in written for word in ("-o", name)))
    assert done.exit_code == 1, done.output
    report = read(kinds.path / "merged.json")
    assert all((kinds.path / f"merged.{name}").stat().st_size for name in FORMATS.names())
    again = kinds.invoke("report", "merged.jsonl", "--format", "json")
    assert (again.exit_code, parse(again.stdout)) == (0, report)
    assert kinds.invoke("report", *files, "--format", "jsonl").stdout == (kinds.path / "merged.jsonl").read_text()
    assert kinds.run(*RUN, "-o", "whole.json").exit_code == 1
    compared = kinds.invoke("compare", "whole.json", "merged.json", "--format", "json")
    assert json.loads(compared.stdout)["verdicts"] == []
    assert kinds.invoke("report", *files[:1], "merged.json").exit_code == 2


def test_a_file_of_durations_divides_and_another_is_noticed(kinds: Place) -> None:
    """`history` and `report` write it; shards that were divided by different files are refused."""
    kinds.run(*RUN)
    assert kinds.invoke("history", "kinds", "--shard-times", "times.json").exit_code == 0
    assert kinds.invoke("report", "last", "--shard-times", "same.json").exit_code == 0
    assert (kinds.path / "times.json").read_text() == (kinds.path / "same.json").read_text()
    slow = {"format": "xnai-validate/shard-times/1", "seconds": {"kinds/all:boom": 60, "kinds/all:odd": 70}}
    (kinds.path / "times.json").write_text(json.dumps(slow))
    files = shards(kinds, 2, "--shard-times", "times.json")
    assert kinds.invoke("report", *files).exit_code == 1
    kinds.run(*RUN, "--shard", "2/2", "-o", files[1])
    refused = kinds.invoke("report", *files)
    assert refused.exit_code == 2
    assert "divided the plan differently" in refused.stderr
    assert kinds.invoke("history", "nothing", "--shard-times", "times.json").exit_code == 2


def test_one_shard_alone_is_shown_but_decides_nothing(kinds: Place) -> None:
    """A list of files that has lost all but one is not a pass."""
    files = shards(kinds, 3)
    lonely = next(name for name in files[::2] if read(kinds.path / name).exit_code == 0)
    done = kinds.invoke("report", lonely)
    assert done.exit_code == 3
    assert "All kinds, shard" in done.stdout
    assert "decides nothing about the plan" in done.stderr
    assert kinds.invoke("report", *files[:2]).exit_code == 2


def test_other_options_make_another_plan(kinds: Place) -> None:
    """Merging notices a job that ran something else: other checks, other rules, another consent."""
    first, second = shards(kinds, 2)
    suite = kinds.path / "checks/kinds/all.yaml"
    for changed, options in (
        (SUITE.replace("x-who: me", "x-who: you"), RUN),
        (
            SUITE.replace(
                "A page that breaks, kind: http.request", "A page that breaks, kind: http.request, timeout: 9s"
            ),
            RUN,
        ),
        (SUITE, ("kinds", "--long")),
        (SUITE, (*RUN, "--only", "kinds/*")),
        (SUITE, (*RUN, "--fail-on", "warn")),
    ):
        suite.write_text(changed)
        done = kinds.run(*options, "--shard", "2/2", "-o", second)
        assert done.exit_code in (0, 1), done.output
        refused = kinds.invoke("report", first, second)
        assert (refused.exit_code, "different" in refused.stderr) == (2, True), (options, refused.output)


def test_an_interrupted_shard_is_finished_as_a_shard(kinds: Place) -> None:
    """`--resume` with the same --shard gives the whole shard; without it the plan is another one."""
    files = shards(kinds, 2)
    journals = sorted((kinds.state / "runs").iterdir())
    lines = journals[-1].read_bytes().splitlines(keepends=True)
    journals[-1].write_bytes(b"".join(lines[: len(lines) // 2]))
    name = journals[-1].stem
    assert kinds.invoke("report", files[0], name).exit_code == 130
    for other in ((), ("--shard", "1/2"), ("--shard", "2/3")):
        refused = kinds.run(*RUN, "--resume", name, *other)
        assert (refused.exit_code, "another plan" in refused.stderr) == (2, True), refused.output
    assert kinds.run(*RUN, "--resume", name, "--shard", "2/2", "-o", "again.json").exit_code in (0, 1)
    assert kinds.invoke("report", files[0], "again.json").exit_code == 1
    assert "has finished" in kinds.invoke("report", files[0], name, "again.json").stderr


def test_the_history_keeps_a_shard_apart_from_whole_runs(kinds: Place) -> None:
    """The pass rate of a profile is that of whole runs; that of a check counts all."""
    shards(kinds, 2)
    kinds.run(*RUN)
    profiles = json.loads(kinds.invoke("history", "--json").stdout)["profiles"]
    assert {profile["profile"]: profile["runs"] for profile in profiles} == {
        "kinds": 1,
        "kinds shard 1/2": 1,
        "kinds shard 2/2": 1,
    }
    assert json.loads(kinds.invoke("history", "kinds/all:boom", "--json").stdout)["runs"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--shard", "0/2"), "K is from 1 to N"),
        (("--shard", "3/2"), "K is from 1 to N"),
        (("--shard", "1/9999"), "N at most"),
        (("--shard", "/1"), "not of the form K/N"),
        (("--shard-times", "t.json"), "is for --shard"),
        (("--shard", "1/2", "--shard-times", "t.json"), "t.json cannot be read"),
        (("--shard", "1/2", "--rerun", "failed"), "exclude each other"),
        (("--shard", "1/2", "--record", "x"), "exclude each other"),
        (("--shard", "1/2", "--baseline", "x"), "exclude each other"),
    ],
)
def test_errors_of_usage(kinds: Place, options: tuple[str, ...], message: str) -> None:
    """Exit 2 before anything is sent."""
    done = kinds.run(*RUN, *options)
    assert (done.exit_code, message in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert kinds.site.seen == []


def test_a_dry_run_shows_the_checks_of_the_shard(kinds: Place) -> None:
    """Nothing is sent; all shards together show each check that counts."""
    shown = [kinds.run(*RUN, "--shard", f"{number}/2", "--dry-run", "-v").stdout for number in (1, 2)]
    assert all("shard" in text for text in shown)
    assert all(any(f"kinds/all:{check}" in text for text in shown) for check in ("alone", "pair", "disturbs"))
    assert kinds.site.seen == []
