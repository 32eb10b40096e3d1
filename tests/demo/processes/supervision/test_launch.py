"""Stacks that a template forks are like those of a program of their own, and end as surely."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

from tests.demo.processes.test_stack import TARGETS
from xnai_validate.demo.processes.stack import EmbeddedStack, StackFailed
from xnai_validate.demo.processes.supervision.launch import Template
from xnai_validate.demo.settings import Layout


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    """A template that several tests share, as several trials do."""
    with Template() as template:
        yield template


def becomes_true(holds: Callable[[], bool], within_s: float = 10) -> bool:
    """Whether something holds within some seconds."""
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended, also if its parent has not collected it yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("layout", ["A", "B"])
def test_a_forked_stack_is_whole_and_leaves_nothing(template: Template, layout: Layout) -> None:
    """It has every target, counts over its workers, has none of the template's descriptors, and is gone."""
    with EmbeddedStack.start(layout, launch=template.launch) as stack:
        description = stack.description
        assert set(description["targets"]) == TARGETS
        for _ in range(4):
            assert httpx.get(description["targets"]["api"]["url"] + "/health", timeout=20).status_code == 200
        counters = httpx.get(description["targets"]["metrics"]["url"] + "/metrics", timeout=20).text
        assert "xnai_requests_total" in counters
        supervisor = psutil.Process(stack.pid)
        family = [supervisor, *supervisor.children(recursive=True)]
        assert supervisor.num_fds() < 60
    assert [process for process in family if not becomes_true(lambda process=process: has_ended(process))] == []  # type: ignore[misc]
    assert not stack.run_dir.exists()


def test_each_stack_has_only_its_own_defects(template: Template) -> None:
    """A defect of one stack is in none that is forked after it, or beside it."""

    def status_of_unknown_page(stack: EmbeddedStack) -> int:
        gateway = stack.description["targets"]["gateway"]["url"]
        return httpx.get(f"{gateway}/no-such-page", timeout=20).status_code

    with EmbeddedStack.start("A", ("gateway-unknown-is-200",), launch=template.launch) as broken:
        with EmbeddedStack.start("A", launch=template.launch) as healthy:
            assert (status_of_unknown_page(broken), status_of_unknown_page(healthy)) == (200, 404)
        assert status_of_unknown_page(broken) == 200


def test_an_error_in_the_arguments_comes_through(template: Template) -> None:
    """What the supervisor writes before it ends is the message of the failure."""
    with pytest.raises(StackFailed, match="unknown defect no-such-defect"):
        EmbeddedStack.start("A", ("no-such-defect",), launch=template.launch)


def test_the_answer_to_an_interrupted_launch_is_not_taken_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before the answer is read leaves it there: the next launch skips it, and its supervisor ends."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with Template() as template, tempfile.TemporaryFile() as messages:
        below = psutil.Process(template.pid)
        with monkeypatch.context() as patch:
            patch.setattr(socket, "recv_fds", interrupt)
            with pytest.raises(KeyboardInterrupt):
                template.launch(["--until-eof"], messages)
        assert becomes_true(lambda: len(below.children()) == 1)
        (interrupted,) = below.children()
        launched = template.launch(["--no-such-option"], messages)
        assert launched.pid != interrupted.pid
        launched.wait(20)
        assert launched.stdin is not None
        assert launched.stdout is not None
        launched.stdin.close()
        launched.stdout.close()
        assert becomes_true(lambda: has_ended(interrupted), 20)


def test_a_stack_that_is_killed_has_ended(template: Template) -> None:
    """Its end is seen although it is not a child of this process; it can still be stopped."""
    with EmbeddedStack.start("A", launch=template.launch) as stack:
        os.kill(stack.pid, signal.SIGKILL)
        assert becomes_true(lambda: not stack.running)
        stack.stop()


def test_stacks_end_without_their_template() -> None:
    """A stack outlives a template that is killed, and is stopped as ever; no other can be launched."""
    with Template() as template, EmbeddedStack.start("A", launch=template.launch) as stack:
        (process,) = [child for child in psutil.Process().children() if child.pid == template.pid]
        process.kill()
        with pytest.raises(StackFailed, match="the template of stacks has ended"):
            EmbeddedStack.start("A", launch=template.launch)
        assert stack.running
    assert not stack.running


def test_a_template_ends_when_it_is_closed() -> None:
    """Nothing of it is left."""
    with Template() as template:
        process = psutil.Process(template.pid)
    assert has_ended(process)
