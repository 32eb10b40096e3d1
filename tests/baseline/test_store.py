"""Baselines on disk: what is written is read again, and an invalid file is refused with a reason."""

from __future__ import annotations

import json
import random
import stat
import threading
from pathlib import Path

import pytest

from tests.baseline.samples import HOST, MEMORY, load_run, memory_run, report
from xnai_validate.baseline import store
from xnai_validate.baseline.record import RecordedRun, recorded
from xnai_validate.errors import ConfigError, XnaiError


def test_runs_are_added_and_read_again(tmp_path: Path) -> None:
    """Each `add` adds a run, once; the file is the owner's and nothing lies beside it."""
    rng = random.Random(1)
    runs = [load_run(rng, number) for number in range(3)]
    assert [store.add("main", run, tmp_path) for run in runs] == [1, 2, 3]
    assert store.add("main", runs[2], tmp_path) == 3
    path = store.baseline_path("main", tmp_path)
    assert store.load(path).runs == tuple(runs)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".lock", "main.json"]
    assert store.baseline_names(tmp_path) == ("main",)


def test_the_oldest_runs_go(tmp_path: Path) -> None:
    """The number of runs in a baseline is bounded."""
    for number in range(store.KEEP_RUNS + 2):
        count = store.add("main", memory_run(100, number), tmp_path)
    assert count == store.KEEP_RUNS
    assert store.load(store.baseline_path("main", tmp_path)).runs[0].id.endswith("02-abcdef")


def test_runs_that_end_together_are_both_added(tmp_path: Path) -> None:
    """Eight at once lose none."""
    threads = [
        threading.Thread(target=store.add, args=("main", memory_run(100, number), tmp_path)) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.load(store.baseline_path("main", tmp_path)).runs) == 8


def test_a_run_of_another_host_is_refused(tmp_path: Path) -> None:
    """A run that does not fit the other runs is not added, and the message names the next step."""
    store.add("main", memory_run(100), tmp_path)
    other = recorded(report({MEMORY: {"tree_rss_mib": 1.0}}, number=1, host={**HOST, "cpus": 64}), passed_only=True)
    with pytest.raises(ConfigError, match="processors 2 before, 64 now") as raised:
        store.add("main", other, tmp_path)
    assert "under another name" in (raised.value.hint or "")
    assert len(store.load(store.baseline_path("main", tmp_path)).runs) == 1


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../x", "a b", "x" * 65, "ä"])
def test_names_are_names_of_files(tmp_path: Path, name: str) -> None:
    """Nothing leaves the folder."""
    with pytest.raises(ConfigError, match="not the name of a baseline"):
        store.baseline_path(name, tmp_path)


GOOD = {"format": "xnai-validate/baseline/1", "name": "x", "runs": []}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "not a baseline of xnai-validate"),
        (b'{"format": "xnai-validate/report/1"}', "not a baseline of xnai-validate"),
        (b'{"format": 1}', "not a baseline of xnai-validate"),
        (b'{"format": "xnai-validate/baseline/2"}', "another version of xnai-validate: xnai-validate/baseline/2"),
        (json.dumps(GOOD).encode(), "has no runs"),
        (json.dumps({**GOOD, "runs": [{"id": 1}]}).encode(), "damaged baseline: runs.0"),
        (json.dumps({**GOOD, "more": 1}).encode(), "damaged baseline: more"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Foreign, newer and damaged files are distinguished."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        store.load(path)
    assert message in raised.value.message


def test_a_baseline_that_cannot_be_read_or_written_is_reported(tmp_path: Path) -> None:
    """No such file, no folder, too large."""
    with pytest.raises(ConfigError, match="No such file"):
        store.load(tmp_path / "missing.json")
    (tmp_path / "baselines").write_text("a file where the folder should be")
    with pytest.raises(XnaiError, match="cannot be written"):
        store.add("main", RecordedRun(id="x", started_at="y", fingerprint=memory_run(1).fingerprint), tmp_path)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(store.FILE_CAP + 1)
    with pytest.raises(ConfigError, match="larger than"):
        store.load(large)
