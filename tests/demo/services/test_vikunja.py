"""Vikunja keeps its promises, and each of its defects breaks the one it names."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.demo.services.promises import Promise, defects_of, is_kept, is_quick, redis_client, serving_with_each_defect
from tests.demo.serving import apps_serving, reserved
from xnai_validate.demo.settings import Settings


def _bearer(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.vikunja_token}"}


def _info(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/api/v1/info")
    return answer.status_code == 200 and str(answer.json().get("version", "")).startswith("v")


def _closed(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/api/v1/tasks/all")
    return answer.status_code == 401 and "token" in answer.json()["message"]


def _closed_to_strangers(client: httpx.Client, _: Settings) -> bool:
    return client.get("/api/v1/tasks/all", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def _tasks(client: httpx.Client, settings: Settings) -> bool:
    answer = client.get("/api/v1/tasks/all", headers=_bearer(settings))
    return answer.status_code == 200 and len(answer.json()) >= 3


def _pages(client: httpx.Client, settings: Settings) -> bool:
    answer = client.get("/api/v1/tasks/all", params={"per_page": "2", "page": "2"}, headers=_bearer(settings))
    return bool(
        len(answer.json()) == 1
        and answer.headers.get("x-pagination-total-pages") == "2"
        and answer.headers.get("x-pagination-result-count") == "1"
    )


def _creates(client: httpx.Client, settings: Settings) -> bool:
    headers = _bearer(settings)
    made = client.put("/api/v1/projects/1/tasks", json={"title": "Buy milk"}, headers=headers)
    listed = [task["title"] for task in client.get("/api/v1/tasks/all", headers=headers).json()]
    return made.status_code == 201 and "Buy milk" in listed


PROMISES: dict[str, Promise] = {
    **dict.fromkeys(("vikunja-no-version", "vikunja-info-private"), _info),
    "vikunja-info-slow": lambda client, _: is_quick(client, "/api/v1/info"),
    **dict.fromkeys(("vikunja-public-tasks", "vikunja-html-401"), _closed),
    "vikunja-any-token": _closed_to_strangers,
    **dict.fromkeys(("vikunja-refuses-token", "vikunja-tasks-500"), _tasks),
    "vikunja-no-pagination": _pages,
    "vikunja-forgets": _creates,
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory, shared_redis: int) -> Iterator[dict[str, Settings]]:
    """The service healthy, and with each of its defects."""
    with serving_with_each_defect("vikunja", tmp_path_factory, shared_redis, ("vikunja-wrong-database",)) as running:
        yield running


def test_a_healthy_service_keeps_every_promise(stacks: dict[str, Settings]) -> None:
    """Without a defect each promise is kept."""
    assert [defect for defect, promise in PROMISES.items() if not is_kept(promise, stacks["vikunja"], "vikunja")] == []


@pytest.mark.parametrize("defect", PROMISES)
def test_each_defect_breaks_its_promise(defect: str, stacks: dict[str, Settings]) -> None:
    """With the defect the promise it is named for is not kept: the defect is real."""
    assert not is_kept(PROMISES[defect], stacks[defect], "vikunja")


@pytest.mark.parametrize(("key", "database"), [("vikunja", 5), ("vikunja-wrong-database", 0)])
def test_the_keys_are_in_database_five(
    key: str, database: int, tmp_path_factory: pytest.TempPathFactory, shared_redis: int
) -> None:
    """What Vikunja writes when it starts is in database 5, and with the defect in the API's."""
    with (
        reserved(tmp_path_factory.mktemp(key), redis_port=shared_redis) as settings,
        redis_client(settings) as zero,
        redis_client(settings, 5) as five,
    ):
        zero.flushdb()
        five.flushdb()
        with apps_serving({key: settings}):
            databases = {0: zero, 5: five}
            assert [number for number, client in databases.items() if client.exists("vikunja:started")] == [database]


def test_every_defect_has_a_promise() -> None:
    """None of the service's defects is left out."""
    assert set(defects_of("vikunja")) == {*PROMISES, "vikunja-wrong-database"}
