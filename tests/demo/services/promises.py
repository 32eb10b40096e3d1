"""Promises of the small services: kept by a healthy service, broken by the defect that each is named after."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import httpx
import pytest
import redis

from tests.demo.serving import apps_serving, reserved
from xnai_validate.demo.defects import TOPICS
from xnai_validate.demo.settings import Settings

Promise = Callable[[httpx.Client, Settings], bool]

_SLOW_S = 2.0


def defects_of(part: str) -> list[str]:
    """The names of the defects of one service."""
    return [defect.name for defect in TOPICS["services"] if defect.name.startswith(f"{part}-")]


@contextlib.contextmanager
def serving_with_each_defect(
    part: str, folders: pytest.TempPathFactory, redis_port: int, not_yet: tuple[str, ...] = ()
) -> Iterator[dict[str, Settings]]:
    """A healthy service under its own name, and one with each of its defects, each with ports of its own.

    Those in `not_yet` are reserved and not started.
    """
    with contextlib.ExitStack() as stack:
        stacks = {
            key: stack.enter_context(reserved(folders.mktemp(key), redis_port=redis_port))
            for key in (part, *defects_of(part))
        }
        started = {key: settings for key, settings in stacks.items() if key not in not_yet}
        for settings in started.values():
            settings.ports["api"] = settings.ports[part]  # an API that answers, for those who ask for it
        stack.enter_context(apps_serving(started))
        yield stacks


def is_kept(promise: Promise, settings: Settings, part: str) -> bool:
    """Whether a running service keeps a promise."""
    with httpx.Client(base_url=settings.url(part), timeout=20) as client:
        return promise(client, settings)


def is_quick(client: httpx.Client, path: str) -> bool:
    """Whether a path answers 200 within two seconds."""
    try:
        return client.get(path, timeout=_SLOW_S).status_code == 200
    except httpx.TimeoutException:
        return False


def redis_client(settings: Settings, database: int = 0) -> redis.Redis:
    """A client of the stack's Redis."""
    return redis.Redis(
        port=settings.redis_port, password=settings.redis_password, db=database, decode_responses=True, protocol=2
    )
