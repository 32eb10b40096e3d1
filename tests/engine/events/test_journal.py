"""Journals: written as things happen, read whatever became of the run."""

from __future__ import annotations

import re
import resource
import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.engine.clock import run_virtual
from tests.engine.plans import Stage, collect, engine_of, make, plan_of, scripted
from xnai_validate.engine import Engine, journal_path, journals, new_run_id, read_journal, state_dir
from xnai_validate.engine.events import emit as module
from xnai_validate.engine.events.emit import Journal
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.model.json import to_json
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import Event, Notice, RunFinished
from xnai_validate.model.results.report import Criterion
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.plan import Retry
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View


def mixed(tmp_path: Path, checks: int = 8) -> tuple[Engine, list[Event]]:
    """A run with every status in it."""
    by = scripted(Stage())
    answers = [[200], [500], [500, 200], ["broken"], ["na"], ["unmeasurable"]]
    made = [
        make(f"c{n}", by, script={"answers": answers[n % 6], "text": "é\u2028\x00😀"}, retry=Retry(attempts=2))
        for n in range(checks)
    ]
    made.append(make("blocked", by, needs=("c1",)))
    criteria = (Criterion(scope="total", rule=Rule("errors", "max", 0)),)
    plan = plan_of(*made, targets={"api": "http://127.0.0.1:8000"}, notices=("one",), criteria=criteria)
    engine = engine_of(plan, tmp_path, host={"cpus": 2, "name": "here"})
    return engine, run_virtual(collect(engine))


@pytest.mark.parametrize("checks", [8, 300])
def test_a_stored_journal_folds_to_the_same_report(tmp_path: Path, checks: int) -> None:
    """The events on disk are those of the live run, and make the same report byte for byte, of many checks too."""
    engine, events = mixed(tmp_path, checks)
    assert engine.journal_path is not None
    stored = list(read_journal(engine.journal_path))
    assert [to_json(event) for event in stored] == [to_json(event) for event in events]
    live, later = build_report(events), build_report(stored)
    assert FORMATS.get("json").text(live, View()) == FORMATS.get("json").text(later, View())
    assert {status for status, count in asdict(live.summary).items() if count} == {
        "pass_",
        "flaky",
        "fail",
        "error",
        "skip",
    }


def test_any_torn_journal_can_be_reported(tmp_path: Path) -> None:
    """Cut anywhere after its first line, a journal is still the report of a killed run."""
    engine, events = mixed(tmp_path)
    assert engine.journal_path is not None
    whole = engine.journal_path.read_bytes()
    first = whole.index(b"\n") + 1
    torn = tmp_path / "torn.jsonl"
    for end in [*range(first, len(whole), 997), len(whole) - 1]:
        torn.write_bytes(whole[:end])
        report = build_report(read_journal(torn))
        assert (report.run.stopped, len(report.checks)) == ("killed", 9)
    torn.write_bytes(whole[: first // 2])
    assert list(read_journal(torn)) == []
    assert len(events) == whole.count(b"\n")


def test_it_is_private(tmp_path: Path) -> None:
    """The journal and its folder are readable by their owner only, whatever the umask allows."""
    engine, _ = mixed(tmp_path / "state")
    assert engine.journal_path is not None
    assert stat.S_IMODE(engine.journal_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(engine.journal_path.parent.stat().st_mode) == 0o700


def test_a_run_goes_on_where_no_journal_can_be_written(tmp_path: Path) -> None:
    """Where the folder is a file, a notice reports it and the run is whole."""
    (tmp_path / "runs").write_text("in the way")
    engine, events = mixed(tmp_path)
    assert engine.journal_path is None
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert notices[0].startswith("the journal ")
    assert notices[0].endswith("the run goes on without it")
    assert isinstance(events[-1], RunFinished)


def test_a_run_goes_on_where_the_disk_is_full(tmp_path: Path) -> None:
    """When writing fails in the middle, one notice reports it, events stay whole, and what was written can be read."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, hard))  # the system refuses more, as a full disk does
    try:
        engine, events = mixed(tmp_path, checks=40)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    ends = [e.text for e in events if isinstance(e, Notice) and e.text.startswith("the journal ends here: ")]
    assert len(ends) == 1
    assert isinstance(events[-1], RunFinished)
    assert engine.journal_path is not None
    assert engine.journal_path.stat().st_size == 6000
    stored = list(read_journal(engine.journal_path))
    assert stored == events[: len(stored)]


def test_old_journals_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of journals and their bytes are bounded; the oldest go first, other files stay."""
    monkeypatch.setattr(module, "KEEP_RUNS", 4)
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "notes.txt").write_text("mine")
    for n in range(8):
        (runs / f"2026010{n}T000000-aaaaaa.jsonl").write_bytes(b"x" * 100)
    Journal(journal_path("20270101T000000-bbbbbb", tmp_path)).close()
    assert [path.name[:8] for path in journals(tmp_path)] == ["20260105", "20260106", "20260107", "20270101"]
    monkeypatch.setattr(module, "KEEP_BYTES", 150)
    Journal(journal_path("20270102T000000-bbbbbb", tmp_path)).close()
    assert [path.name[:8] for path in journals(tmp_path)] == ["20260107", "20270101", "20270102"]
    assert (runs / "notes.txt").exists()


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    """Two runs of one id: the second goes on without a journal instead of mixing with the first."""
    first, _ = mixed(tmp_path)
    assert first.journal_path is not None
    before = first.journal_path.read_bytes()
    second, _ = mixed(tmp_path)
    assert second.journal_path is None
    assert first.journal_path.read_bytes() == before


def test_an_invalid_journal_is_reported(tmp_path: Path) -> None:
    """A missing file, and a line that is not an event, are reported in a sentence with the place."""
    with pytest.raises(XnaiError, match="cannot be read: No such file"):
        list(read_journal(tmp_path / "none.jsonl"))
    engine, _ = mixed(tmp_path)
    assert engine.journal_path is not None
    lines = engine.journal_path.read_bytes().splitlines(keepends=True)
    odd = tmp_path / "odd.jsonl"
    odd.write_bytes(b"".join([*lines[:3], b'{"event": "party"}\n', *lines[3:]]))
    with pytest.raises(XnaiError, match=r"odd\.jsonl:4: not an event"):
        list(read_journal(odd))


def test_ids_sort_by_time() -> None:
    """The id of a later run sorts after that of an earlier one, also within a second; two of one moment differ."""
    assert new_run_id(1_000_000_000.0).startswith("20010909T014640-")
    assert new_run_id(1_000_000_000.0) < new_run_id(1_000_000_001.0) < new_run_id(2_000_000_000.0)
    moments = [new_run_id(1_000_000_000 + step / 1000) for step in range(0, 1001, 7)]
    assert moments == sorted(moments)
    assert new_run_id(1.0) != new_run_id(1.0)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden"])
def test_an_id_that_is_no_file_name_is_refused(name: str, tmp_path: Path) -> None:
    """A run's id cannot lead outside of the folder of journals."""
    with pytest.raises(ValueError, match="not the id of a run"):
        journal_path(name, tmp_path)


def test_where_journals_are_kept() -> None:
    """The tool's own variable goes before that of XDG, and that before the home directory."""
    assert state_dir({"XNAI_VALIDATE_STATE": "/a", "XDG_STATE_HOME": "/b"}) == Path("/a")
    assert state_dir({"XDG_STATE_HOME": "/b"}) == Path("/b/xnai-validate")
    assert state_dir({"XDG_STATE_HOME": "relative"}) == Path.home() / ".local/state/xnai-validate"
    assert state_dir({}) == Path.home() / ".local/state/xnai-validate"


def test_an_event_beyond_all_bounds_loses_its_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where facts are bounded and still too many, they are left out, in the journal and live alike."""
    monkeypatch.setattr("xnai_validate.engine.events.emit.EVENT_CAP", 300)
    check = make("a", scripted(Stage()), script={"text": "y" * 1990})
    engine = engine_of(plan_of(check), tmp_path)
    events = run_virtual(collect(engine))
    assert engine.journal_path is not None
    assert list(read_journal(engine.journal_path)) == events
    (result,) = build_report(events).checks
    assert "were left out" in str(result.facts["..."])


def test_journals_that_another_user_can_write_are_refused(tmp_path: Path) -> None:
    """A planted journal would be reported, or named as an earlier run."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs").chmod(0o777)
    with pytest.raises(ConfigError, match="another user can write the state folder"):
        journals(tmp_path)


def test_a_journal_whose_events_are_out_of_order_is_refused(tmp_path: Path) -> None:
    """Lines that were exchanged, or a run that begins twice: the error names the line."""
    mixed(tmp_path)
    (path,) = journals(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number, text in ((2, [lines[0], lines[0], *lines[1:]]), (4, [*lines[:2], lines[3], lines[2], *lines[4:]])):
        path.write_bytes(b"".join(text))
        with pytest.raises(XnaiError, match=rf"jsonl:{number}: event \d+ stands after event \d+"):
            list(read_journal(path))


def test_a_time_that_is_no_number_is_refused(tmp_path: Path) -> None:
    """JSON has no infinity, and no report could show it."""
    mixed(tmp_path)
    (path,) = journals(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert '"elapsed_ms":0' in text
    path.write_text(re.sub(r'"elapsed_ms":\d+(\.\d+)?', '"elapsed_ms":Infinity', text), encoding="utf-8")
    with pytest.raises(XnaiError, match="not an event of a run"):
        list(read_journal(path))
