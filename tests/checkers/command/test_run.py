"""Commands are run for real: on this host, and by an engine's exec calls over a real Unix socket."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.checkers.exec_api import ExecEngine, exec_api
from tests.context import call_checker, check_context, observe
from xnai_validate.config.compile.measurements.measurements import Measurements
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.kit import JsonObject, NotApplicable, Target, Unmeasurable
from xnai_validate.model.source_location import InvalidConfig

BOX = Target("box", container="box")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExecEngine]:
    with exec_api(tmp_path / "engine.sock") as server:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{server.path}")
        yield server


def run(command: list[str] | str, **how: Any) -> dict[str, Any]:
    """The facts of a command on this host."""
    return dict(observe("command.run", command=command, **how).facts)


def inside(command: list[str] | str, target: Target = BOX, name: str | None = None, **how: Any) -> dict[str, Any]:
    """The facts of a command in the container of a target, which the check names by `name`."""
    how |= {"in": name or target.name, "command": command}
    return dict(observe("command.run", others=(target,), **how).facts)


def children_named(mark: str) -> list[psutil.Process]:
    """The living processes whose name, as they were started, is the mark."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline()[:1] == [mark] and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def wait_for(mark: str, number: int) -> None:
    """Wait until as many processes with the mark live."""
    until = time.monotonic() + 5
    while len(children_named(mark)) != number:
        assert time.monotonic() < until, f"{len(children_named(mark))} processes, expected {number}"
        time.sleep(0.02)


def test_exit_code_and_output_are_facts() -> None:
    """The exit code is judged by the rule of the kind; both outputs are text without the last line end."""
    facts = run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (facts["exit_code"], facts["stdout"], facts["stderr"], facts["error"]) == (3, "out", "err", None)
    assert facts["lines"] == 1
    assert facts["elapsed_ms"] > 0
    assert not observe("command.run", command=["sh", "-c", "exit 3"]).held
    assert observe("command.run", command=["true"]).held
    assert observe("command.run", command=["false"], expect={"exit_code": 1}).held


def test_json_on_stdout_takes_paths() -> None:
    """The standard output is parsed as JSON, and judged by JSONPath."""
    command = ["echo", '{"tables": [{"name": "orders", "rows": 3}]}']
    assert observe("command.run", command=command, expect={"json": {"$.tables[0].rows": {"min": 3}}}).held
    facts = run(["echo", "no json"])
    assert facts["json"] is None
    assert facts["json_valid"] is False
    assert "not JSON" in facts["json_detail"]


def test_no_shell_reads_a_list_and_a_text_needs_it() -> None:
    """A list is passed as it is; a text is for a shell only where the check asks for one."""
    assert run(["echo", "$HOME; exit 1"])["stdout"] == "$HOME; exit 1"
    assert run("printf 'a\\nb\\n' | wc -l", shell=True)["stdout"].strip() == "2"
    with pytest.raises(InvalidConfig, match="a list: the program and its arguments"):
        run("echo $HOME")
    with pytest.raises(InvalidConfig, match="command takes one text"):
        run(["echo"], shell=True)


def test_directory_environment_and_stdin_are_set(tmp_path: Path) -> None:
    """`cwd`, `env` and `stdin` reach the command; the environment that is set already stays."""
    facts = run(["sh", "-c", 'pwd; echo "$COLOUR"; cat; test -n "$PATH"'], cwd=str(tmp_path), env={"COLOUR": "red"},
                stdin="x\n" * 100_000, output_cap="1MiB")  # fmt: skip
    assert facts["stdout"].splitlines()[:3] == [str(tmp_path), "red", "x"]
    assert facts["lines"] == 100_002
    assert facts["exit_code"] == 0


def test_a_command_that_does_not_read_its_stdin_is_no_error() -> None:
    """The pipe may be closed before all of the text is read."""
    facts = run(["true"], stdin="x" * 1_000_000)
    assert (facts["exit_code"], facts["error"]) == (0, None)


def test_what_cannot_be_started_has_a_reason(tmp_path: Path) -> None:
    """An unknown program, a file without the right to run and an unknown directory are facts, not tracebacks."""
    plain = tmp_path / "plain"
    plain.write_text("no program")
    assert run(["xnai-no-such-program"])["error"] == "not_found"
    assert run([str(plain)])["error"] == "not_executable"
    facts = run(["true"], cwd=str(tmp_path / "gone"))
    assert (facts["error"], facts["exit_code"]) == ("not_executable", None)
    assert "gone" in facts["error_detail"]
    with pytest.raises(InvalidConfig, match="null character"):
        run(["a\0b"])


def test_the_time_limit_kills_the_whole_group(tmp_path: Path) -> None:
    """A command that ignores SIGTERM and has started others is killed with them."""
    mark = f"xnai-mark-{os.getpid()}-limit"
    script = f"trap '' TERM; (exec -a {mark} sleep 60) & (exec -a {mark} sleep 60) & echo begun; wait"
    started = time.monotonic()
    facts = run(["bash", "-c", script], timeout="1s")
    assert time.monotonic() - started < 8
    assert (facts["error"], facts["exit_code"], facts["stdout"]) == ("timeout", None, "begun")
    assert "1 s" in facts["error_detail"]
    wait_for(mark, 0)


def test_what_a_command_leaves_running_is_killed() -> None:
    """A process in the background that holds the output open neither delays the check nor outlives it."""
    mark = f"xnai-mark-{os.getpid()}-left"
    started = time.monotonic()
    facts = run(["bash", "-c", f"(exec -a {mark} sleep 60) & echo done"], timeout="30s")
    assert time.monotonic() - started < 8
    assert (facts["error"], facts["exit_code"], facts["stdout"]) == (None, 0, "done")
    wait_for(mark, 0)


def test_a_cancelled_check_kills_its_command() -> None:
    """Where the run is interrupted, the command ends too."""
    mark = f"xnai-mark-{os.getpid()}-cancelled"

    async def cancel() -> None:
        async with check_context("command.run", command=["bash", "-c", f"(exec -a {mark} sleep 60) & wait"]) as ctx:
            task = asyncio.create_task(call_checker(ctx))
            await asyncio.to_thread(wait_for, mark, 1)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    asyncio.run(cancel())
    wait_for(mark, 0)


def test_a_signal_is_no_exit_code() -> None:
    """A command that a signal ended has no exit code, so no rule about one holds."""
    observed = observe("command.run", command="kill -KILL $$", shell=True)
    assert (observed.facts["exit_code"], observed.facts["signal"]) == (None, "SIGKILL")
    assert not observed.held


def test_output_is_bounded() -> None:
    """Of an output without end the beginning is kept, and the command is not blocked by a full pipe."""
    script = "import sys; sys.stdout.write('x' * 3_000_000); sys.stderr.write('y' * 3_000_000)"
    facts = run([sys.executable, "-c", script], output_cap="4KiB")
    assert (len(facts["stdout"]), len(facts["stderr"]), facts["truncated"]) == (4096, 4096, True)
    assert facts["exit_code"] == 0
    assert run(["yes"], timeout="500ms")["error"] == "timeout"


def test_secrets_of_the_environment_are_masked() -> None:
    """A value under a secret name is a secret of the plan, which every report masks; others stay readable."""
    secrets: set[str] = set()
    params: JsonObject = {"command": ["env"], "env": {"PGPASSWORD": "hunter22", "PGUSER": "reader"}}
    Measurements(Problems(), frozenset(), secrets).compile("command.run", params, None, None, None, Where(None))
    assert secrets == {"hunter22"}


def test_a_command_in_a_container(engine: ExecEngine) -> None:
    """The engine gets the command as a list, with its directory, environment and user; the frames become text."""
    facts = inside(["sh", "-c", "echo out; echo $A >&2; exit 4"], env={"A": "b"}, cwd="/", user="nobody")
    assert (facts["exit_code"], facts["stdout"], facts["stderr"], facts["error"]) == (4, "out", "b", None)
    created = engine.created[0]
    assert created["Cmd"] == ["sh", "-c", "echo out; echo $A >&2; exit 4"]
    assert (created["Env"], created["WorkingDir"], created["User"], created["Tty"]) == (["A=b"], "/", "nobody", False)
    assert inside("echo $((6*7))", shell=True)["stdout"] == "42"


def test_a_large_output_of_a_container_is_bounded(engine: ExecEngine) -> None:
    """Frames beyond the cap are read and dropped; what comes after them is still understood."""
    facts = inside("head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2", shell=True, output_cap="4KiB")
    assert (len(facts["stdout"]), facts["stderr"], facts["truncated"], facts["exit_code"]) == (4096, "end", True, 0)


def test_a_late_command_of_a_container_is_killed_where_it_is_visible(engine: ExecEngine) -> None:
    """On the container's host the processes of the command are killed; elsewhere the detail says that they may run."""
    mark = f"xnai-mark-{os.getpid()}-exec"
    facts = inside(["bash", "-c", f"(exec -a {mark} sleep 60) & wait"], timeout="500ms")
    assert facts["error"] == "timeout"
    assert "may still run" in facts["error_detail"]
    wait_for(mark, 1)
    engine.container_id = Path("/proc/self/cgroup").read_text().strip()[-64:]
    mark += "-seen"
    facts = inside(["bash", "-c", f"(exec -a {mark} sleep 60) & wait"], timeout="500ms")
    assert (facts["error"], facts["exit_code"]) == ("timeout", None)
    assert "was killed" in facts["error_detail"]
    wait_for(mark, 0)
    for process in children_named(mark.removesuffix("-seen")):
        process.kill()


def test_what_is_wrong_with_a_container_has_a_reason(engine: ExecEngine) -> None:
    """An unknown container, one that does not run and an unknown program are facts."""
    assert inside(["true"], Target("other", container="other"))["error"] == "no_container"
    engine.create_refusal = (409, "Container c1 is not running")
    facts = inside(["true"])
    assert (facts["error"], facts["error_detail"]) == ("not_running", "Container c1 is not running")
    engine.create_refusal = None
    engine.start_refusal = (400, 'exec: "nope": executable file not found in $PATH: unknown')
    assert inside(["nope"])["error"] == "not_found"
    engine.start_refusal = None
    wording = "OCI runtime exec failed: exec failed: unable to start container process: no such file"
    assert inside(["sh", "-c", f"echo '{wording}'; exit 127"])["error"] == "not_found"
    assert inside(["sh", "-c", "exit 127"])["error"] is None


def test_an_engine_that_gives_no_usable_answer_is_an_error(engine: ExecEngine) -> None:
    """The tool then does not know: no fact is made up."""
    engine.start_refusal = (500, "disk full")
    with pytest.raises(Unmeasurable, match="disk full"):
        inside(["true"])
    engine.start_refusal, engine.corrupt = None, True
    with pytest.raises(Unmeasurable, match="not framed"):
        inside(["echo", "x"])


def test_targets_are_verified_when_the_profile_is_loaded() -> None:
    """`in` names a target of the profile; a target without a container is skipped, with the reason."""
    with pytest.raises(InvalidConfig, match='unknown target "boks"'):
        inside(["true"], name="boks")
    with pytest.raises(NotApplicable, match="no container is known for target api"):
        inside(["true"], Target("api", url="http://127.0.0.1"))
    with pytest.raises(InvalidConfig, match="stdin cannot be sent"):
        inside(["true"], stdin="x")
    with pytest.raises(InvalidConfig, match="belong to"):
        run(["true"], user="root")


@pytest.mark.parametrize("how", [{"command": ["a\0b"]}, {"env": {"A": "a\0b"}}, {"cwd": "a\0b"}])
def test_a_null_character_is_refused_when_the_profile_is_loaded(how: dict[str, Any]) -> None:
    """The system would end the argument there; the same holds for every path in params."""
    with pytest.raises(InvalidConfig, match="a null character cannot stand in a path or an argument"):
        run(**{"command": ["true"], **how})
    with pytest.raises(InvalidConfig, match="a null character"):
        observe("log.lines", path="a\0b")
    with pytest.raises(InvalidConfig, match="a null character"):
        observe("sql.query", file="a\0b", query="select 1")
