"""A Redis that takes no writes."""

from __future__ import annotations

from xnai_validate.faults.redis._settings import SettingsUndo, read_settings, settings_now, write_settings
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, Params, fault

MORE_THAN_ANY = "1000"
"""Replicas that no server has."""


class ReadonlyParams(Params):
    """Nothing to choose."""


@fault("redis.readonly", limit_s=300)
class Readonly:
    """Let Redis refuse every write at once, with NOREPLICAS, while it answers what only reads.

    `CONFIG SET min-replicas-to-write` to more replicas than there are. To make it a replica of nothing would be more
    like a failover, but a replica may throw away its data: this changes no key and is taken back at once.

        under: [{fault: redis.readonly, target: redis}]
    """

    def describe(self, params: ReadonlyParams, target: str) -> str:
        """What it does to whom."""
        return f"{target} refuses every command that writes (min-replicas-to-write {MORE_THAN_ANY})"

    async def prepare(self, params: ReadonlyParams, ctx: FaultContext) -> SettingsUndo:
        """The settings as they are."""
        return await read_settings(ctx, "min-replicas-to-write", "min-replicas-max-lag")

    async def inject(self, params: ReadonlyParams, undo: SettingsUndo, ctx: FaultContext) -> ActiveFault | None:
        """Without a lag the other setting has no effect."""
        lag = undo.settings["min-replicas-max-lag"]
        wanted = {"min-replicas-max-lag": "10"} if lag == "0" else {}
        await write_settings(ctx, undo, {**wanted, "min-replicas-to-write": MORE_THAN_ANY})
        return None

    async def revert(self, undo: SettingsUndo, ctx: FaultContext) -> None:
        """Put both back."""
        await write_settings(ctx, undo, undo.settings)

    async def fingerprint(self, undo: SettingsUndo, ctx: FaultContext) -> JsonValue:
        """Both settings."""
        return await settings_now(ctx, undo)
