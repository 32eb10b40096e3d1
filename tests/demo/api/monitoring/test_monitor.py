"""The health monitor: each change raises one alert, in Redis and at the webhook, and recovery begins when it should."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.demo.api.running import RedisServer, eventually, redis_server, running, serve, settings
from tests.ports import free_port

Alert = dict[str, str]


def alerts(redis: RedisServer) -> list[Alert]:
    """The alerts in Redis, oldest first."""
    return redis.entries("xnai:alerts")


def in_short(sent: list[Alert]) -> list[tuple[str, str, str]]:
    """Type, service and status of alerts."""
    return [(alert["type"], alert["service"], alert.get("new_status") or alert.get("action") or "") for alert in sent]


def test_each_change_raises_one_alert(redis: RedisServer, tmp_path: Path) -> None:
    """A service goes down and comes back: each step raises one alert, and the webhook gets the same."""
    received: list[Alert] = []

    async def hook(request: Request) -> Response:
        received.append(json.loads(await request.body()))
        return Response(status_code=204)

    async def ask() -> None:
        port, ui_port = free_port(), free_port()
        receiver = await serve(Starlette(routes=[Route("/hook", hook, methods=["POST"])]), port)
        ui = await serve(Starlette(), ui_port)
        plain = settings(redis, tmp_path, monitor_interval_s=0.1)
        chosen = replace(plain, alert_webhook=f"http://127.0.0.1:{port}/hook", ports={**plain.ports, "ui": ui_port})
        async with running(chosen, redis) as stack:

            async def ui_is(value: int) -> bool:
                return (await stack.metrics()).get('xnai_service_health{service="chainlit_ui"}') == value

            async def acted() -> bool:
                return "recovery_action" in {alert["type"] for alert in alerts(redis)}

            async def recovered() -> bool:
                return "recovery" in {alert["type"] for alert in alerts(redis)}

            await eventually(lambda: ui_is(1), "the user interface is up")
            assert alerts(redis) == []
            await ui.stop()
            await eventually(acted, "a recovery action")
            ui = await serve(Starlette(), ui_port)
            await eventually(recovered, "a recovery")
            await asyncio.sleep(0.5)
            expected = [
                ("status_change", "chainlit_ui", "unhealthy"),
                ("recovery_action", "chainlit_ui", "restart"),
                ("status_change", "chainlit_ui", "healthy"),
                ("recovery", "chainlit_ui", ""),
            ]
            assert in_short(alerts(redis)) == expected
            assert in_short(received) == expected
            assert len({alert["alert_id"] for alert in received}) == 4
        await ui.stop()
        await receiver.stop()

    asyncio.run(ask())


def test_alerts_about_redis_are_sent_when_it_is_back(tmp_path: Path) -> None:
    """What happened while Redis was away is in its stream afterwards, and the breakers' keys are there again."""

    async def ask(redis: RedisServer) -> None:
        async with running(settings(redis, tmp_path, monitor_interval_s=0.1), redis) as stack:

            async def redis_is(value: int) -> bool:
                return (await stack.metrics()).get('xnai_service_health{service="redis"}') == value

            async def complete() -> bool:
                return len(alerts(redis)) >= 3 and bool(redis.client.exists("circuit_breaker:voice_tts"))

            await eventually(lambda: redis_is(1), "Redis is up")
            redis.stop()
            await eventually(lambda: redis_is(0), "Redis is down")
            await asyncio.sleep(0.3)
            redis.start()
            await eventually(complete, "the alerts")
            kinds = [alert for alert in in_short(alerts(redis)) if alert[0] != "recovery_action"]
            assert kinds == [
                ("status_change", "redis", "unhealthy"),
                ("status_change", "redis", "healthy"),
                ("recovery", "redis", ""),
            ]

    with redis_server(tmp_path) as own:
        asyncio.run(ask(own))
