"""Defects of Redis and of the TLS in front of it."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

REDIS: tuple[Defect, ...] = (
    Defect("redis-no-password", "Redis lets everybody in without a password."),
    Defect("redis-other-password", "The password was changed on the Redis server only: every client is refused."),
    Defect("redis-noeviction", "Redis refuses writes when its memory is full instead of evicting old keys."),
    Defect("redis-no-maxmemory", "Redis has no memory limit and may take all of the host's."),
    Defect("redis-evicts-at-once", "The memory limit is so small that Redis evicts keys as soon as they are written."),
    Defect("redis-few-databases", "Redis has only four databases: the one that Vikunja uses is missing."),
    Defect("redis-few-clients", "Redis allows so few connections that some parts are refused."),
    Defect("redis-snapshot-fails", "Redis cannot write its snapshot and therefore refuses all writes (MISCONF)."),
    Defect("redis-replica", "Redis believes to be a replica of a server that is gone, and is read-only."),
    Defect("redis-stalls", "Something blocks Redis for over a second again and again."),
    Defect("redis-flushed", "A forgotten job empties the database every second."),
    Defect("tls-expired", "The certificate of Redis has expired.", layout="B"),
    Defect("tls-expires-soon", "The certificate of Redis expires tomorrow.", layout="B"),
    Defect("tls-wrong-name", "The certificate of Redis was issued for another host.", layout="B"),
    Defect("tls-unknown-ca", "The certificate of Redis is signed by a CA that nobody knows.", layout="B"),
    Defect("tls-optional", "The TLS port of Redis takes plain text as well.", layout="B"),
)
