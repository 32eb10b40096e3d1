"""Defects of Redis and of the TLS in front of it."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

REDIS: tuple[Defect, ...] = (
    Defect("redis-no-password", "Redis lets everybody in without a password.", checks=("services/redis:password",)),
    Defect(
        "redis-other-password",
        "The password was changed on the Redis server only: every client is refused.",
        checks=(
            "services/redis:ping",
            "services/redis:version",
            "services/answers:api-health",
        ),
    ),
    Defect(
        "redis-noeviction",
        "Redis refuses writes when its memory is full instead of evicting old keys.",
        checks=("services/redis:eviction",),
    ),
    Defect(
        "redis-no-maxmemory",
        "Redis has no memory limit and may take all of the host's.",
        checks=("services/redis:memory-limit",),
    ),
    Defect(
        "redis-evicts-at-once",
        "The memory limit is so small that Redis evicts keys as soon as they are written.",
        checks=("resources/stack:redis-memory",),
    ),
    Defect(
        "redis-few-databases",
        "Redis has only four databases: the one that Vikunja uses is missing.",
        checks=("vikunja/vikunja:cache",),
    ),
    Defect(
        "redis-few-clients",
        "Redis allows so few connections that some parts are refused.",
        checks=("services/redis:password",),
    ),
    Defect(
        "redis-snapshot-fails",
        "Redis cannot write its snapshot and therefore refuses all writes (MISCONF).",
        checks=(
            "services/redis:persistence",
            "services/redis:roundtrip",
        ),
    ),
    Defect(
        "redis-replica",
        "Redis believes to be a replica of a server that is gone, and is read-only.",
        checks=(
            "services/redis:role",
            "services/redis:roundtrip",
            "dependencies/chain:alerts-group",
        ),
    ),
    Defect(
        "redis-stalls", "Something blocks Redis for over a second again and again.", checks=("services/redis:ping",)
    ),
    Defect(
        "redis-flushed",
        "A forgotten job empties the database ten times a second.",
        checks=("dependencies/chain:breakers-kept",),
    ),
    Defect(
        "tls-expired",
        "The certificate of Redis has expired.",
        checks=(
            "services/redis:certificate",
            "services/redis:ping",
        ),
        layout="B",
    ),
    Defect(
        "tls-expires-soon",
        "The certificate of Redis expires tomorrow.",
        checks=("services/redis:certificate",),
        layout="B",
    ),
    Defect(
        "tls-wrong-name",
        "The certificate of Redis was issued for another host.",
        checks=(
            "services/redis:certificate",
            "services/redis:ping",
        ),
        layout="B",
    ),
    Defect(
        "tls-unknown-ca",
        "The certificate of Redis is signed by a CA that nobody knows.",
        checks=(
            "services/redis:certificate",
            "services/redis:ping",
        ),
        layout="B",
    ),
    Defect(
        "tls-optional",
        "The TLS port of Redis takes plain text as well.",
        checks=("services/redis:tls-only",),
        layout="B",
    ),
)
