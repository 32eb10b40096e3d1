"""A check under proxies measures through them, in a run with its own engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.certificates import authority
from tests.checkers.beside import tcp_server
from tests.engine.plans import collect, engine_of, make, plan_of, results
from xnai_validate import registry
from xnai_validate.engine import SystemClock
from xnai_validate.kit import FROM_FILE, JsonObject, Target, Tls
from xnai_validate.plan import Candidate, PlannedFault, PlannedTarget


def planned(name: str, params: JsonObject) -> PlannedFault:
    """A fault of the target `api`."""
    found = registry.FAULTS.get(name)
    return PlannedFault(found, found.params.model_validate(params, context=FROM_FILE), "api")


def test_a_check_goes_through_all_its_proxies(tmp_path: Path) -> None:
    """Two of them stand one behind the other, and the certificate is still verified for the target's own name."""
    signer = authority(tmp_path)
    context = signer.server("localhost")
    came: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(context)
        came.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    by = registry.CHECKERS.get("http.request")
    slow = planned("proxy.latency", {"latency": "100ms", "stream": "both"})
    with tcp_server(talk) as port:
        target = Target("api", f"https://localhost:{port}/api", tls=Tls(ca=signer.ca))
        checks = [
            make("under", by, target="api", rules=(), script={"path": "/health"}, disruptive=True, under=(slow, slow)),
            make("without", by, target="api", rules=(), script={"path": "/health"}),
        ]
        plan = plan_of(*checks)
        plan = type(plan)(plan.title, plan.profiles, plan.checks, {"api": PlannedTarget("api", (Candidate(target),))})
        report, seen = results(asyncio.run(collect(engine_of(plan, tmp_path, SystemClock()))))
    for result in seen.values():
        assert result.facts is not None
        assert (result.facts["error"], result.facts["status"]) == (None, 200), result.reason
    assert [request.startswith(b"GET /api/health ") for request in came] == [True, True]
    # A TLS 1.3 handshake and an exchange are two round trips, each of four delays.
    assert seen["under"].facts is not None
    assert float(str(seen["under"].facts["total_ms"])) >= 700
    assert [fault.proven for fault in report.faults] == [True, True]
