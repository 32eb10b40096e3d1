"""A Redis without room."""

from __future__ import annotations

from xnai_validate.faults.redis._settings import SettingsUndo, read_settings, settings_now, write_settings
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, Params, fault


class MaxmemoryParams(Params):
    """Nothing to choose: any limit below what is in use means the same."""


@fault("redis.maxmemory", limit_s=300)
class Maxmemory:
    """Let Redis have no memory left: commands that need some are refused with OOM, all others are answered.

    `CONFIG SET`: first the policy `noeviction`, so that not one key is evicted, then a limit of one byte. Put back in
    the reverse order, for with the old policy and the low limit everything would be evicted.

        under: [{fault: redis.maxmemory, target: redis}]
    """

    def describe(self, params: MaxmemoryParams, target: str) -> str:
        """What it does to whom."""
        return f"{target} has no memory left: commands that need some are refused (maxmemory 1, noeviction)"

    async def prepare(self, params: MaxmemoryParams, ctx: FaultContext) -> SettingsUndo:
        """The settings as they are."""
        return await read_settings(ctx, "maxmemory", "maxmemory-policy")

    async def inject(self, params: MaxmemoryParams, undo: SettingsUndo, ctx: FaultContext) -> ActiveFault | None:
        """The policy first."""
        await write_settings(ctx, undo, {"maxmemory-policy": "noeviction", "maxmemory": "1"})
        return None

    async def revert(self, undo: SettingsUndo, ctx: FaultContext) -> None:
        """The limit first."""
        await write_settings(ctx, undo, undo.settings)

    async def fingerprint(self, undo: SettingsUndo, ctx: FaultContext) -> JsonValue:
        """Both settings."""
        return await settings_now(ctx, undo)
