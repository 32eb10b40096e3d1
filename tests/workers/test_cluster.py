"""The workers of a run: found, the same version everywhere, or the run does not begin."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.workers.dask_processes import DaskProcesses
from xnai_validate import __version__
from xnai_validate.errors import ConfigError
from xnai_validate.workers import cluster as cluster_module
from xnai_validate.workers import worker_calls
from xnai_validate.workers.cluster import Worker, WorkerLost, open_cluster


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler without a worker."""
    processes = DaskProcesses(tmp_path_factory.mktemp("dask"), "127.0.0.1", free_port())
    processes.start_scheduler()
    yield processes
    processes.end()


def workers_of(url: str) -> tuple[Worker, ...]:
    """The workers that a run would have."""

    async def run() -> tuple[Worker, ...]:
        async with open_cluster(url) as cluster:
            return cluster.workers

    return asyncio.run(run())


def test_no_scheduler_is_an_error_of_the_command_line() -> None:
    """It is reported at once, with how to start one."""
    with pytest.raises(ConfigError, match="no scheduler answers") as error:
        workers_of(f"tcp://127.0.0.1:{free_port()}")
    assert "dask scheduler" in (error.value.hint or "")


def test_another_version_of_this_tool_is_an_error_of_the_command_line(
    dask: DaskProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler without workers, and a worker with another version, are named; then the run does not begin."""
    dask.await_scheduler()
    monkeypatch.setattr(cluster_module, "CONNECT_S", 2.0)
    with pytest.raises(ConfigError, match="has no worker"):
        workers_of(dask.url)
    monkeypatch.undo()
    older = tmp_path / "older.py"
    older.write_text('import xnai_validate\nxnai_validate.__version__ = "0.0.1"\n')
    dask.start_worker("old", "--preload", str(older))
    dask.await_workers()
    with pytest.raises(ConfigError, match=rf"worker old .* has version 0\.0\.1 .*, and this is {__version__}"):
        workers_of(dask.url)

    dask.kill_worker("old")
    dask.start_worker("new")
    dask.await_workers()

    async def refuse() -> None:
        async with open_cluster(dask.url) as cluster:
            [worker] = cluster.workers
            assert worker.name == "new"
            with pytest.raises(WorkerLost, match=r"worker new .* refused: it does not know this load"):
                await cluster.call(worker, worker_calls.poll, "another")

    asyncio.run(refuse())
