"""Settings that are changed by CONFIG SET and put back as they were."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.faults.redis._server import ServerUndo, admin, process_of, run_id
from xnai_validate.kit import FaultContext, JsonValue, NotApplicable
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import RedisRefusal, map_of, text_of


class SettingsUndo(ServerUndo):
    """What the settings were, in the order in which they are put back."""

    settings: dict[str, str]


async def read_settings(ctx: FaultContext, *names: str) -> SettingsUndo:
    """The settings as they are. Raises NotApplicable where the server does not tell."""
    async with admin(ctx) as connection:
        try:
            found = await _read(connection, names)
        except RedisRefusal as refusal:
            raise NotApplicable(f"{ctx.target.name} does not tell its settings: {refusal.detail}") from None
        if missing := [name for name in names if name not in found]:
            raise NotApplicable(f"{ctx.target.name} has no setting {missing[0]}")
        server = await run_id(connection)
    return SettingsUndo(server=server, process=process_of(ctx), settings=found)


async def write_settings(ctx: FaultContext, undo: SettingsUndo, wanted: Mapping[str, str]) -> None:
    """Set one after the other, in their order."""
    async with admin(ctx, undo) as connection:
        for name, value in wanted.items():
            await connection.command("CONFIG", "SET", name, value)


async def settings_now(ctx: FaultContext, undo: SettingsUndo) -> JsonValue:
    """The settings as they are, for a fingerprint."""
    async with admin(ctx, undo) as connection:
        return dict(await _read(connection, tuple(undo.settings)))


async def _read(connection: RedisConnection, names: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:  # several at once take Redis 7
        answer = map_of(await connection.command("CONFIG", "GET", name))
        found |= {key: text_of(value) for key, value in answer.items()}
    return found
