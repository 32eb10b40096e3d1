"""The user interface keeps its promises, and each of its defects breaks the one it names."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.demo.services.promises import Promise, defects_of, is_kept, is_quick, redis_client, serving_with_each_defect
from tests.demo.serving import serving
from xnai_validate.demo.services import pages, ui
from xnai_validate.demo.settings import Settings


def _page(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/")
    return (
        answer.status_code == 200 and answer.headers["content-type"].startswith("text/html") and ui.TITLE in answer.text
    )


def _asset(client: httpx.Client, _: Settings) -> bool:
    return client.get(pages.ASSET).headers["content-type"].startswith("text/javascript")


def _session_expires(client: httpx.Client, settings: Settings) -> bool:
    client.get("/")
    with redis_client(settings) as store:
        found = [int(str(store.ttl(key))) for key in store.scan_iter("xnai:session:*")]
    return bool(found) and all(0 < ttl <= 3600 for ttl in found)


PROMISES: dict[str, Promise] = {
    **dict.fromkeys(("ui-empty", "ui-error-page", "ui-500", "ui-plain-text"), _page),
    "ui-asset-missing": _asset,
    "ui-session-forever": _session_expires,
    "ui-slow": lambda client, _: is_quick(client, "/"),
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory, shared_redis: int) -> Iterator[dict[str, Settings]]:
    """The service healthy, and with each of its defects."""
    with serving_with_each_defect("ui", tmp_path_factory, shared_redis) as running:
        yield running


def test_a_healthy_service_keeps_every_promise(stacks: dict[str, Settings]) -> None:
    """Without a defect each promise is kept."""
    assert [defect for defect, promise in PROMISES.items() if not is_kept(promise, stacks["ui"], "ui")] == []


@pytest.mark.parametrize("defect", PROMISES)
def test_each_defect_breaks_its_promise(defect: str, stacks: dict[str, Settings]) -> None:
    """With the defect the promise it is named for is not kept: the defect is real."""
    assert not is_kept(PROMISES[defect], stacks[defect], "ui")


def test_every_defect_has_a_promise() -> None:
    """None of the service's defects is left out."""
    assert set(defects_of("ui")) == set(PROMISES)


def test_an_unknown_path_of_the_interface_is_the_page_and_an_unknown_file_is_404(healthy: Settings) -> None:
    """A single-page application serves its page for routes of its own, and never for a missing file."""
    with serving(healthy, "ui"), httpx.Client(base_url=healthy.url("ui")) as client:
        assert client.get("/thread/42").text == ui.PAGE
        assert client.get("/assets/gone.js").status_code == 404
