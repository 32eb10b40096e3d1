"""Faults that change settings of the server by CONFIG SET, and restore them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from xnai_validate.faults.redis._server import ServerUndo, admin, process_of, run_id
from xnai_validate.kit import FaultContext, JsonValue, NotApplicable, Params
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import RedisRefusal, map_of, text_of


class NoParams(Params):
    """This fault has no parameters."""


class SettingsUndo(ServerUndo):
    """The settings as they were."""

    settings: dict[str, str]
    """Name -> value, in the order in which they are restored."""


class ChangesSettings:
    """A fault that changes settings; its `inject` lists the values."""

    names: ClassVar[tuple[str, ...]]
    """The settings, in the order in which they are restored."""

    async def prepare(self, params: NoParams, ctx: FaultContext) -> SettingsUndo:
        """Read the settings. Raises NotApplicable if the server does not give them."""
        async with admin(ctx) as connection:
            try:
                settings = await _read_settings(connection, self.names)
            except RedisRefusal as refusal:
                raise NotApplicable(f"{ctx.target.name} does not give its settings: {refusal.detail}") from None
            if missing := [name for name in self.names if name not in settings]:
                raise NotApplicable(f"{ctx.target.name} has no setting {missing[0]}")
            server = await run_id(connection)
        return SettingsUndo(server=server, process=process_of(ctx), settings=settings)

    async def revert(self, undo: SettingsUndo, ctx: FaultContext) -> None:
        """Restore them."""
        await write_settings(ctx, undo, undo.settings)

    async def fingerprint(self, undo: SettingsUndo, ctx: FaultContext) -> JsonValue:
        """Return their values."""
        async with admin(ctx, undo) as connection:
            return dict(await _read_settings(connection, tuple(undo.settings)))


async def write_settings(ctx: FaultContext, undo: SettingsUndo, values: Mapping[str, str]) -> None:
    """Set one after the other, in their order."""
    async with admin(ctx, undo) as connection:
        for name, value in values.items():
            await connection.command("CONFIG", "SET", name, value)


async def _read_settings(connection: RedisConnection, names: tuple[str, ...]) -> dict[str, str]:
    """Return settings of the server by name."""
    settings: dict[str, str] = {}
    for name in names:  # several at once need Redis 7
        reply = map_of(await connection.command("CONFIG", "GET", name))
        settings |= {key: text_of(value) for key, value in reply.items()}
    return settings
