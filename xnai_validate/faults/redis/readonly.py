"""`redis.readonly`: a Redis that refuses writes."""

from __future__ import annotations

from xnai_validate.faults.redis._settings import ChangesSettings, NoParams, SettingsUndo, write_settings
from xnai_validate.kit import ActiveFault, FaultContext, fault

REPLICAS = "1000"
"""More replicas than any server has."""


@fault("redis.readonly", limit_s=300)
class Readonly(ChangesSettings):
    """Let Redis refuse every write at once, with NOREPLICAS, while it answers commands that only read.

    `CONFIG SET min-replicas-to-write` to more replicas than there are. A server that becomes a replica would be more
    like a failover, but a replica may discard its data: this changes no key and is reverted at once.

        under: [{fault: redis.readonly, target: redis}]
    """

    names = ("min-replicas-to-write", "min-replicas-max-lag")

    def describe(self, params: NoParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{target} refuses every command that writes (min-replicas-to-write {REPLICAS})"

    async def inject(self, params: NoParams, undo: SettingsUndo, ctx: FaultContext) -> ActiveFault | None:
        """Set the number of replicas; without a lag it would have no effect."""
        lag = {"min-replicas-max-lag": "10"} if undo.settings["min-replicas-max-lag"] == "0" else {}
        await write_settings(ctx, undo, {**lag, "min-replicas-to-write": REPLICAS})
        return None
