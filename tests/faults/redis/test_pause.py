"""`redis.pause`."""

from __future__ import annotations

import threading
import time

import pytest
from pydantic import ValidationError

from tests.checkers.redis_process import redis_server
from tests.faults.fault_control import fault_control
from xnai_validate.kit import Target, Unmeasurable


def test_a_pause_of_all_commands_ends_by_itself() -> None:
    """It cannot be ended from outside; it takes no longer than described, and is then proven to be over."""
    with redis_server() as (target, client), fault_control("redis.pause", target, mode="all", duration="1s") as control:
        undo, before = control.prepare()
        control.inject(undo)
        begun = time.monotonic()
        answered: list[float] = []

        def ask() -> None:
            client.ping()
            answered.append(time.monotonic())

        asking = threading.Thread(target=ask)
        asking.start()
        proof = control.revert(undo, before)
        asking.join(10)
        assert proof.proven, proof.why
        assert answered[0] - begun >= 0.6, "commands were answered while all were to wait"


def test_the_server_itself_ends_a_pause() -> None:
    """Also where no process reverts it: its limit went with the command."""
    with redis_server() as (target, client), fault_control("redis.pause", target, duration="300ms") as control:
        undo, _ = control.prepare()
        control.inject(undo)
        begun = time.monotonic()
        assert client.set("a", "b")
        assert 0.1 < time.monotonic() - begun < 10


def test_a_server_that_is_paused_already_is_refused() -> None:
    """A pause that somebody else has made is not ended by ours."""
    with redis_server() as (target, client), fault_control("redis.pause", target) as control:
        client.client_pause(20_000, all=False)
        with pytest.raises(Unmeasurable, match="keeps commands waiting already"):
            control.prepare()


@pytest.mark.parametrize("params", [{"mode": "all", "duration": "6s"}, {"duration": "2m"}, {"duration": "0s"}])
def test_a_pause_is_bounded(params: dict[str, str]) -> None:
    """60 s for writes, 5 s for all commands."""
    with pytest.raises(ValidationError), fault_control("redis.pause", Target("redis"), **params):
        pass
