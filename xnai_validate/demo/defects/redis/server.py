"""A Redis server with the wrong options, or in the wrong state."""

from __future__ import annotations

from collections.abc import Callable

from redis import Redis

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.redis_server import data_dir, options, wait_until_up
from xnai_validate.demo.settings import Settings

NO_PASSWORD = Defect(
    "redis-no-password", "Redis accepts every client without a password.", checks=("services/redis:password",)
).changes(options, lambda named: named | {"requirepass": "", "protected-mode": "no"})

OTHER_PASSWORD = Defect(
    "redis-other-password",
    "The password was changed on the Redis server only: every client is refused.",
    checks=("services/redis:ping", "services/redis:version", "services/answers:api-health"),
).changes(options, lambda named: named | {"requirepass": "rotated-on-the-server-only"})

NOEVICTION = Defect(
    "redis-noeviction",
    "Redis refuses writes when its memory is full instead of evicting old keys.",
    checks=("services/redis:eviction",),
).changes(options, lambda named: named | {"maxmemory-policy": "noeviction"})

NO_MAXMEMORY = Defect(
    "redis-no-maxmemory",
    "Redis has no memory limit and may take all of the host's.",
    checks=("services/redis:memory-limit",),
).changes(options, lambda named: named | {"maxmemory": "0"})

EVICTS_AT_ONCE = Defect(
    "redis-evicts-at-once",
    "The memory limit is so small that Redis evicts keys as soon as they are written.",
    checks=("resources/stack:redis-memory",),
).changes(options, lambda named: named | {"maxmemory": "800kb"})

FEW_DATABASES = Defect(
    "redis-few-databases",
    "Redis has only four databases: the one that Vikunja uses is missing.",
    checks=("vikunja/vikunja:cache",),
).changes(options, lambda named: named | {"databases": "4"})

FEW_CLIENTS = Defect(
    "redis-few-clients",
    "Redis allows so few connections that some parts are refused.",
    checks=("services/redis:password",),
).changes(options, lambda named: named | {"maxclients": "6"})


def _once_up(defect: Defect, change: Callable[[Redis, Settings], object]) -> Defect:
    """Let a defect bring a started server into a state that no option reaches."""

    @defect.wraps(wait_until_up)
    def up_and_changed(
        original: Callable[[Settings, float, Callable[[], None]], bool],
        /,
        settings: Settings,
        deadline: float,
        between: Callable[[], None] = lambda: None,
    ) -> bool:
        is_up = original(settings, deadline, between)
        if is_up:
            with Redis(port=settings.redis_port, password=settings.redis_password) as client:
                change(client, settings)
        return is_up

    return defect


REPLICA = _once_up(
    Defect(
        "redis-replica",
        "Redis is set up as a replica of a server that is gone, and is read-only.",
        checks=("services/redis:role", "services/redis:roundtrip", "dependencies/chain:alerts-group"),
    ),
    lambda client, _: client.replicaof("127.0.0.1", "1"),
)


def _fail_snapshot(client: Redis, settings: Settings) -> None:
    """Remove the folder of the snapshot, then have Redis write one, which fails."""
    client.config_set("save", "3600 1")
    data_dir(settings).rmdir()
    client.bgsave()


SNAPSHOT_FAILS = _once_up(
    Defect(
        "redis-snapshot-fails",
        "Redis cannot write its snapshot and therefore refuses all writes (MISCONF).",
        checks=("services/redis:persistence", "services/redis:roundtrip"),
    ),
    _fail_snapshot,
)
