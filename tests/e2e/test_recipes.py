"""Every bundled recipe is green on healthy software and each of its checks is red on software that is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.checkers.amqp.broker import PASSWORD, USER, Broker, serving
from tests.checkers.beside import beside
from tests.checkers.databases import postgres_server
from tests.checkers.kafka.cluster import kafka_cluster
from tests.checkers.redis_process import redis_server
from tests.e2e.recipe_stubs import BANNERS, BROKEN, HEALTHY, Response, http_stub, tcp_stub
from tests.e2e.tool import report, tool
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.status import Status

RECIPES = Path(__file__).parents[2] / "checks" / "recipes"
SECOND_PORT = {"milvus": "metrics", "nats": "monitoring", "rabbitmq": "management", "traefik": "ping"}
"""Recipe -> the parameter that names a second port."""
SCHEMES = {"postgres": "postgres"}
"""Recipe -> the scheme of the urls that it takes, other than tcp."""
SETTINGS: dict[str, JsonObject] = {
    "ollama": {"model": "tiny:latest"},
    "openai": {"model": "tiny"},
    "qdrant": {"collection": "docs"},
    "tei": {"dimensions": 3},
}
"""Recipe -> its parameters, where a check runs only with one."""


def recipes() -> dict[str, list[str]]:
    """Each bundled recipe with the ids of its checks."""
    files = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(RECIPES.glob("*.yaml"))}
    return {name: [check["id"] for check in recipe["checks"]] for name, recipe in files.items()}


def statuses(home: Path, urls: Mapping[str, str], settings: Mapping[str, JsonObject]) -> dict[str, Status]:
    """The status of every check of every recipe, run with one profile."""
    profile = {
        "title": "Recipes",
        "suites": [{"recipe": name, "target": name, "with": dict(settings.get(name, {}))} for name in urls],
        "targets": {name: {"url": url} for name, url in urls.items()},
        "strict": True,
    }
    (home / "profiles").mkdir(exist_ok=True)
    (home / "profiles" / "recipes.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    ended = tool(home, "run", "recipes", "-q", "-o", "out.json")
    assert ended.code in (0, 1), ended.stdout + ended.stderr
    found = {check.id: check.status for check in report(home / "out.json").checks}
    return {f"{id_.partition('/')[0]}:{id_.partition(':')[2]}": status for id_, status in found.items()}


@contextmanager
def stubs(
    broken: Mapping[str, dict[str, Response]] | None = None, banners: Mapping[str, bytes | None] = BANNERS
) -> Iterator[tuple[dict[str, str], dict[str, JsonObject]]]:
    """Url and parameters of a stub of every software but Redis; `broken` replaces answers."""
    urls: dict[str, str] = {}
    settings = {name: dict(values) for name, values in SETTINGS.items()}
    with ExitStack() as running:
        for name, banner in banners.items():
            scheme = SCHEMES.get(name, "tcp")
            urls[name] = running.enter_context(tcp_stub(banner)).replace("tcp:", f"{scheme}:")
        for name, routes in HEALTHY.items():
            url = running.enter_context(http_stub({**routes, **(broken or {}).get(name, {})}))
            if name in SECOND_PORT:
                path = "/ping" if name == "traefik" else ""
                settings.setdefault(name, {})[SECOND_PORT[name]] = f"{url}{path}"
            urls.setdefault(name, url)
        yield urls, settings


def test_every_recipe_has_its_stub() -> None:
    """A recipe that is added is tried: against a stub, or Redis itself, with an answer for each check that is wrong."""
    assert set(recipes()) == {*HEALTHY, *BANNERS, "redis"}
    checks = {f"{name}:{check}" for name, ids in recipes().items() for check in ids}
    by_banner = {f"{name}:{recipes()[name][0]}" for name in BANNERS}
    by_header = {"nginx:no-version"}
    by_software = {check for check in checks if check.startswith(("redis:", "postgres:"))} | {
        "rabbitmq:consumed",
        "kafka:keeps-up",
    }
    assert checks == {*BROKEN, *by_banner, *by_header, *by_software}


def test_recipes_are_green_on_healthy_software(tmp_path: Path) -> None:
    """All checks of all recipes pass, practices too, against the documented answers."""
    with stubs() as (urls, settings):
        found = statuses(tmp_path, urls, settings)
    by_login = {"kafka:keeps-up", "rabbitmq:consumed", "postgres:answers", "postgres:connections", "postgres:vacuum"}
    assert {name for name, status in found.items() if status is not Status.PASS} == by_login


@pytest.mark.parametrize("turn", range(4))
def test_each_check_is_red_on_its_unhealthy_answer(tmp_path: Path, turn: int) -> None:
    """One answer of each software is the documented one of trouble; the check about it fails, and no other hides it."""
    ids = {name: [check for check in checks if f"{name}:{check}" in BROKEN] for name, checks in recipes().items()}
    convicted = {f"{name}:{checks[turn]}" for name, checks in ids.items() if len(checks) > turn}
    broken = {check.partition(":")[0]: dict([BROKEN[check]]) for check in convicted}
    with stubs(broken) as (urls, settings):
        found = statuses(tmp_path, {name: urls[name] for name in broken}, settings)
    assert {check: found[check] for check in convicted} == dict.fromkeys(convicted, Status.FAIL)


def test_recipes_are_red_where_the_server_hangs_up_or_is_gone(tmp_path: Path) -> None:
    """A port that closes at once or has no server fails the first check of each recipe of a protocol."""
    with stubs(banners=dict.fromkeys(BANNERS)) as (urls, _):
        hung_up = statuses(tmp_path, {name: urls[name] for name in BANNERS}, {})
    gone = statuses(tmp_path, {name: urls[name] for name in BANNERS}, {})
    first = {name: f"{name}:{recipes()[name][0]}" for name in BANNERS}
    takes_any_connection = {"tcp"}
    assert {name for name in BANNERS if hung_up[first[name]] is not Status.FAIL} == takes_any_connection
    assert {name for name in BANNERS if gone[first[name]] is not Status.FAIL} == set()


def test_a_server_that_publishes_its_version_is_reported(tmp_path: Path) -> None:
    """nginx with `server_tokens on` sends its version."""
    with http_stub(HEALTHY["nginx"], "nginx/1.22.1") as url:
        assert statuses(tmp_path, {"nginx": url}, {})["nginx:no-version"] is Status.FAIL


def test_postgres_is_checked_for_itself(tmp_path: Path) -> None:
    """With a login the checks of a real server pass; a full server and a wrong password fail those about them."""
    with postgres_server() as target:
        url = str(target.url).replace("://tester@", f"://tester:{target.password}@")
        healthy = statuses(tmp_path, {"postgres": url}, {"postgres": {"login": True}})
        full = statuses(tmp_path, {"postgres": url}, {"postgres": {"login": True, "connections_percent": 1}})
        wrong = statuses(tmp_path, {"postgres": str(target.url)}, {"postgres": {"login": True}})
    assert set(healthy.values()) == {Status.PASS}
    assert full["postgres:connections"] is Status.FAIL
    assert (wrong["postgres:accepts"], wrong["postgres:answers"]) == (Status.PASS, Status.FAIL)


def test_a_queue_is_checked_for_itself(tmp_path: Path) -> None:
    """With a consumer it passes; without one, and where it is not there, it fails; many messages are a warning."""
    queues = {"good": (3, 1), "idle": (3, 0), "full": (5000, 1)}
    with beside(partial(serving, Broker(queues))) as broker:
        url = f"amqp://{USER}:{PASSWORD}@127.0.0.1:{broker.port}"
        found = {
            name: statuses(tmp_path, {"rabbitmq": url}, {"rabbitmq": {"queue": name}})["rabbitmq:consumed"]
            for name in (*queues, "gone")
        }
    assert found == {"good": Status.PASS, "idle": Status.FAIL, "full": Status.WARN, "gone": Status.FAIL}


def test_a_consumer_group_is_checked_for_itself(tmp_path: Path) -> None:
    """One that keeps up passes, one that is behind and a topic that is not there fail."""
    with kafka_cluster() as cluster:
        cluster.produce("orders", 5)
        cluster.commit("quick", "orders", 5)
        cluster.commit("slow", "orders", 1)
        uses: dict[str, JsonObject] = {
            "quick": {"group": "quick"},
            "slow": {"group": "slow", "lag": 3},
            "astray": {"group": "quick", "topics": ["none"]},
        }
        url = f"kafka://127.0.0.1:{cluster.port}"
        found = {
            name: statuses(tmp_path, {"kafka": url}, {"kafka": use})["kafka:keeps-up"] for name, use in uses.items()
        }
    assert found == {"quick": Status.PASS, "slow": Status.FAIL, "astray": Status.FAIL}


def test_redis_is_checked_for_itself(tmp_path: Path) -> None:
    """A server with password and limit is green; one without either is red in just that, a stopped one throughout."""
    with redis_server("--maxmemory", "64mb") as (target, _):
        url = f"redis://:{target.password}@127.0.0.1:{target.port}"
        assert set(statuses(tmp_path, {"redis": url}, {}).values()) == {Status.PASS}
    with redis_server("--maxmemory", "0", password=None) as (target, client):
        open_server = statuses(tmp_path, {"redis": target.url or ""}, {})
        client.replicaof("127.0.0.1", 1)
        replica = statuses(tmp_path, {"redis": target.url or ""}, {})
    stopped = statuses(tmp_path, {"redis": target.url or ""}, {})
    red = {name for name, status in open_server.items() if status is Status.FAIL}
    assert red == {"redis:password", "redis:room"}
    assert {replica["redis:role"], replica["redis:roundtrip"]} == {Status.FAIL}
    assert stopped["redis:answers"] is Status.FAIL
