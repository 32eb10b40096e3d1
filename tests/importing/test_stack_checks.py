"""What is written of a project: targets, recipes by image, health and containers, and what is open to other hosts."""

from __future__ import annotations

import pytest

from xnai_validate.importing.project import Condition, HealthCommand, Port, Project, Service, Variable
from xnai_validate.importing.stack_checks import CONTAINERS, EXPOSURE, HEALTH, imported, unique_ids, without_circles

FIRST = {"postgres": "accepts", "redis": "answers", "nginx": "answers"}


def service(name: str, *needs: str, **fields: object) -> Service:
    """A service that needs others."""
    conditions: dict[str, Condition] = dict.fromkeys(needs, "started")
    return Service(name, needs=conditions, **fields)  # type: ignore[arg-type]


def needs(*services: Service) -> dict[str, set[str]]:
    """Service -> what it still needs."""
    return {each.name: set(each.needs) for each in without_circles(services)}


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ([service("a", "b"), service("b", "c"), service("c")], {"a": {"b"}, "b": {"c"}, "c": set()}),
        ([service("a", "b"), service("b", "a")], {"a": {"b"}, "b": set()}),
        ([service("a", "a")], {"a": set()}),
        ([service("a", "b"), service("b", "c"), service("c", "a", "b")], {"a": {"b"}, "b": {"c"}, "c": set()}),
    ],
)
def test_a_circle_of_needs_is_cut(services: list[Service], expected: dict[str, set[str]]) -> None:
    """Two services may name each other in their environment; a check cannot wait for itself."""
    assert needs(*services) == expected


def test_a_part_is_measured_where_this_host_reaches_it() -> None:
    """A recipe at its own port, the health check at its port, other ports by a connection; needs by the first check."""
    db = Service(
        "db", "postgres:16", ports=(Port(5432, 15432),), environment={"POSTGRES_PASSWORD": Variable("x", ("PW",))}
    )
    web = Service(
        "web", "shop/web", ports=(Port(8000, 80), Port(9000, 9000)), needs={"db": "healthy"},
        health=HealthCommand(("curl", "-f", "http://localhost:8000/up")),
    )  # fmt: skip
    stack = imported(Project("shop", (db, web), ("compose.yaml",)), FIRST)
    assert [part.target for part in stack.parts] == [
        {"url": "postgres://postgres@127.0.0.1:15432/postgres", "container": "shop/db", "password_env": "PW"},
        {"url": "http://127.0.0.1:80", "container": "shop/web"},
    ]
    assert stack.parts[0].recipe == {"recipe": "postgres", "target": "db"}
    assert [(check["id"], check["kind"], check["needs"]) for check in stack.suites[HEALTH]] == [
        ("web", "http.request", ["db/postgres:accepts"]),
        ("web-port-9000", "tcp.connect", ["db/postgres:accepts"]),
    ]
    assert [check["needs"] for check in stack.suites[CONTAINERS][1:]] == [["db"]]
    assert [check["id"] for check in stack.suites[EXPOSURE]] == ["db-5432"]
    assert len(stack.findings) == 1


def test_a_service_that_runs_once_has_ended_well() -> None:
    """Others wait for its end, so its container is expected not to run."""
    migrate, web = Service("migrate"), Service("web", needs={"migrate": "completed"})
    stack = imported(Project("shop", (migrate, web), ()), FIRST)
    assert stack.suites[CONTAINERS][0]["expect"] == {"running": False, "exit_code": 0}


def test_names_that_differ_in_punctuation_alone_get_ids_of_their_own() -> None:
    """`my_db` beside `my-db` is numbered in every suite, and what needs it waits for its check and no other's."""
    names = ("my_db", "my-db", "My.DB", "my-db-2")
    assert unique_ids(names) == {"my-db": "my-db", "my-db-2": "my-db-2", "my_db": "my-db-3", "My.DB": "my-db-4"}
    data = tuple(Service(name, "postgres:16", ports=(Port(5432, 15432 + at),)) for at, name in enumerate(names[:2]))
    web = Service("web", "shop/web", ports=(Port(8000, 80),), needs={"my_db": "healthy"})
    suites = imported(Project("shop", (*data, web), ()), FIRST).suites
    assert [check["id"] for check in suites[CONTAINERS]] == ["my-db-2", "my-db", "web"]
    assert suites[CONTAINERS][2]["needs"] == ["my-db-2"]
    assert [check["id"] for check in suites[EXPOSURE]] == ["my-db-2-5432", "my-db-5432"]
    assert [check["needs"] for check in suites[HEALTH]] == [["my_db/postgres:accepts"]]


def test_a_port_for_tls_is_reached_over_tls() -> None:
    """A server that publishes its port 443 gets a url with https, with and without a recipe."""
    front = Service("front", "nginx:1.29", ports=(Port(443, 8443),))
    admin = Service("admin", "shop/admin", ports=(Port(8443, 9443),))
    stack = imported(Project("shop", (front, admin), ("compose.yaml",)), FIRST)
    urls = [part.target["url"] for part in stack.parts]
    assert urls == ["https://127.0.0.1:8443", "https://127.0.0.1:9443"]


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "amqp://guest@127.0.0.1:5672/%2F"),
        ({"RABBITMQ_DEFAULT_USER": "shop", "RABBITMQ_DEFAULT_VHOST": "orders"}, "amqp://shop@127.0.0.1:5672/orders"),
    ],
)
def test_a_broker_is_reached_as_its_user(environment: dict[str, str], url: str) -> None:
    """User and virtual host are those of the image's variables, else those of RabbitMQ."""
    variables = {name: Variable(value) for name, value in environment.items()}
    broker = Service("mq", "rabbitmq:4-management", ports=(Port(5672, 5672, "127.0.0.1"),), environment=variables)
    stack = imported(Project("shop", (broker,), ()), {"rabbitmq": "accepts"})
    assert stack.parts[0].target == {"url": url, "container": "shop/mq"}
    assert any("{queue: NAME}" in comment for comment in stack.parts[0].comments)


def test_services_that_share_a_network_have_the_ports_that_are_theirs() -> None:
    """The port of their software at the service that publishes it, or at this host; otherwise the reason is written."""
    owner = Service("network", "alpine", ports=(Port(9000, 19000), Port(3210, 3210)))
    store = Service("store", "minio/minio", network="service:network")
    app = Service("app", "own/app", network="service:network")
    cache = Service("cache", "redis:8", network="host")
    agent = Service("agent", "own/agent", network="host")
    parts = {part.name: part for part in imported(Project("p", (owner, store, app, cache, agent), ()), {}).parts}
    assert parts["store"].target == {"url": "http://127.0.0.1:19000", "container": "p/store"}
    assert parts["store"].recipe == {"recipe": "minio", "target": "store"}
    assert parts["cache"].target == {"url": "redis://127.0.0.1:6379", "container": "p/cache"}
    assert any("in the network of network: which of the ports" in comment for comment in parts["app"].comments)
    assert any("in the network of this host" in comment for comment in parts["agent"].comments)


def test_where_a_service_is_published_is_written_as_far_as_the_file_has_it() -> None:
    """A port of the engine's choice is not in the file, but it is published; an image may be an unset variable."""
    services = (Service("chosen", "own/a", ports=(Port(8013),), random_ports=(8013,)), Service("empty", ""))
    parts = {part.name: part.comments for part in imported(Project("p", services, ()), {}).parts}
    assert any("`docker compose port chosen 8013` prints" in comment for comment in parts["chosen"])
    assert parts["empty"][0] == "empty: its image is a variable without a value"


def test_the_command_to_run_reads_the_passwords_of_targets() -> None:
    """It names the files of variables where a target takes its password from the environment, and else none."""
    variables = {"POSTGRES_PASSWORD": Variable("x", ("DB_PASSWORD",))}
    db = Service("db", "postgres:16", ports=(Port(5432, 5432),), environment=variables)
    web = Service("web", "own/web", ports=(Port(80, 80),))
    options = [
        imported(Project("p", services, (), env_files=(".env", "my keys")), {}).env_files
        for services in ((db, web), (web,))
    ]
    assert options == [" --env-file .env --env-file 'my keys'", ""]


def test_a_password_that_is_empty_is_none() -> None:
    """A variable that the file leaves empty is not a password that could be exported from it."""
    environment = {"MYSQL_ROOT_PASSWORD": Variable(""), "MYSQL_PASSWORD": Variable("", ("DB_PASSWORD",))}
    database = Service("db", "mariadb:lts", ports=(Port(3306, 3306),), environment=environment)
    (part,) = imported(Project("p", (database,), ()), {}).parts
    assert "password: DB_PASSWORD (DB_PASSWORD of the compose file's environment)" in part.comments


def test_a_web_server_at_an_unusual_port_is_only_connected_to() -> None:
    """Its configuration decides what that port speaks, such as gRPC; a usual port of HTTP gets the recipe."""
    proxies = {port: Service(f"p{port}", "nginx:1.29", ports=(Port(port, port),)) for port in (7233, 8080)}
    stack = imported(Project("p", tuple(proxies.values()), ()), FIRST)
    assert [part.recipe for part in stack.parts] == [None, {"recipe": "nginx", "target": "p8080"}]
    assert [check["kind"] for check in stack.suites[HEALTH]] == ["tcp.connect"]
    assert stack.parts[0].target["url"] == "tcp://127.0.0.1:7233"


def test_a_service_that_is_not_started_again_may_have_ended_well() -> None:
    """With `restart: no` a service may have done its work, and fails only if it ended with an error."""
    stack = imported(
        Project("p", (Service("tool", restart="no"), Service("web", restart="no", ports=(Port(1),))), ()), {}
    )
    expected = [check["expect"] for check in stack.suites[CONTAINERS]]
    assert expected == [{"exit_code": 0, "oom_killed": False}, {"running": True, "oom_killed": False}]


@pytest.mark.parametrize(
    ("job", "may_end"),
    [
        (Service("migrator", restart="on-failure"), True),
        (Service("db-init", restart="on-failure:3"), True),
        (Service("createbuckets"), True),
        (Service("buckets", "minio/mc:latest"), True),
        (Service("worker", restart="on-failure"), False),
        (Service("worker"), False),
        (Service("migrator", restart="always"), False),
        (Service("setup", ports=(Port(80, 80),)), False),
        (Service("initiative-api"), False),
    ],
)
def test_a_job_without_dependents_may_have_ended_well(job: Service, may_end: bool) -> None:
    """Its name or image shows it, where the engine does not start it again; a worker has to run."""
    (check,) = imported(Project("p", (job,), ()), {}).suites[CONTAINERS]
    expect = {"exit_code": 0, "oom_killed": False} if may_end else {"running": True, "oom_killed": False}
    assert check["expect"] == expect


def test_a_password_that_the_containers_shell_fills_in_is_named() -> None:
    """`$NAME` in the command, which Compose leaves to the container, is the variable to export."""
    command = "sh -c 'valkey-server --appendonly yes --requirepass $CACHE_PASSWORD'"
    (part,) = imported(Project("p", (Service("cache", "valkey:8", command=command),), ()), {}).parts
    assert (
        "password: CACHE_PASSWORD (CACHE_PASSWORD of the container's environment; export it by this name)"
        in part.comments
    )


def test_a_usual_port_of_http_is_asked_for_a_page() -> None:
    """A server without recipe and health check answers there with less than 500; at other ports it is connected to."""
    web = Service("web", "own/web", ports=(Port(3000, 80), Port(9999, 9999)))
    page, other = imported(Project("p", (web,), ()), {}).suites[HEALTH]
    assert (page["kind"], page["with"], page["expect"]) == ("http.request", {"path": "/"}, {"status": {"max": 499}})
    assert (other["kind"], other["expect"]) == ("tcp.connect", {"held": True})


def test_a_database_at_a_random_port_is_open_too() -> None:
    """A port of the engine's choice on all addresses is a finding, with the form that keeps it on the host."""
    db = Service("db", "postgres:16", ports=(Port(5432),), random_ports=(5432,))
    near = Service("near", "postgres:16", ports=(Port(5432, None, "127.0.0.1"),), random_ports=(5432,))
    inner = Service("inner", "postgres:16", ports=(Port(5432),))
    stack = imported(Project("p", (db, near, inner), ()), FIRST)
    assert [check["id"] for check in stack.suites[EXPOSURE]] == ["db-5432"]
    assert [finding.partition(";")[2].strip() for finding in stack.findings] == [
        '"127.0.0.1::5432" keeps it on this host'
    ]


def test_a_port_that_is_published_twice_is_checked_at_both() -> None:
    """A container's port that is published at two host ports has a health check for each, and one exposure check."""
    front = Service("front", "nginx:1.29", ports=(Port(80, 80), Port(80, 3000), Port(80, 3001)))
    db = Service("db", "postgres:16", ports=(Port(5432, 5432), Port(5432, 15432)))
    stack = imported(Project("p", (front, db), ()), FIRST)
    checks = {check["id"]: check["with"] for check in stack.suites[HEALTH]}
    assert checks == {
        "front-port-80": {"hold": "300ms", "host": "127.0.0.1", "port": 3000},
        "front-port-80-2": {"hold": "300ms", "host": "127.0.0.1", "port": 3001},
        "db-port-5432": {"hold": "300ms", "host": "127.0.0.1", "port": 15432},
    }
    assert [check["id"] for check in stack.suites[EXPOSURE]] == ["db-5432"]
    assert len(stack.findings) == 2
