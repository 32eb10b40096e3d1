"""The memory guard: no load when memory is short, and an end before it is gone."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.engine.clock import run_virtual
from tests.engine.plans import Stage, collect, engine_of, finished, make, plan_of, results, scripted, statuses
from xnai_validate.engine import Memory
from xnai_validate.engine.memory_guard import GroupMemory, check_memory, group_memory, memory_now, spare_bytes
from xnai_validate.model.results.events import CheckStarted, Notice
from xnai_validate.model.results.status import Status
from xnai_validate.plan import HostMemory, Limits

LIMITS = Limits(host_memory_percent=HostMemory(warn=94.0, stop=98.0), own_memory_mib=512.0)


def readings(*percents: float) -> Readings:
    return Readings(percents)


class Readings:
    """Memory as a test wants it: one reading a look, the last for ever."""

    def __init__(self, percents: tuple[float, ...], own_mib: float = 40.0) -> None:
        self.left = list(percents)
        self.own_mib = own_mib

    def __call__(self) -> Memory:
        return Memory(self.left.pop(0) if len(self.left) > 1 else self.left[0], self.own_mib)


def test_load_waits_until_memory_is_free_again(tmp_path: Path) -> None:
    """At `warn` exclusive checks wait while others go on; when memory is free they run; one notice reports it."""
    by = scripted(Stage())
    checks = [make("load", by, exclusive=True), make("plain", by), make("more", by, script={"takes_s": 1.0})]
    engine = engine_of(plan_of(*checks, limits=LIMITS), tmp_path, sample=readings(95.0, 93.0, 95.0, 95.0, 95.0, 20.0))
    events = run_virtual(collect(engine))
    begun = [event.id for event in events if isinstance(event, CheckStarted)]
    assert begun == ["plain", "more", "load"]
    assert set(statuses(events).values()) == {Status.PASS}
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert notice.text == "host memory is at 95 %; no load and no disturbance begins from 94 %"


def test_load_is_given_up_where_memory_stays_short(tmp_path: Path) -> None:
    """When nothing else is left and memory is still short, load is an error with the reason: it was not judged.

    The run is undecided in every selection: with the load alone, and where a criterion counts it.
    """
    stage = Stage()
    by = scripted(stage)
    checks = [make("load", by, disruptive=True), make("plain", by), make("after", by, needs=("load",))]
    events = run_virtual(collect(engine_of(plan_of(*checks, limits=LIMITS), tmp_path, sample=readings(96.0))))
    ends = finished(events)
    assert stage.begun == ["plain"]
    assert ends["load"].status is Status.ERROR
    assert ends["load"].reason == "not judged: host memory is at 96 %; no load and no disturbance begins from 94 %"
    assert results(events)[0].exit_code == 3
    assert ends["after"].blocked_by == "load"


def test_the_run_ends_before_memory_is_gone(tmp_path: Path) -> None:
    """At `stop` what runs is cancelled and the run ends, exit 5, with the numbers in a notice."""
    stage = Stage()
    check = make("slow", scripted(stage), script={"takes_s": 100.0}, timeout_s=200.0)
    engine = engine_of(plan_of(check, limits=LIMITS), tmp_path, sample=readings(50.0, 60.0, 99.0))
    events = run_virtual(collect(engine))
    report, _ = results(events)
    assert (report.exit_code, report.run.stopped) == (5, "memory")
    assert stage.cancelled == ["slow"]
    assert [notice.text for notice in report.notices] == ["host memory is at 99 %; the run ends at 98 %"]


def test_nothing_begins_where_memory_is_gone_already(tmp_path: Path) -> None:
    """The first look is before the first check."""
    stage = Stage()
    events = run_virtual(collect(engine_of(plan_of(make("a", scripted(stage))), tmp_path, sample=readings(99.0))))
    assert stage.begun == []
    assert results(events)[0].exit_code == 5


def test_the_tool_watches_itself(tmp_path: Path) -> None:
    """A run whose own process grows beyond its limit ends as well."""
    check = make("a", scripted(Stage()), script={"takes_s": 100.0}, timeout_s=200.0)
    engine = engine_of(plan_of(check, limits=LIMITS), tmp_path, sample=Readings((50.0,), own_mib=600.0))
    report, _ = results(run_virtual(collect(engine)))
    assert (report.exit_code, report.run.stopped) == (5, "memory")
    assert report.notices[0].text == "this process has 600 MiB; the run ends at 512 MiB"


def test_the_real_reading_is_plausible() -> None:
    """The host has some memory in use, and so has this process: as much as psutil sees."""
    memory = memory_now()
    assert memory.host_percent == pytest.approx(psutil.virtual_memory().percent, abs=5.0)
    assert memory.own_mib == pytest.approx(psutil.Process().memory_info().rss / (1 << 20), rel=0.1)


MIB = 1 << 20


def group(folder: Path, **files: str) -> None:
    """Write the files of a control group; `_` in a name stands for a dot after `memory`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("memory_", "memory.", 1)).write_text(f"{text}\n")


def stat(**rows: int) -> str:
    return "\n".join(f"{name} {value * MIB}" for name, value in rows.items())


def mounted(tmp_path: Path, membership: str) -> tuple[Path, Path]:
    """The folder of the control groups, and the file that names those of the process."""
    (tmp_path / "membership").write_text(membership)
    return tmp_path / "cgroup", tmp_path / "membership"


def test_the_limit_of_the_control_group_is_read(tmp_path: Path) -> None:
    """Version 2: the limit of the group itself, with its file cache left out."""
    root, membership = mounted(tmp_path, "0::/system.slice/ci.service\n")
    used, cache = str(180 * MIB), stat(anon=150, inactive_file=20, active_file=10)
    group(root / "system.slice/ci.service", memory_max=str(200 * MIB), memory_current=used, memory_stat=cache)
    assert group_memory(root, membership) == GroupMemory(150 * MIB, 200 * MIB)


def test_the_limits_of_the_groups_above_count(tmp_path: Path) -> None:
    """Of several limits the one that is nearest is returned, up to the root of what is mounted."""
    root, membership = mounted(tmp_path, "0::/a/b/c\n")
    for path, limit, used in (("a/b/c", "max", 10), ("a/b", str(100 * MIB), 10), ("a", str(50 * MIB), 40)):
        group(root / path, memory_max=limit, memory_current=str(used * MIB), memory_stat=stat(inactive_file=0))
    assert group_memory(root, membership) == GroupMemory(40 * MIB, 50 * MIB)
    group(root, memory_max=str(30 * MIB), memory_current=str(29 * MIB), memory_stat=stat(inactive_file=0))
    assert group_memory(root, membership) == GroupMemory(29 * MIB, 30 * MIB)


@pytest.mark.parametrize("path", ["/docker/0123", "/../..", "/"])
def test_a_group_that_is_not_mounted_here_is_read_at_the_root(tmp_path: Path, path: str) -> None:
    """Within a container the group of the container may be the root of what is mounted, whatever its name outside."""
    root, membership = mounted(tmp_path, f"0::{path}\n")
    group(root, memory_max=str(64 * MIB), memory_current=str(32 * MIB), memory_stat=stat(inactive_file=0))
    assert group_memory(root, membership) == GroupMemory(32 * MIB, 64 * MIB)


def test_version_1_of_control_groups_is_read(tmp_path: Path) -> None:
    """Its own folder and files, beside controllers that are not about memory; its largest number is not a limit."""
    root, membership = mounted(tmp_path, "12:cpu,cpuacct:/ci\n4:memory:/ci/job\n0::/ci\n")
    cache = stat(inactive_file=1, total_inactive_file=10, total_active_file=5)
    used = str(95 * MIB)
    group(root / "memory/ci/job", memory_limit_in_bytes="9223372036854771712", memory_usage_in_bytes=used)
    assert group_memory(root, membership) is None
    group(root / "memory/ci", memory_limit_in_bytes=str(100 * MIB), memory_usage_in_bytes=used, memory_stat=cache)
    assert group_memory(root, membership) == GroupMemory(80 * MIB, 100 * MIB)


@pytest.mark.parametrize("membership", ["", "nonsense", "0::/a\n"])
def test_without_a_limit_there_is_no_group(tmp_path: Path, membership: str) -> None:
    """No group, no file, `max`: the host alone counts."""
    root, names = mounted(tmp_path, membership)
    group(root / "a", memory_max="max", memory_current="1", memory_stat=stat(inactive_file=0))
    assert group_memory(root, names) is None
    assert group_memory(root, tmp_path / "absent") is None


def test_a_control_group_at_its_limit_ends_the_run() -> None:
    """On a host with much free memory, the percents of the profile apply to the limit of the group."""

    def state(used_mib: int) -> tuple[str, str]:
        memory = Memory(20.0, 40.0, 64 << 30, GroupMemory(used_mib * MIB, 200 * MIB))
        found = check_memory(LIMITS, lambda: memory)
        return found.level, found.text

    assert state(100) == ("calm", "")
    group_at = "the control group's memory is at {} % of its 200 MiB; "
    assert state(190) == ("warn", group_at.format(95) + "no load and no disturbance begins from 94 %")
    assert state(197) == ("stop", group_at.format(98) + "the run ends at 98 %")
    spare = spare_bytes(LIMITS, lambda: Memory(20.0, 40.0, 64 << 30, GroupMemory(100 * MIB, 200 * MIB)))
    assert spare == 96 * MIB
