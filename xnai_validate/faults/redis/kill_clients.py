"""`redis.kill_clients`: a Redis that closes its connections."""

from __future__ import annotations

from xnai_validate.faults.redis._server import ServerUndo, admin, process_of, run_id
from xnai_validate.kit import ActiveFault, FaultContext, JsonValue, Params, fault
from xnai_validate.wire.redis.replies import text_of


class KillParams(Params):
    """Which connections."""

    pubsub: bool = True
    """Whether connections that wait for published messages are closed too."""


@fault("redis.kill_clients", limit_s=300)
class KillClients:
    """Let Redis close the connections of all its clients at once, as after a failover or a lost network.

    `CLIENT KILL TYPE normal` and `pubsub`; replicas keep theirs. It happens once: every client may connect again at
    once, and a check finds those that do not. The fault leaves no change to revert.

        under: [{fault: redis.kill_clients, target: redis}]
    """

    def describe(self, params: KillParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{target} closes the connections of all its clients, once (CLIENT KILL)"

    async def prepare(self, params: KillParams, ctx: FaultContext) -> ServerUndo:
        """Read which server it is."""
        async with admin(ctx) as connection:
            return ServerUndo(server=await run_id(connection), process=process_of(ctx))

    async def inject(self, params: KillParams, undo: ServerUndo, ctx: FaultContext) -> ActiveFault | None:
        """Close all connections but the one that sends the command."""
        async with admin(ctx, undo) as connection:
            for kind in ("normal", "pubsub") if params.pubsub else ("normal",):
                await connection.command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        return None

    async def revert(self, undo: ServerUndo, ctx: FaultContext) -> None:
        """Do nothing: clients connect again by themselves."""

    async def fingerprint(self, undo: ServerUndo, ctx: FaultContext) -> JsonValue:
        """Return the answer to PING on a new connection."""
        async with admin(ctx, undo) as connection:
            return {"answers": text_of(await connection.command("PING"))}
