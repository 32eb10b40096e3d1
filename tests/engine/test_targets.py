"""Which of several places a target is at: real sockets, real refusals."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.engine.plans import declared, make, plan_of
from xnai_validate.engine import SystemClock, settle_targets, wait_for_targets
from xnai_validate.engine.targets import PROBE_S
from xnai_validate.kit import Context, Facts, Params, Target, Unmeasurable, checker
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.target import Choice
from xnai_validate.plan import Candidate, CompiledMeasurement, Plan, PlannedTarget


class NoParams(Params):
    """No parameters."""


class Greeting(Facts):
    """The first line of the server."""

    greeting: str


@checker("greet.read")
async def greet(params: NoParams, ctx: Context) -> Greeting:
    """Connect and read a greeting; a refusal is an exception, as of a broken checker."""
    reader, writer = await asyncio.open_connection(ctx.target.host, ctx.target.port)
    try:
        return Greeting(greeting=(await reader.readline()).decode().strip())
    finally:
        writer.close()


PROBE = make("probe", declared(greet), target="api", rules=(Rule("greeting", "equals", "welcome"),)).measurement


@contextmanager
def free_port() -> Iterator[int]:
    """A port that refuses connections, and that no other process is given meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def serve(words: bytes, port: int = 0, delay_s: float = 0.0) -> tuple[asyncio.Server, int]:
    """A server that greets with `words` after a pause."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(delay_s)
            writer.write(words + b"\n")
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, reuse_port=True if port else None)
    return server, server.sockets[0].getsockname()[1]


def planned(*ports: int, name: str = "api") -> Plan:
    """A plan whose target has these candidates."""
    candidates = tuple(Candidate(Target(name, f"tcp://127.0.0.1:{port}")) for port in ports)
    plan = plan_of()
    return Plan(plan.title, plan.profiles, (), {name: PlannedTarget(name, candidates, probe=PROBE)})


def test_the_first_in_order_that_answers_is_taken() -> None:
    """One refuses, one sends something else, one answers late, one answers at once: the order decides, not speed."""

    async def main() -> None:
        with free_port() as refused:
            odd, odd_port = await serve(b"go away")
            late, late_port = await serve(b"welcome", delay_s=0.3)
            quick, quick_port = await serve(b"welcome")
            async with odd, late, quick:
                found = await settle_targets(planned(refused, odd_port, late_port, quick_port), SystemClock())
        assert found == {"api": Choice(index=2, tried=3, answered=True)}

    asyncio.run(main())


def test_a_candidate_that_hangs_is_waited_for_only_where_it_comes_first() -> None:
    """Once one answers, those after it are dropped, however long they would take."""

    async def main() -> float:
        hangs, hanging_port = await serve(b"welcome", delay_s=600.0)
        quick, quick_port = await serve(b"welcome")
        begun = asyncio.get_running_loop().time()
        found = await settle_targets(planned(quick_port, hanging_port), SystemClock())
        took = asyncio.get_running_loop().time() - begun
        assert found == {"api": Choice(index=0, tried=1, answered=True)}
        for server in (hangs, quick):
            server.close()
        return took

    assert asyncio.run(main()) < PROBE_S


def test_where_none_answers_the_first_is_assumed() -> None:
    """No candidate answers: the first is taken, with a notice that it did not answer."""

    async def main() -> None:
        with free_port() as first, free_port() as second:
            found = await settle_targets(planned(first, second), SystemClock())
        assert found == {"api": Choice(index=0, tried=2, answered=False)}

    asyncio.run(main())


def test_a_stack_that_is_still_starting_is_waited_for() -> None:
    """With `wait_s` the candidates are tried again until one answers, long before the time is over."""

    async def main() -> None:
        with free_port() as refused:
            first, port = await serve(b"still starting")

            async def start() -> None:
                await asyncio.sleep(0.3)
                first.close()
                await first.wait_closed()
                server, _ = await serve(b"welcome", port)
                async with server:
                    await asyncio.sleep(60.0)

            async with asyncio.TaskGroup() as group:
                starting = group.create_task(start())
                found = await asyncio.wait_for(settle_targets(planned(refused, port), SystemClock(), 300.0), 60.0)
                starting.cancel()
        assert found == {"api": Choice(index=1, tried=2, answered=True)}

    asyncio.run(main())


def test_a_schema_without_choices_is_left_alone() -> None:
    """Targets with one candidate, without a probe, or already chosen are not probed."""
    several = tuple(Candidate(Target("x", f"tcp://127.0.0.1:{port}")) for port in (1, 2))
    targets = {
        "one": PlannedTarget("one", several[:1], probe=PROBE),
        "unprobed": PlannedTarget("unprobed", several),
        "chosen": PlannedTarget("chosen", several, probe=PROBE, choice=Choice(1, 2, True)),
    }
    plan = Plan("A test", ("made",), (), targets)
    assert asyncio.run(settle_targets(plan, SystemClock())) == {}


def waiting_plan(*ports: int) -> Plan:
    """A plan with one check on each of several targets, t0, t1 ..."""
    names = [f"t{number}" for number in range(len(ports))]
    targets = {
        name: PlannedTarget(name, (Candidate(Target(name, f"http://127.0.0.1:{port}")),))
        for name, port in zip(names, ports, strict=True)
    }
    checks = tuple(make(f"on-{name}", declared(greet), target=name) for name in names)
    return Plan("A test", ("made",), checks, targets)


def test_targets_that_start_late_are_waited_for() -> None:
    """Also where no check needs another: the wait ends once all accept connections, with how long each took."""
    waited: list[str] = []

    async def main() -> tuple[str, ...]:
        first, open_port = await serve(b"welcome")
        second, late_port = await serve(b"welcome")
        second.close()
        await second.wait_closed()

        async def start() -> asyncio.Server:
            await asyncio.sleep(0.7)
            return (await serve(b"welcome", late_port))[0]

        starting = asyncio.create_task(start())
        plan = waiting_plan(open_port, late_port)
        result = await asyncio.wait_for(wait_for_targets(plan, SystemClock(), 60.0, waited.extend), 30.0)
        for server in (first, await starting):
            server.close()
        assert not result.hopeless
        return result.sentences

    at_once, sentence = asyncio.run(main())
    assert waited == ["t1"]
    assert re.fullmatch(r"t0 \(127\.0\.0\.1:\d+\) accepted connections at once", at_once)
    assert re.fullmatch(r"t1 \(127\.0\.0\.1:\d+\) accepted connections after [0-9.]+ s", sentence)


def test_a_target_that_never_comes_up_is_named_with_the_reason() -> None:
    """When the time is over the run goes on: its checks report what is missing."""
    with free_port() as refused:
        (sentence,) = asyncio.run(wait_for_targets(waiting_plan(refused), SystemClock(), 0.2)).sentences
        assert sentence == f"t0 (127.0.0.1:{refused}) accepted no connection within 0.2 s: connection refused"


class ContainerFacts(Facts):
    """What an engine knows about a container."""

    status: str
    exit_code: int
    oom_killed: bool


def container_state(*statuses: str) -> CompiledMeasurement:
    """The measurement of a container with these states, one after the other; the last stays."""
    left = list(statuses)

    @checker("container.scripted")
    async def state(params: NoParams, ctx: Context) -> ContainerFacts:
        """Return the next state."""
        status = left.pop(0) if len(left) > 1 else left[0]
        if status == "unknown":
            raise Unmeasurable("no engine answers")
        return ContainerFacts(status=status, exit_code=137, oom_killed=True)

    return make("state", declared(state), target="t0").measurement


def with_container(plan: Plan, state: CompiledMeasurement) -> Plan:
    """The plan with a container behind its first target."""
    first = plan.targets["t0"]
    target = replace(first.target, container="shop-api-1")
    return replace(
        plan, targets={**plan.targets, "t0": PlannedTarget("t0", (Candidate(target),), container_state=state)}
    )


def test_the_wait_ends_when_a_container_has_ended() -> None:
    """Its end is named with exit code and cause; the other targets are not waited for any longer."""
    with free_port() as refused, free_port() as other:
        plan = with_container(waiting_plan(refused, other), container_state("exited"))
        result = asyncio.run(asyncio.wait_for(wait_for_targets(plan, SystemClock(), 60.0), 30.0))
    assert result.hopeless
    ended, left = result.sentences
    assert "its container shop-api-1 has exited with code 137 (killed for its use of memory); the wait ended" in ended
    assert "t1 (" in left
    assert "was not waited for any longer after" in left


@pytest.mark.parametrize(
    "states", [("running",), ("unknown",), ("restarting",), ("created",), ("exited", "running")], ids=str
)
def test_a_container_that_may_come_up_is_waited_for(states: tuple[str, ...]) -> None:
    """Also one that is made anew, whose old container has ended, and one about which no engine answers."""
    with free_port() as refused:
        plan = with_container(waiting_plan(refused), container_state(*states))
        result = asyncio.run(wait_for_targets(plan, SystemClock(), 1.2))
    assert not result.hopeless
    assert "accepted no connection within 1.2 s" in result.sentences[0]
