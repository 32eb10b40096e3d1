"""What faults of Redis promise beyond the contract."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import pytest
from pydantic import ValidationError

from tests.checkers.redis_process import redis_server
from tests.faults.trying import trial
from xnai_validate.kit import NotApplicable, Target, Unmeasurable

SETTINGS = ("redis.maxmemory", "redis.readonly")


@pytest.mark.parametrize("name", [*SETTINGS, "redis.pause", "redis.kill_clients"])
def test_a_fault_ends_with_its_server(name: str) -> None:
    """A setting that was made by command is gone with the process: where that is known to have ended, it is undone."""
    with redis_server() as (bare, client):
        process_id = client.info("server")["process_id"]
        target = replace(bare, pid=process_id)
        with trial(name, target) as known, trial(name, bare, "2") as unknown:
            undo, before = known.prepare()
            blind, _ = unknown.prepare()
            known.inject(undo)
            os.kill(process_id, signal.SIGKILL)
            proof = known.take_back(undo, before)
            assert proof.proven, proof.why
            # Without its process nobody knows whether it has ended or only does not answer.
            unknown.fault = replace(unknown.fault, grace_s=0.3)
            assert not unknown.take_back(blind, before).proven


def test_a_fault_ends_with_a_restart() -> None:
    """Another server at the same place has other settings, which are nobody's to change."""
    with redis_server() as (target, _), trial("redis.maxmemory", target) as one:
        undo, before = one.prepare()
        with redis_server("--maxmemory", "77mb") as (other, client):
            earlier = trial("redis.maxmemory", other)
            with earlier as later:
                proof = later.take_back(undo, before)
                assert proof.proven, proof.why
            assert client.config_get("maxmemory") == {"maxmemory": str(77 << 20)}


def test_without_memory_no_key_is_lost() -> None:
    """Writes are refused with OOM, reads are answered, and every key is there afterwards, though all may be evicted."""
    with redis_server("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as (target, client):
        client.mset({f"key:{number}": "x" * 10_000 for number in range(500)})
        with trial("redis.maxmemory", target) as one:
            undo, before = one.prepare()
            one.inject(undo)
            with pytest.raises(Exception, match=r"OOM|command not allowed"):
                client.set("another", "value")
            assert client.get("key:7") == "x" * 10_000
            assert one.take_back(undo, before).proven
        assert client.dbsize() == 500
        assert client.info("stats")["evicted_keys"] == 0
        assert client.set("another", "value")


def test_a_pause_of_all_commands_ends_by_itself() -> None:
    """Nobody can end it from outside; it takes no longer than it says, and is then proven to be over."""
    with redis_server() as (target, client), trial("redis.pause", target, mode="all", duration="1s") as one:
        undo, before = one.prepare()
        one.inject(undo)
        begun = time.monotonic()
        answered: list[float] = []

        def ask() -> None:
            client.ping()
            answered.append(time.monotonic())

        asking = threading.Thread(target=ask)
        asking.start()
        proof = one.take_back(undo, before)
        asking.join(10)
        assert proof.proven, proof.why
        assert answered[0] - begun >= 0.6, "commands were answered while all were to wait"


def test_the_server_itself_ends_a_pause() -> None:
    """Also where nobody takes it back: its limit went with the command."""
    with redis_server() as (target, client), trial("redis.pause", target, duration="300ms") as one:
        undo, _ = one.prepare()
        one.inject(undo)
        begun = time.monotonic()
        assert client.set("a", "b")
        assert 0.1 < time.monotonic() - begun < 10


def test_who_waits_already_is_left_alone() -> None:
    """A pause that somebody else has made is not ended by ours."""
    with redis_server() as (target, client), trial("redis.pause", target) as one:
        client.client_pause(20_000, all=False)
        with pytest.raises(Unmeasurable, match="keeps commands waiting already"):
            one.prepare()


@pytest.mark.parametrize("params", [{"mode": "all", "duration": "6s"}, {"duration": "2m"}, {"duration": "0s"}])
def test_a_pause_is_bounded(params: dict[str, str]) -> None:
    """60 s for writes, 5 s for all commands."""
    with pytest.raises(ValidationError), trial("redis.pause", Target("redis"), **params):
        pass


@pytest.mark.parametrize("name", [*SETTINGS, "redis.pause", "redis.kill_clients"])
def test_what_does_not_answer_is_not_disturbed(name: str) -> None:
    """Nobody there, a wrong password: the reason is told, and nothing was touched."""
    with redis_server() as (target, _):
        with (
            trial(name, replace(target, password="wrong-password")) as one,
            pytest.raises(Unmeasurable, match=r"(?i)password"),
        ):
            one.prepare()
        with trial(name, Target("redis", "redis://127.0.0.1:9/0")) as one, pytest.raises(Unmeasurable, match="refused"):
            one.prepare()


def test_who_may_not_configure_does_not() -> None:
    """A user without the right to read settings: not applicable, in the server's words."""
    with redis_server(password=None) as (target, client):
        client.acl_setuser("guest", enabled=True, passwords=["+pass"], categories=["+@all", "-@admin"], keys=["*"])
        guest = replace(target, url=f"redis://guest@127.0.0.1:{target.port}/0", password="pass")
        with (
            trial("redis.maxmemory", guest) as one,
            pytest.raises((NotApplicable, Unmeasurable), match=r"(?i)permission"),
        ):
            one.prepare()
