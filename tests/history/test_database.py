"""The database of the history: in step with the journals, bounded, migrated, and made again where it must be."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.history.reports import report_of_run
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.history import database
from xnai_validate.history.database import FILE_NAME, MIGRATIONS, StoredJournal, open_history
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status

PASSED = {"api/a:up": Status.PASS, "api/a:json": Status.FAIL}


def journal(folder: Path, number: int, *, is_open: bool = False, size: int = 10) -> StoredJournal:
    """Write a file in the place of the journal of a run."""
    path = folder / f"run-{number:04d}.jsonl"
    path.write_bytes(b"x" * size)
    return StoredJournal(path, is_open)


def read(path: Path) -> RunReport:
    """Return the report of a journal by the number in its name."""
    return report_of_run(int(path.stem.removeprefix("run-")), PASSED)


def test_runs_are_added_once_and_again_when_their_journals_grow(tmp_path: Path) -> None:
    """Only journals that are new, have grown or belonged to a running run are read."""
    times_read: list[str] = []

    def counting(path: Path) -> RunReport:
        times_read.append(path.stem)
        return read(path)

    with open_history(tmp_path) as history:
        history.update([journal(tmp_path, 1), journal(tmp_path, 2, is_open=True)], counting)
        assert [(run.id, run.verdict) for run in history.runs()] == [("run-0002", "running"), ("run-0001", "failed")]
    with open_history(tmp_path) as history:
        history.update([journal(tmp_path, 1), journal(tmp_path, 2)], counting)
        history.update([journal(tmp_path, 1, size=11), journal(tmp_path, 2)], counting)
        assert [run.verdict for run in history.runs()] == ["failed", "failed"]
    assert times_read == ["run-0001", "run-0002", "run-0002", "run-0001"]


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    """Status, duration, main figure and reason of each check are stored."""
    with open_history(tmp_path) as history:
        history.add(report_of_run(1, PASSED, total_ms=12.5), 10)
        (run,) = history.runs()
        assert (run.profiles, run.exit_code, run.counts["pass"], run.counts["fail"]) == (("good",), 1, 1, 1)
        result = history.results_of_check("api/a:json")["run-0001"]
        assert (result.status, result.figure, result.value, result.reason) == (
            Status.FAIL, "total_ms", 12.5, "it was fail",
        )  # fmt: skip
        assert [result.check for result in history.results_of_run("run-0001")] == ["api/a:json", "api/a:up"]
        assert history.check_ids() == ["api/a:json", "api/a:up"]


def test_the_oldest_runs_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most KEEP_RUNS runs and KEEP_RESULTS results are kept; the newest run always."""
    monkeypatch.setattr(database, "KEEP_RUNS", 3)
    with open_history(tmp_path) as history:
        for number in range(5):
            history.add(report_of_run(number, PASSED), 10)
        assert [run.id for run in history.runs()] == ["run-0004", "run-0003", "run-0002"]
        monkeypatch.setattr(database, "KEEP_RESULTS", 1)
        history.add(report_of_run(5, PASSED), 10)
        assert [run.id for run in history.runs()] == ["run-0005"]
        assert len(history.results_of_run("run-0005")) == 2


@pytest.mark.parametrize("damage", ["no database", "later version", "other tables"])
def test_what_cannot_be_used_is_made_again(tmp_path: Path, damage: str) -> None:
    """A damaged database, or one of a later version, is replaced; the journals give its content again."""
    path = tmp_path / FILE_NAME
    if damage == "no database":
        path.write_bytes(b"this is text, and no database at all\n" * 100)
    else:
        with sqlite3.connect(path) as connection:
            version = len(MIGRATIONS) + 1 if damage == "later version" else len(MIGRATIONS)
            connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("CREATE TABLE other (x)")
        connection.close()
    with open_history(tmp_path) as history:
        history.update([journal(tmp_path, 1)], read)
        assert [run.id for run in history.runs()] == ["run-0001"]
        assert history.connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_earlier_versions_are_migrated(tmp_path: Path, version: int) -> None:
    """A database of any earlier version gets the tables of this one."""
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        for script in MIGRATIONS[:version]:
            connection.executescript(script)
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with open_history(tmp_path) as history:
        history.add(report_of_run(1, PASSED), 10)
        assert len(history.runs()) == 1


def test_an_unreadable_journal_is_named(tmp_path: Path) -> None:
    """A journal that cannot be read is reported with the reason; the others are added."""

    def read_some(path: Path) -> RunReport:
        if path.stem == "run-0001":
            raise XnaiError("not a journal")
        return read(path)

    with open_history(tmp_path) as history:
        history.update([journal(tmp_path, 1), journal(tmp_path, 2)], read_some)
        assert history.unreadable == {"run-0001": "not a journal"}
        assert [run.id for run in history.runs()] == ["run-0002"]


def test_the_file_is_private_and_never_a_link(tmp_path: Path) -> None:
    """Only its owner can read it, and a link that somebody placed there is refused, not followed."""
    with open_history(tmp_path):
        assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.symlink(tmp_path / FILE_NAME, elsewhere / FILE_NAME)
    with pytest.raises(ConfigError, match="not a regular file"), open_history(elsewhere):
        pass


def test_a_folder_that_does_not_exist_gives_an_empty_history(tmp_path: Path) -> None:
    """Without a place to write the history lives in memory; nothing is created."""
    with open_history(tmp_path / "state") as history:
        assert history.runs() == []
    assert not (tmp_path / "state").exists()
