"""`redis.maxmemory`: a Redis without memory."""

from __future__ import annotations

from xnai_validate.faults.redis._settings import ChangesSettings, NoParams, SettingsUndo, write_settings
from xnai_validate.kit import ActiveFault, FaultContext, fault


@fault("redis.maxmemory", limit_s=300)
class Maxmemory(ChangesSettings):
    """Let Redis have no memory left: commands that need memory are refused with OOM, all others are answered.

    `CONFIG SET`: first the policy `noeviction`, so that no key is evicted, then a limit of one byte. They are restored
    in the reverse order: with the old policy and the low limit, all keys would be evicted.

        under: [{fault: redis.maxmemory, target: redis}]
    """

    names = ("maxmemory", "maxmemory-policy")

    def describe(self, params: NoParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{target} has no memory left: commands that need some are refused (maxmemory 1, noeviction)"

    async def inject(self, params: NoParams, undo: SettingsUndo, ctx: FaultContext) -> ActiveFault | None:
        """Set the policy first."""
        await write_settings(ctx, undo, {"maxmemory-policy": "noeviction", "maxmemory": "1"})
        return None
