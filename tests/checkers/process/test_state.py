"""What a process is and uses."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.checkers.container_api import container_api
from tests.checkers.process.conftest import Start, of
from tests.context import observe
from xnai_validate.kit import NotApplicable, Target, Unmeasurable


def test_a_process_is_described(start: Start) -> None:
    """Memory, threads, children, zombies and open files of a process are the ones it made."""
    process = start(
        "import os, subprocess, threading, time\n"
        "kept = bytearray(os.urandom(1)) * (40 << 20)\n"
        "files = [open(os.devnull) for _ in range(25)]\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "child = subprocess.Popen(['sleep', '60']); dead = subprocess.Popen(['true'])\n"
        "os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)\n"
        "print('ready', flush=True); input(); child.kill()"
    )
    seen = observe("process.state", of(process))
    try:
        assert seen.held
        facts = seen.facts
        assert (facts["threads"], facts["children"], facts["zombies"], facts["pid"]) == (2, 1, 1, process.pid)
        assert 40 < facts["rss_mib"] < 120
        assert facts["tree_rss_mib"] > facts["rss_mib"]
        assert facts["open_files"] == 28
        assert facts["nofile_limit"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert facts["cpu_percent"] < 90
        assert facts["age_s"] < 60
    finally:
        process.communicate("\n", timeout=10)


def test_the_process_with_most_threads_and_files_may_be_a_worker(start: Start) -> None:
    """A server whose main process only starts workers is judged by the worker that has most of them."""
    worker = (
        "import os, threading, time; kept = [open(os.devnull) for _ in range(40)];"
        " [threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(5)];"
        " print('ready', flush=True); input()"
    )
    process = start(f"import os, sys; pid = os.fork()\nif pid == 0:\n    {worker}\nelse:\n    os.waitpid(pid, 0)")
    facts = observe("process.state", of(process)).facts
    assert (facts["threads"], facts["most_threads"]) == (1, 6)
    assert facts["most_open_files"] >= facts["open_files"] + 40


def test_a_child_whose_files_may_not_be_counted_leaves_the_rest_measured(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox of a browser hides them from its user: only a rule about the most files is an error then."""
    process = start("import os\nif os.fork() == 0:\n    print('ready', flush=True); input()\nelse:\n    os.wait()")
    count = psutil.Process.num_fds

    def refuse(self: psutil.Process) -> int:
        if self.pid != process.pid:
            raise psutil.AccessDenied(self.pid)
        return count(self)

    monkeypatch.setattr(psutil.Process, "num_fds", refuse)
    seen = observe("process.state", of(process), expect={"children": 1, "open_files": {"min": 3}})
    assert seen.held
    assert (seen.facts["most_open_files"], seen.facts["most_threads"]) == (None, 1)
    with pytest.raises(Unmeasurable, match="no permission to count the open files below process"):
        observe("process.state", of(process), expect={"most_open_files": {"max": 512}})


def test_a_busy_process_shows_its_use_of_the_processor(start: Start) -> None:
    """A process that spins uses far more of a processor than one that waits."""
    busy = start("print('ready', flush=True)\nwhile True: pass")
    idle = start("print('ready', flush=True); input()")
    used = observe("process.state", of(busy), cpu_window="500ms").facts["cpu_percent"]
    assert used > 5 + 3 * observe("process.state", of(idle)).facts["cpu_percent"]
    assert observe("process.state", of(idle), cpu_window="0s").facts["cpu_percent"] is None


def test_a_process_that_ended_does_not_run(start: Start) -> None:
    """A zombie and a pid that is no more are `running: false`, which fails by default."""
    process = start("print('ready', flush=True); input()")
    target = of(process)
    assert process.stdin is not None
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    seen = observe("process.state", target)
    assert not seen.held
    assert (seen.facts["running"], seen.facts["status"]) == (False, "zombie")
    process.wait()
    assert observe("process.state", target).facts["running"] is False


def test_open_files_can_be_left_out(start: Start) -> None:
    """Without `open_files` no right of the process's user is needed, and the facts are null."""
    seen = observe("process.state", of(start("print('ready', flush=True); input()")), open_files=False)
    assert (seen.facts["open_files"], seen.facts["nofile_limit"]) == (None, None)
    assert seen.facts["threads"] == 1


def test_a_target_without_process_is_not_applicable(tmp_path: Any) -> None:
    """Where neither pid nor container is known the check is skipped, and likewise without a container engine."""
    with pytest.raises(NotApplicable, match="neither a pid nor a container"):
        observe("process.state", Target("api", "http://127.0.0.1:1"))
    with pytest.raises(NotApplicable, match="no container engine socket"):
        observe("process.state", Target("api", container="xnai_rag_api"), socket=f"{tmp_path}/none.sock")


def test_the_main_process_of_a_container_is_found(start: Start, tmp_path: Path) -> None:
    """The engine of a container gives its pid, which counts only if it means the same process here."""
    process = start("print('ready', flush=True); input()")
    group = Path(f"/proc/{process.pid}/cgroup").read_text().splitlines()[0]
    api = Target("api", container="xnai_rag_api")
    with container_api(tmp_path / "engine.sock") as engine:
        engine.give("GET /containers/xnai_rag_api/json", {"Id": group, "State": {"Running": True, "Pid": process.pid}})
        assert observe("process.state", api, socket=engine.path).facts["pid"] == process.pid
        engine.give(
            "GET /containers/xnai_rag_api/json", {"Id": "f" * 64, "State": {"Running": True, "Pid": process.pid}}
        )
        with pytest.raises(NotApplicable, match="cannot be seen from here"):
            observe("process.state", api, socket=engine.path)
        engine.give("GET /containers/xnai_rag_api/json", {"Id": group, "State": {"Running": False, "Pid": 0}})
        assert observe("process.state", api, socket=engine.path).facts["running"] is False
        engine.give("GET /containers/xnai_rag_api/json", {"message": "No such container: xnai_rag_api"}, 404)
        assert observe("process.state", api, socket=engine.path).facts["running"] is False
        engine.give("GET /containers/xnai_rag_api/json", {"message": "broken"}, 500)
        with pytest.raises(Unmeasurable, match="500: broken"):
            observe("process.state", api, socket=engine.path)


def test_the_process_below_an_init_is_looked_at() -> None:
    """What only starts another and waits for it, as a shell or a container's init, is not the service."""
    script = f"{sys.executable} -c 'import time; print(1, flush=True); time.sleep(60)'; true"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        (below,) = psutil.Process(shell.pid).children()
        name = below.name()
        try:
            facts = observe("process.state", Target("api", pid=shell.pid)).facts
        finally:
            below.kill()
    assert (facts["pid"], facts["name"]) == (below.pid, name)
