"""Manifests as one project: workloads with the Services that lead to them, probes, dependencies and Ingresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from xnai_validate.errors import ConfigError
from xnai_validate.importing.kubernetes.read import read_kubernetes
from xnai_validate.importing.project import HealthCommand, Port, Probe, Project, Service

SHOP = Path(__file__).parents[1] / "manifests" / "shop.yaml"


@pytest.fixture(scope="module")
def shop() -> Project:
    """The project of the manifests."""
    return read_kubernetes(SHOP)


def part(project: Project, name: str) -> Service:
    """A service by its name."""
    return next(service for service in project.services if service.name == name)


def test_a_workload_is_reached_by_its_service(shop: Project) -> None:
    """The Service selects by labels; a port that is named is found among those of the container."""
    web = part(shop, "web")
    assert web.ports == (Port(8000, 80, "web.shop.svc"),)
    assert web.ports[0].is_public is False
    assert (web.replicas, web.probe) == (2, Probe(8000, "/healthz"))
    assert web.notes == ("its container logger beside the first",)


def test_dependencies_are_seen_in_the_environment(shop: Project) -> None:
    """The host of a url that is the name of a Service leads to its workload, whatever that is called."""
    assert dict(part(shop, "web").needs) == {"postgres": "started"}


def test_lists_secrets_and_commands(shop: Project) -> None:
    """Items of a List are objects; a password is known by its Secret; a probe may be a command."""
    postgres = part(shop, "postgres")
    assert postgres.environment["POSTGRES_PASSWORD"].source == "the Secret db-secret, key password"
    assert postgres.health == HealthCommand(("pg_isready", "-U", "shop"))


def test_an_ingress_is_a_service_of_its_host(shop: Project) -> None:
    """With a certificate it is asked by https, and needs the workload behind it."""
    front = part(shop, "front-shop.example.com")
    assert (front.ports, front.probe) == ((Port(443, 443, "shop.example.com"),), Probe(443, "/", "https"))
    assert dict(front.needs) == {"web": "started"}


def test_what_cannot_be_read_is_a_note(shop: Project) -> None:
    """A probe of another kind, and a workload without replicas."""
    assert part(shop, "agent").notes == ("its livenessProbe, which is neither httpGet, tcpSocket nor exec",)
    assert dict(shop.left_out) == {"paused": "has no replicas"}


def test_a_folder_is_read_with_its_folders(tmp_path: Path) -> None:
    """Every YAML file in it, and a folder without workloads is an error."""
    (tmp_path / "base").mkdir()
    with pytest.raises(ConfigError, match="has no YAML files"):
        read_kubernetes(tmp_path)
    (tmp_path / "base" / "shop.yml").write_bytes(SHOP.read_bytes())
    assert len(read_kubernetes(tmp_path).services) == 4
    (tmp_path / "base" / "shop.yml").write_text("kind: Service\nmetadata: {name: a}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="has no Deployment"):
        read_kubernetes(tmp_path)


def test_workloads_of_one_name_have_names_of_their_own(tmp_path: Path) -> None:
    """By the namespace, the kind or both, whichever differs; a name that is alone stays."""
    manifests = "".join(
        f"---\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{}}\n"
        for kind, name, namespace in [
            ("Deployment", "web", "shop"),
            ("Deployment", "web", "test"),
            ("Deployment", "db", "shop"),
            ("StatefulSet", "db", "shop"),
            ("DaemonSet", "log", "shop"),
        ]
    )
    (tmp_path / "all.yaml").write_text(manifests, encoding="utf-8")
    assert [service.name for service in read_kubernetes(tmp_path).services] == [
        "web-shop", "web-test", "db-deployment", "db-statefulset", "log",
    ]  # fmt: skip


def test_a_flood_of_documents_is_refused(tmp_path: Path) -> None:
    """The number of values of a file is bounded, also where they are in many documents; the error has its line."""
    path = tmp_path / "many.yaml"
    path.write_text("---\na: 1\n" * 65_000)
    with pytest.raises(ConfigError, match=r"many\.yaml:\d+: a file has more than 250000 keys and values"):
        read_kubernetes(path)
