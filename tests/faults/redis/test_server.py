"""Faults of Redis end with their server, and need one that answers and may be configured."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from tests.checkers.redis_process import redis_server
from tests.faults.fault_control import fault_control
from xnai_validate.kit import NotApplicable, Target, Unmeasurable

SETTINGS = ("redis.maxmemory", "redis.readonly")


@pytest.mark.parametrize("name", [*SETTINGS, "redis.pause", "redis.kill_clients"])
def test_a_fault_ends_with_its_server(name: str) -> None:
    """A setting that was made by command is gone with the process: where that is known to have ended, it is undone."""
    with redis_server() as (bare, client):
        process_id = client.info("server")["process_id"]
        target = replace(bare, pid=process_id)
        with fault_control(name, target) as known, fault_control(name, bare, "2") as unknown:
            undo, before = known.prepare()
            blind, _ = unknown.prepare()
            known.inject(undo)
            os.kill(process_id, signal.SIGKILL)
            proof = known.revert(undo, before)
            assert proof.proven, proof.why
            # Without its process it is unknown whether it has ended or only does not answer.
            unknown.fault = replace(unknown.fault, grace_s=0.3)
            assert not unknown.revert(blind, before).proven


def test_a_fault_ends_with_a_restart() -> None:
    """Another server at the same place has other settings, which must not be changed."""
    with redis_server() as (target, _), fault_control("redis.maxmemory", target) as control:
        undo, before = control.prepare()
        with redis_server("--maxmemory", "77mb") as (other, client):
            earlier = fault_control("redis.maxmemory", other)
            with earlier as later:
                proof = later.revert(undo, before)
                assert proof.proven, proof.why
            assert client.config_get("maxmemory") == {"maxmemory": str(77 << 20)}


@pytest.mark.parametrize("name", [*SETTINGS, "redis.pause", "redis.kill_clients"])
def test_a_server_that_does_not_answer_is_unmeasurable(name: str) -> None:
    """No server there, a wrong password: the reason is reported, and nothing was touched."""
    with redis_server() as (target, _):
        with (
            fault_control(name, replace(target, password="wrong-password")) as control,
            pytest.raises(Unmeasurable, match=r"(?i)password"),
        ):
            control.prepare()
        with (
            fault_control(name, Target("redis", "redis://127.0.0.1:9/0")) as control,
            pytest.raises(Unmeasurable, match="refused"),
        ):
            control.prepare()


def test_a_server_that_forbids_config_is_not_applicable() -> None:
    """A user without the right to read settings: not applicable, in the server's words."""
    with redis_server(password=None) as (target, client):
        client.acl_setuser("guest", enabled=True, passwords=["+pass"], categories=["+@all", "-@admin"], keys=["*"])
        guest = replace(target, url=f"redis://guest@127.0.0.1:{target.port}/0", password="pass")
        with (
            fault_control("redis.maxmemory", guest) as control,
            pytest.raises((NotApplicable, Unmeasurable), match=r"(?i)permission"),
        ):
            control.prepare()
