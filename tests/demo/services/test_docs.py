"""The documentation keeps its promises, and each of its defects breaks the one it names."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import httpx
import pytest

from tests.demo.services.promises import Promise, defects_of, is_kept, serving_with_each_defect
from xnai_validate.demo.settings import Settings


def _docs_page(client: httpx.Client, _: Settings) -> bool:
    return "mkdocs" in client.get("/").text and 'name="generator"' in client.get("/").text


def _search(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/search/search_index.json")
    return answer.status_code == 200 and len(answer.json()["docs"]) > 0


def _sitemap(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/sitemap.xml")
    try:
        found = ElementTree.fromstring(answer.text).findall("{*}url/{*}loc")
    except ElementTree.ParseError:
        return False
    return all(client.get(loc.text or "").status_code == 200 for loc in found) and len(found) == 3


PROMISES: dict[str, Promise] = {
    "docs-listing": _docs_page,
    **dict.fromkeys(("docs-no-search", "docs-empty-search"), _search),
    **dict.fromkeys(("docs-sitemap-broken", "docs-dead-links"), _sitemap),
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory, shared_redis: int) -> Iterator[dict[str, Settings]]:
    """The service healthy, and with each of its defects."""
    with serving_with_each_defect("docs", tmp_path_factory, shared_redis) as running:
        yield running


def test_a_healthy_service_keeps_every_promise(stacks: dict[str, Settings]) -> None:
    """Without a defect each promise is kept."""
    assert [defect for defect, promise in PROMISES.items() if not is_kept(promise, stacks["docs"], "docs")] == []


@pytest.mark.parametrize("defect", PROMISES)
def test_each_defect_breaks_its_promise(defect: str, stacks: dict[str, Settings]) -> None:
    """With the defect the promise it is named for is not kept: the defect is real."""
    assert not is_kept(PROMISES[defect], stacks[defect], "docs")


def test_every_defect_has_a_promise() -> None:
    """None of the service's defects is left out."""
    assert set(defects_of("docs")) == set(PROMISES)
