"""What a machine has left: memory, swap, load, disk, open files, pressure."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import psutil
import pytest

from tests.context import observe
from tests.e2e.tool import report, tool
from xnai_validate.checkers.host._kernel import file_handles, group_memory, oom_kills, pressure_percent
from xnai_validate.kit import JsonObject, JsonValue, Unmeasurable

GIB = 2**30
MEMINFO = Path("/proc/meminfo").read_text()


def write(root: Path, **files: str) -> Path:
    """Files below `root`, their names with `__` for the slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_machine_is_measured() -> None:
    """Every number is that of this machine, as its own tools report it."""
    facts = observe("host.resources", path="/").facts
    assert facts["memory_total_mib"] == pytest.approx(psutil.virtual_memory().total / 2**20)
    assert 0 < facts["memory_available_mib"] < facts["memory_total_mib"]
    assert 0 < facts["memory_percent"] < 100
    assert facts["cores"] == os.cpu_count()
    usage = psutil.disk_usage("/")
    assert facts["disk_free_gib"] == pytest.approx(usage.free / GIB, abs=1)
    assert facts["disk_percent"] == pytest.approx(usage.percent, abs=1)
    assert facts["uptime_s"] == pytest.approx(time.time() - psutil.boot_time(), abs=60)
    assert facts["open_files"] <= facts["open_files_limit"]


def test_a_machine_below_its_floor_fails() -> None:
    """A rule on a resource is judged against what was measured."""
    seen = observe("host.resources", expect={"memory_available_mib": {"min": 2**40}})
    assert [(f.fact, f.held) for f in seen.findings] == [("memory_available_mib", False)]


def test_space_where_there_is_no_such_path_is_unmeasurable() -> None:
    """A path that does not exist has no space, which is not the same as none being free."""
    with pytest.raises(Unmeasurable, match="/no/such/path"):
        observe("host.resources", path="/no/such/path")


def test_pressure_is_read_as_the_kernel_writes_it(tmp_path: Path) -> None:
    """The ten-second average of the asked line; None where the kernel lacks the file or the line."""
    write(
        tmp_path,
        pressure__memory="some avg10=12.50 avg60=3.00 total=47\nfull avg10=1.25 avg60=0.00 avg300=0.00 total=9",
        pressure__cpu="some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    )
    assert pressure_percent("memory", "some", tmp_path) == 12.5
    assert pressure_percent("memory", "full", tmp_path) == 1.25
    assert pressure_percent("cpu", "some", tmp_path) == 0
    assert pressure_percent("cpu", "full", tmp_path) is None
    assert pressure_percent("io", "some", tmp_path) is None


def test_kills_and_handles_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    """The counter of kills is distinguished from its neighbours; file-nr has three columns."""
    assert oom_kills(tmp_path) is None
    assert file_handles(tmp_path) is None
    write(tmp_path, vmstat="oom_kill_other 9\noom_kill 3\n")
    assert oom_kills(tmp_path) == 3
    (tmp_path / "sys/fs").mkdir(parents=True)
    (tmp_path / "sys/fs/file-nr").write_text("1984\t0\t9223372036854775807\n")
    assert file_handles(tmp_path) == (1984, 9223372036854775807)


def test_kills_from_before_the_run_are_not_counted(tmp_path: Path) -> None:
    """What was killed since the host started may be long over: the run counts from its beginning."""
    proc = write(
        tmp_path / "proc",
        meminfo=MEMINFO,
        loadavg="0.10 0.10 0.10 1/100 1",
        vmstat="pswpin 0\npswpout 0\noom_kill 7\n",
    )
    look: JsonObject = {
        "title": "No process is killed.",
        "kind": "host.resources",
        "with": {"procfs": str(proc)},
        "expect": {"oom_kills_in_run": 0},
    }
    kill: JsonObject = {
        "id": "kill",
        "title": "Two processes are killed.",
        "kind": "command.run",
        "after": ["before"],
        "with": {"command": ["sed", "-i", "s/oom_kill 7/oom_kill 9/", str(proc / "vmstat")]},
    }
    checks: list[JsonValue] = [look | {"id": "before"}, kill, look | {"id": "later", "after": ["kill"]}]
    files = {
        "checks__own__host.yaml": json.dumps({"title": "Host", "checks": checks}),
        "profiles__mine.yaml": json.dumps({"title": "Mine", "suites": ["own/host"]}),
    }
    write(tmp_path, **files)
    assert tool(tmp_path, "run", "mine", "-o", "report.json").code == 1
    counted = {check.id: check.facts for check in report(tmp_path / "report.json").checks}
    assert counted["own/host:before"]["oom_kills_in_run"] == 0
    later = counted["own/host:later"]
    assert (later["oom_kills"], later["oom_kills_in_run"]) == (9, 2)


def test_kills_that_the_kernel_does_not_report_are_not_judged(tmp_path: Path) -> None:
    """Kernels before 4.13 and some sandboxes have no such number: that is an error; what was measured is judged."""
    proc = str(write(tmp_path, meminfo=MEMINFO, loadavg="0.10 0.10 0.10 1/100 1", vmstat="pswpin 0\npswpout 0\n"))
    with pytest.raises(Unmeasurable, match=r"the kernel does not report oom_kill in .*/vmstat"):
        observe("host.resources", procfs=proc, expect={"oom_kills_in_run": 0})
    assert not observe("host.resources", procfs=proc, expect={"oom_kills": 0, "memory_percent": {"max": 0}}).held


def test_the_lowest_limit_of_the_control_groups_counts(tmp_path: Path) -> None:
    """Version 2: a limit above our group holds too; `max` means no limit."""
    proc = write(tmp_path / "proc", self__cgroup="0::/user.slice/app\n")
    groups = tmp_path / "cgroup"
    write(groups / "user.slice", **{"memory.max": "268435456\n", "memory.current": "5\n"})
    write(groups / "user.slice/app", **{"memory.max": "max\n", "memory.current": "1048576\n"})
    found = group_memory(proc, groups)
    assert found is not None
    assert (found.usage_bytes, found.limit_bytes) == (1048576, 268435456)


def test_control_groups_of_version_1_and_of_containers_are_read(tmp_path: Path) -> None:
    """Version 1 has a tree a controller; a group whose path is not visible is the top; its huge number is no limit."""
    proc = write(tmp_path / "proc", self__cgroup="9:cpu,cpuacct:/a\n4:memory:/docker/abc\n0::/\n")
    groups = tmp_path / "cgroup"
    write(groups / "memory", **{"memory.limit_in_bytes": "536870912\n", "memory.usage_in_bytes": "4096\n"})
    found = group_memory(proc, groups)
    assert found is not None
    assert (found.usage_bytes, found.limit_bytes) == (4096, 536870912)
    (groups / "memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    found = group_memory(proc, groups)
    assert found is not None
    assert found.limit_bytes is None
    assert group_memory(tmp_path / "none", groups) is None
