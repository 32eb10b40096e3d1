"""Reverting what a run has left: in which order, of which run, and what becomes of an invalid record."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.clock import VirtualClock, run_virtual
from tests.faults.brief import Flag
from xnai_validate.engine import Repaired, SystemClock, UndoFolder, UndoRecord, Unreadable, read_journal, repair
from xnai_validate.engine.events.journal import journal_path
from xnai_validate.engine.undo.conflicts import held_by_others, left_behind, refuse_held, refuse_left_behind
from xnai_validate.engine.undo.record import myself, placeless
from xnai_validate.errors import ConfigError, NotUndone, RegistryError
from xnai_validate.kit import FAULT_MARK, Fault, ProcessId, Target, Tls
from xnai_validate.model.json import to_json
from xnai_validate.model.results.events import FaultInjected, RunFinished, RunStarted
from xnai_validate.model.results.report import RunInfo
from xnai_validate.model.results.report_builder import build_report

RUN = "20261122T170312-ab12cd"
ENDED_PROCESS = ProcessId(pid=2**22 + 1, started=0, boot="")


def find(name: str) -> Fault:
    """The flag, and nothing else."""
    if name != "brief.flag":
        raise RegistryError(f'unknown fault "{name}"')
    found: Fault = getattr(Flag, FAULT_MARK)
    return found


def record(folder: UndoFolder, number: int, file: Path, *, run: str = RUN, **more: Any) -> UndoRecord:
    """A flag that is up, with its record."""
    fields: dict[str, Any] = {
        "id": f"{run}.{number}",
        "fault": "brief.flag",
        "sentence": f"{file.name} is there",
        "run": run,
        "check": "a/b:c",
        "owner": ENDED_PROCESS,
        "target": None,
        "undo": {"file": str(file)},
        "before": False,
        "recorded_at": 1000.0,
    }
    made = UndoRecord(**{**fields, **more})
    folder.add(made)
    file.touch()
    return made


def repaired(state: Path, **more: Any) -> list[tuple[str, bool]]:
    """What came of each."""
    results: list[Repaired] = []
    done = asyncio.run(repair(state, find, SystemClock(), results.append, **more))
    assert done == results
    return [(repaired.id, repaired.proven) for repaired in done]


def test_the_last_fault_is_reverted_first(tmp_path: Path) -> None:
    """Also beyond nine of them; each record goes when its fault is gone."""
    folder = UndoFolder.below(tmp_path)
    flags = [tmp_path / f"flag{number}" for number in range(1, 12)]
    for number, flag in enumerate(flags, 1):
        record(folder, number, flag)
    assert [name.rpartition(".")[2] for name in folder.ids()] == [str(number) for number in range(1, 12)]
    assert repaired(tmp_path) == [(f"{RUN}.{number}", True) for number in range(11, 0, -1)]
    assert not any(flag.exists() for flag in flags)
    assert (folder.ids(), repaired(tmp_path)) == ((), [])


def test_only_one_run_where_that_is_required(tmp_path: Path) -> None:
    """A guardian reverts what its own run has left."""
    folder = UndoFolder.below(tmp_path)
    record(folder, 1, tmp_path / "mine")
    other = record(folder, 1, tmp_path / "theirs", run="20261122T170312-ffffff")
    assert repaired(tmp_path, run=RUN) == [(f"{RUN}.1", True)]
    assert folder.ids() == (other.id,)
    assert (tmp_path / "theirs").exists()


def test_what_a_living_run_holds_is_its_own(tmp_path: Path) -> None:
    """The fault of a run that still lives is reverted by no other process, unless it is overdue."""
    folder = UndoFolder.below(tmp_path)
    now = SystemClock().time()
    held_by_others = record(folder, 1, tmp_path / "held_by_others", owner=myself(), recorded_at=now)
    late = record(folder, 2, tmp_path / "late", owner=myself(), recorded_at=now - 100)
    (folder.path / f"{RUN}.3.json").write_text("{}")  # an unreadable record is never overdue
    assert repaired(tmp_path, overdue=True) == [(late.id, True)]
    (folder.path / f"{RUN}.3.json").unlink()
    assert repaired(tmp_path) == [(held_by_others.id, False)]
    assert (tmp_path / "held_by_others").exists()
    refuse_left_behind(folder)
    with pytest.raises(NotUndone, match="disturbs the stack just now: held_by_others is there") as caught:
        refuse_held(folder, [])
    assert caught.value.hint == "wait until it has ended"


API = Target("api", "http://127.0.0.1:8000/v1", container="xnai_api", pid=77)


@pytest.mark.parametrize(
    ("target", "same"),
    [
        (None, True),
        (API, True),
        (Target("gateway", "http://127.0.0.1:8000"), True),
        (Target("other", container="xnai_api"), True),
        (Target("other", pid=77), True),
        (Target("api", "http://127.0.0.1:8001/v1"), False),
        (Target("api", "http://10.0.0.1:8000/v1", container="another", pid=78), False),
        (Target("api"), False),
    ],
)
def test_another_run_disturbs_its_own_stack_only(tmp_path: Path, target: Target | None, same: bool) -> None:
    """What disturbs the host disturbs all; else it must be the same server, container or process."""
    folder = UndoFolder.below(tmp_path)
    record(folder, 1, tmp_path / "held_by_others", owner=myself(), target=target)
    assert bool(held_by_others(folder, [Target("docs", "http://127.0.0.1:9"), API])) is same
    assert held_by_others(folder, [API], besides=RUN) == ()
    assert left_behind(folder) == ()


def test_what_cannot_be_read_stays(tmp_path: Path) -> None:
    """An invalid record, one of a fault that is not installed, one of another version: reported, and kept."""
    folder = UndoFolder.below(tmp_path)
    record(folder, 1, tmp_path / "a", fault="other.thing")
    record(folder, 2, tmp_path / "b", undo={"path": "b"})
    for number, text in (
        (3, "{"),
        (4, '{"format": "x"}'),
        (5, json.dumps({"format": "xnai-validate/undo/1"})),
        (6, "[]"),
    ):
        (folder.path / f"{RUN}.{number}.json").write_text(text)
    found = asyncio.run(repair(tmp_path, find, SystemClock(), lambda repaired: None))
    assert [repaired.proven for repaired in found] == [False] * 6
    assert len(folder.ids()) == 6
    assert [type(record) for record in folder.all()] == [UndoRecord] * 2 + [Unreadable] * 4
    assert "another version" in str(found[4].why)
    assert 'unknown fault "other.thing"' in str(found[5].why)
    with pytest.raises(NotUndone, match="and 5 more"):
        refuse_left_behind(folder)


def test_the_journal_of_a_killed_run_records_the_revert(tmp_path: Path) -> None:
    """With the next number, after a torn last line was cut off; a run that has ended keeps its journal as it is."""
    folder = UndoFolder.below(tmp_path)
    path = journal_path(RUN, tmp_path)
    path.parent.mkdir()
    run = RunInfo(id=RUN, title="T", profiles=("p",), started_at=1.0, host={}, version="0")
    lines = [
        to_json(RunStarted(seq=1, at=1.0, run=run, checks=(), criteria=())),
        to_json(FaultInjected(seq=2, at=2.0, fault="brief.flag", target=None, undo=f"{RUN}.1")),
    ]
    whole = b"".join(line + b"\n" for line in lines)
    path.write_bytes(whole + b'{"event": "not')
    assert build_report(read_journal(path)).exit_code == 4
    record(folder, 1, tmp_path / "flag")
    assert repaired(tmp_path) == [(f"{RUN}.1", True)]
    events = list(read_journal(path))
    assert [event.seq for event in events] == [1, 2, 3]
    report = build_report(events)
    assert ([fault.proven for fault in report.faults], report.exit_code) == ([True], 130)
    ended = path.read_bytes() + to_json(RunFinished(seq=4, at=9.0, elapsed_ms=1.0)) + b"\n"
    path.write_bytes(ended)
    record(folder, 2, tmp_path / "flag")
    assert repaired(tmp_path) == [(f"{RUN}.2", True)]
    assert path.read_bytes() == ended


def test_two_processes_do_not_revert_at_once(tmp_path: Path) -> None:
    """Who comes second waits, and finds nothing left to do."""
    folder = UndoFolder.below(tmp_path)
    record(folder, 1, tmp_path / "flag")
    imports = "import pathlib, sys; from tests.engine.undo.test_repair import repaired"
    code = f"{imports}; print(repaired(pathlib.Path(sys.argv[1])))"
    with folder.locked():
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(3)
        folder.remove(f"{RUN}.1")
    assert other.communicate(timeout=60)[0] == "[]\n"


def test_a_record_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readable by its owner only, synced before its name is; where anything of that fails, nothing is left of it."""
    folder = UndoFolder.below(tmp_path)
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    target = Target("redis", "redis://127.0.0.1:1", password="in-the-clear")
    made = record(folder, 1, tmp_path / "flag", target=target)
    names = [Path(path).name for path in synced]
    assert [name.rpartition(".")[0] for name in names[:2]] == [f".{RUN}.1.secret", f".{RUN}.1.json"]
    assert names[2:] == ["undo", tmp_path.name]
    assert {path.stat().st_mode & 0o777 for path in folder.path.iterdir()} == {0o600}
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert b"in-the-clear" not in (folder.path / f"{RUN}.1.json").read_bytes()
    assert folder.get(f"{RUN}.1") == made
    for failing in range(4):
        count = 0

        def full(handle: int, failing: int = failing) -> None:
            nonlocal count
            count += 1
            if count == failing + 1:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            record(folder, 2, tmp_path / "flag", target=target)
        assert folder.ids() == (f"{RUN}.1",)
        assert sorted(path.name for path in folder.path.iterdir()) == [f"{RUN}.1.json", f"{RUN}.1.secret"]


def test_a_password_from_the_environment_is_only_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in no file, and is taken from the environment again."""
    folder = UndoFolder.below(tmp_path)
    monkeypatch.setenv("TEST_REDIS_PASSWORD", "from-outside")
    target = Target("redis", "redis://127.0.0.1:1", password="from-outside", password_env="TEST_REDIS_PASSWORD")
    made = record(folder, 1, tmp_path / "flag", target=target)
    assert folder.get(made.id) == made
    assert [path.name for path in folder.path.iterdir()] == [f"{RUN}.1.json"]
    assert "from-outside" not in (folder.path / f"{RUN}.1.json").read_text()
    userinfo = record(folder, 2, tmp_path / "flag", target=Target("api", "http://user:secret@127.0.0.1:1/x"))
    assert "secret" not in (folder.path / f"{RUN}.2.json").read_text()
    assert folder.get(userinfo.id) == userinfo


def test_where_the_password_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another shell the variable may not be set: the reason names it, and nothing is tried."""
    target = Target("redis", "redis://127.0.0.1:1", password="from-outside", password_env="TEST_REDIS_PASSWORD")
    record(UndoFolder.below(tmp_path), 1, tmp_path / "flag", target=target)
    monkeypatch.delenv("TEST_REDIS_PASSWORD", raising=False)
    (result,) = asyncio.run(repair(tmp_path, find, SystemClock(), lambda repaired: None))
    assert (result.proven, result.why) == (
        False,
        "TEST_REDIS_PASSWORD is not set, which holds the password of redis",
    )
    assert (tmp_path / "flag").exists()
    monkeypatch.setenv("TEST_REDIS_PASSWORD", "from-outside")
    assert repaired(tmp_path) == [(f"{RUN}.1", True)]


def test_files_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate is named by its whole path, since the revert may run in another folder."""
    monkeypatch.chdir(tmp_path)
    target = placeless(Target("redis", "rediss://127.0.0.1:1", tls=Tls(ca="pem/ca.pem", key="/etc/key.pem")))
    assert target.tls == Tls(ca=str(tmp_path / "pem" / "ca.pem"), key="/etc/key.pem")
    bare = Target("redis", "redis://127.0.0.1:1")
    assert placeless(bare) is bare


def test_a_state_that_is_no_folder_has_no_records(tmp_path: Path) -> None:
    """A run without a place for its state goes on, as far as it disturbs nothing; one that cannot look does not."""
    assert UndoFolder.below(Path("/dev/null")).ids() == ()
    refuse_left_behind(UndoFolder.below(tmp_path / "none"))
    folder = UndoFolder.below(tmp_path)
    folder.path.symlink_to(folder.path)  # unreadable, also for root
    with pytest.raises(ConfigError, match="cannot be read"):
        refuse_left_behind(folder)


def test_waiting_for_the_end_of_a_run_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    """A guardian that was woken needlessly gives up."""
    folder = UndoFolder.below(tmp_path)
    record(folder, 1, tmp_path / "flag", owner=myself())
    clock = VirtualClock()
    done = run_virtual(repair(tmp_path, find, clock, lambda repaired: None, run=RUN))
    assert [(repaired.proven, "still runs" in str(repaired.why)) for repaired in done] == [(False, True)]
