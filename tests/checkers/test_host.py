"""The machine is measured for real; what this kernel cannot show is read from files as other kernels write them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from tests.context import observe
from tests.serving import Quiet, serving
from xnai_validate.checkers.host._kernel import file_handles, group_memory, oom_kills, pressure_percent
from xnai_validate.checkers.host.python import PythonParams
from xnai_validate.kit import NotApplicable, Target, Unmeasurable

GIB = 2**30


def write(root: Path, **files: str) -> Path:
    """Files below `root`, their names with `__` for the slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_machine_is_measured() -> None:
    """Every number is that of this machine, as its own tools tell it."""
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
    """The counter of kills is told apart from its neighbours; file-nr has three columns."""
    assert oom_kills(tmp_path) is None
    assert file_handles(tmp_path) is None
    write(tmp_path, vmstat="oom_kill_other 9\noom_kill 3\n")
    assert oom_kills(tmp_path) == 3
    (tmp_path / "sys/fs").mkdir(parents=True)
    (tmp_path / "sys/fs/file-nr").write_text("1984\t0\t9223372036854775807\n")
    assert file_handles(tmp_path) == (1984, 9223372036854775807)


def test_the_lowest_limit_of_the_control_groups_counts(tmp_path: Path) -> None:
    """Version 2: a limit above our group holds too; `max` is none."""
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


def test_ports_and_who_listens() -> None:
    """A port of this process is listened on by it, on loopback only; a closed one is free and fails by default."""
    with socket.socket() as inside, socket.socket() as outside, socket.socket() as closed:
        inside.bind(("127.0.0.1", 0))
        outside.bind(("0.0.0.0", 0))
        closed.bind(("127.0.0.1", 0))
        inside.listen()
        outside.listen()
        own, wide, free = (one.getsockname()[1] for one in (inside, outside, closed))
        seen = observe("host.ports", ports=[own, wide, free])
        assert not seen.held
        assert seen.facts["listening"] == [own, wide]
        assert (seen.facts["free"], seen.facts["beyond_loopback"]) == ([free], [wide])
        assert seen.facts["pids"][str(own)] == os.getpid()
        assert seen.facts["names"][str(own)] == psutil.Process().name()
        assert seen.facts["addresses"][str(wide)] == ["0.0.0.0"]
        by_target = observe("host.ports", Target("api", f"http://127.0.0.1:{own}/api"))
        assert by_target.held
        assert by_target.facts["listening"] == [own]


class Clock(Quiet, BaseHTTPRequestHandler):
    """Answers with the date it is told to."""

    protocol_version = "HTTP/1.1"
    offset_s: float | None = 0.0
    status = 200

    def do_HEAD(self) -> None:
        self.send_response_only(self.status)
        if self.offset_s is not None:
            self.send_header("Date", formatdate(time.time() + self.offset_s, usegmt=True))
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    with serving(Clock) as url:
        yield Target("api", url)


def test_equal_clocks_are_equal(clock: Target) -> None:
    """The whole seconds of the header are allowed for: no distance between equal clocks."""
    seen = observe("host.clock", clock)
    assert seen.held
    assert abs(seen.facts["skew_s"]) <= seen.facts["uncertainty_s"] + 0.05
    assert seen.facts["distance_s"] < 0.05


@pytest.mark.parametrize("offset_s", [-90.0, 3600.0])
def test_a_wrong_clock_fails(clock: Target, monkeypatch: pytest.MonkeyPatch, offset_s: float) -> None:
    """A server that is behind or ahead is so by about that much, with its sign, whatever status it answers."""
    monkeypatch.setattr(Clock, "offset_s", offset_s)
    monkeypatch.setattr(Clock, "status", 404)
    seen = observe("host.clock", clock)
    assert not seen.held
    assert seen.facts["skew_s"] == pytest.approx(offset_s, abs=seen.facts["uncertainty_s"] + 0.05)


def test_no_date_and_no_server_are_errors(clock: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer without a date is a protocol error, a closed port is refused, Redis has no such clock."""
    monkeypatch.setattr(Clock, "offset_s", None)
    assert observe("host.clock", clock).facts["error"] == "protocol"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        seen = observe("host.clock", Target("api", f"http://127.0.0.1:{closed.getsockname()[1]}"))
    assert seen.facts["error"] == "refused"
    assert not seen.held
    with pytest.raises(NotApplicable):
        observe("host.clock", Target("redis", "redis://127.0.0.1:6379"))


def test_own_python_is_described() -> None:
    """Version and wanted packages are those of the interpreter that runs, names in any spelling."""
    seen = observe("host.python", packages=["psutil>=6", "Annotated_Types", "nothing; python_version < '3'"])
    assert seen.held
    assert seen.facts["version"] == sys.version.split()[0]
    assert seen.facts["in_venv"] is (sys.prefix != sys.base_prefix)
    assert seen.facts["packages"]["psutil"] == psutil.__version__
    assert "Annotated_Types" in seen.facts["packages"]
    assert seen.facts["conflicts"] is None


def test_missing_packages_are_named() -> None:
    """A package that is absent or too old is told with what there is instead, and fails by default."""
    seen = observe("host.python", packages=["psutil>=999", "no-such-package>=1", "psutil"])
    assert not seen.held
    assert seen.facts["missing"] == [
        f"psutil>=999: {psutil.__version__} is installed",
        "no-such-package>=1: not installed",
    ]


def test_a_requirement_that_is_none_is_refused_at_load() -> None:
    """A misspelt requirement is a mistake of the check."""
    with pytest.raises(ValidationError, match="not a requirement"):
        PythonParams(packages=["httpx=>1"])


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new virtual environment with two packages whose requirements do not fit."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    for name, version, requires in [("alpha", "1.0", "beta>=2\nextra-only; extra == 'x'"), ("beta", "1.9rc1", "")]:
        folder = site / f"{name}-{version}.dist-info"
        folder.mkdir()
        lines = "".join(f"Requires-Dist: {one}\n" for one in requires.splitlines())
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}")
    return home / "bin/python"


def test_another_python_is_asked(other_python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another interpreter tells of its own packages, not of ours, and of conflicts among them."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    seen = observe(
        "host.python",
        interpreter=str(other_python),
        packages=["beta<2", "psutil"],
        check_conflicts=True,
        timeout="60s",
    )
    assert seen.facts["missing"] == ["psutil: not installed"]
    assert seen.facts["packages"] == {"beta": "1.9rc1"}
    assert seen.facts["conflicts"] == ["alpha 1.0 requires beta>=2: 1.9rc1 is installed"]
    assert (seen.facts["in_venv"], seen.facts["isolated"]) == (True, True)
    assert seen.facts["executable"] == "python"


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        ("#!/bin/sh\nexit 3\n", "exit code 3"),
        ("#!/bin/sh\necho hello\n", "does not answer as a Python does"),
        ("#!/bin/sh\nexec sleep 30\n", "no answer within 0.3 s"),
        ("#!/bin/sh\nexec yes\n", "bytes of output"),
        (None, "No such file"),
    ],
)
def test_what_is_no_python_does_not_run(tmp_path: Path, script: str | None, detail: str) -> None:
    """A program that fails, says something else, hangs, floods or is not there: `runs: false`, no process is left."""
    program = tmp_path / "python"
    if script is not None:
        program.write_text(script)
        program.chmod(0o755)
    before = psutil.Process().children()  # such as a Redis that is there for many tests
    seen = observe("host.python", interpreter=str(program), timeout="300ms" if "sleep" in (script or "") else "60s")
    assert not seen.held
    assert seen.facts["runs"] is False
    assert detail in seen.facts["detail"]
    assert psutil.Process().children() == before
