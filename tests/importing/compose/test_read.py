"""Compose files as one project: files on top, include, extends, profiles, tags, env files, secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from xnai_validate.errors import ConfigError
from xnai_validate.importing.compose import files
from xnai_validate.importing.compose.files import default_files
from xnai_validate.importing.compose.read import read_compose
from xnai_validate.importing.project import HealthCommand, Port, Project, Service, Variable
from xnai_validate.importing.yaml_documents import read_documents
from xnai_validate.model.json import JsonValue

FORMS = Path(__file__).parents[1] / "projects" / "forms"


def write(folder: Path, text: str, name: str = "compose.yaml") -> Path:
    """Write a file of a project."""
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def services(project: Project) -> dict[str, Service]:
    """The services by name."""
    return {service.name: service for service in project.services}


def values(service: Service) -> dict[str, str | None]:
    """The environment of a service."""
    return {name: variable.value for name, variable in service.environment.items()}


@pytest.fixture(scope="module")
def forms() -> Project:
    """The project that has every form."""
    return read_compose(default_files(FORMS), environ={})


def test_what_is_extended_stands_below(forms: Project) -> None:
    """Environment, ports, labels and dependencies are merged, in the same file and from another one."""
    web, far = services(forms)["web"], services(forms)["far"]
    assert values(web) == {"FIRST": "base", "SECOND": "web", "THIRD": "a:b"}
    assert web.ports == (Port(80, 8001), Port(81, 8081, "127.0.0.1"))
    assert (web.health_is_off, dict(web.needs)) == (True, {"store": "started"})
    assert (far.image, values(far)["FROM"], values(far)["OWN"]) == ("alpine", "near", "far")


def test_interpolation_follows_the_env_file_beside(forms: Project) -> None:
    """`.env` of the project fills its files, and is known to have the passwords; `$$` stays a dollar."""
    assert forms.env_files == (str(FORMS / ".env"),)
    assert values(services(forms)["far"])["ANSWER"] == "yesemptydefault$literal"


def test_included_files_have_their_own_variables(forms: Project) -> None:
    """The env_file of an include fills what is included, several files of it are merged."""
    store = services(forms)["store"]
    assert (store.image, store.command, values(store)) == ("redis:7", "redis-server", {"WHERE": "quoted # 7"})


def test_the_policy_of_restarts_stands_in_either_place(tmp_path: Path) -> None:
    """Under `restart`, which YAML may read as false, or under `deploy`; ports of the engine's choice are known too."""
    file = write(
        tmp_path,
        """
        services:
          a: {image: a, restart: no}
          b: {image: b, deploy: {restart_policy: {condition: none}}}
          c: {image: c, deploy: {restart_policy: {condition: on-failure}}, ports: ["80", ":81", "82:82"], expose: [83]}
          d: {image: d, restart: always, deploy: {restart_policy: {condition: none}}}
          e: {image: ":"}
        """,
    )
    found = services(read_compose([file], environ={}))
    assert {name: each.restart for name, each in found.items()} == {
        "a": "no", "b": "no", "c": "on-failure", "d": "always", "e": "",
    }  # fmt: skip
    assert (found["c"].random_ports, found["e"].image) == ((80, 81), "")


def test_an_override_beside_is_laid_on_top(forms: Project) -> None:
    """`!override` replaces a list, `!reset` removes a key."""
    tagged = services(forms)["tagged"]
    assert tagged.ports == (Port(2, 2),)
    assert values(tagged) == {"KEEP": "1", "MORE": "2"}
    assert services(forms)["base"].command == "sleep 2"


def test_replicas_and_networks_of_others(forms: Project) -> None:
    """No replicas: it does not run. A service whose network is used must be there."""
    assert services(forms)["scaled"].replicas == 3
    assert dict(forms.left_out) == {"gone": "has no replicas"}
    assert dict(services(forms)["sidecar"].needs) == {"web": "started"}


def test_profiles_select_services(tmp_path: Path) -> None:
    """Those of the command line and of COMPOSE_PROFILES; what is left out has the reason."""
    file = write(tmp_path, "services: {a: {image: a}, b: {image: b, profiles: [x]}, c: {image: c, profiles: [y, z]}}")
    assert set(services(read_compose([file], environ={}))) == {"a"}
    some = read_compose([file], profiles=["x"], environ={"COMPOSE_PROFILES": "z"})
    assert set(services(some)) == {"a", "b", "c"}
    assert set(services(read_compose([file], profiles=["*"], environ={}))) == {"a", "b", "c"}
    assert read_compose([file], environ={}).left_out["c"] == "runs only with the profile y or z"


def test_env_files_in_every_form(tmp_path: Path) -> None:
    """One name, a list, and mappings; a missing one is a note unless it is not required. A later one wins."""
    write(tmp_path, "A=1\nB=1 # comment\nC='$A'\n", "one.env")
    write(tmp_path, "B=${A}2\n", "two.env")
    file = write(
        tmp_path,
        """
        services:
          one: {image: x, env_file: one.env}
          two: {image: x, env_file: [one.env, {path: two.env}, {path: gone.env, required: false}], environment: [D, E=]}
          three: {image: x, env_file: gone.env}
        """,
    )
    found = services(read_compose([file], environ={"D": "here"}))
    assert values(found["one"]) == {"A": "1", "B": "1", "C": "$A"}
    assert values(found["two"]) == {"A": "1", "B": "2", "C": "$A", "D": "here", "E": ""}
    assert found["two"].environment["D"] == Variable("here", ("D",))
    assert found["three"].notes == ("its env_file gone.env is missing",)


def test_secrets_are_known_by_their_source(tmp_path: Path) -> None:
    """A file or a variable, never the content."""
    file = write(
        tmp_path,
        """
        services: {db: {image: postgres, secrets: [a, {source: b, target: c}, d]}}
        secrets: {a: {file: ./a.txt}, b: {environment: B_TOKEN}, d: {external: true}}
        """,
    )
    secrets = services(read_compose([file], environ={}))["db"].secrets
    assert dict(secrets) == {"a": "file ./a.txt", "b": "environment B_TOKEN", "d": "external"}


@pytest.mark.parametrize(
    ("health", "expected", "is_off"),
    [
        ("{test: curl localhost}", HealthCommand(("curl localhost",), in_shell=True), False),
        ("{test: [CMD, curl, localhost]}", HealthCommand(("curl", "localhost")), False),
        ("{test: [CMD-SHELL, curl localhost]}", HealthCommand(("curl localhost",), in_shell=True), False),
        ("{test: [NONE]}", None, True),
        ("{disable: true}", None, True),
        ('{disable: "${OFF:-true}"}', None, True),
        ("{interval: 5s}", None, False),
    ],
)
def test_health_checks_in_every_form(tmp_path: Path, health: str, expected: HealthCommand | None, is_off: bool) -> None:
    """A command, a shell command, none, and that of the image switched off."""
    file = write(tmp_path, f"services: {{a: {{image: a, healthcheck: {health}}}}}")
    service = services(read_compose([file], environ={}))["a"]
    assert (service.health, service.health_is_off) == (expected, is_off)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "is not a compose file"),
        ("volumes: {}", "has no services"),
        ("services: [", ": not YAML"),
        ("services: {a: {extends: b}, b: {extends: a}}", "extends itself"),
        ("include: [compose.yaml]\nservices: {a: {image: a}}", "is included within itself"),
    ],
)
def test_what_is_no_project_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file; a circle ends."""
    with pytest.raises(ConfigError, match=r"compose\.yaml") as error:
        read_compose([write(tmp_path, text)], environ={})
    assert message in error.value.message


def test_the_first_form_of_compose_files_is_named(tmp_path: Path) -> None:
    """Services at the top, without a key for them: the hint says what to do."""
    with pytest.raises(ConfigError, match="has no services") as error:
        read_compose([write(tmp_path, "db: {image: postgres}\nweb: {build: ., links: [db]}")], environ={})
    assert "below the key services" in (error.value.hint or "")


def test_what_is_missing_is_a_note(tmp_path: Path) -> None:
    """Included and extended files that do not exist leave the rest readable."""
    text = "include: [gone.yaml]\nservices: {a: {image: a, extends: {file: far.yaml, service: b}}, c: {extends: d}}"
    project = read_compose([write(tmp_path, text)], environ={})
    assert set(services(project)) == {"a", "c"}
    assert len([note for note in project.notes if "no such file" in note]) == 2
    assert "c extends d, which" in " ".join(project.notes)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["docker-compose.yml", "compose.yaml"], ["compose.yaml"]),
        (["docker-compose.yml", "docker-compose.override.yml"], ["docker-compose.yml", "docker-compose.override.yml"]),
        (["compose.yml", "compose.override.yaml"], ["compose.yml", "compose.override.yaml"]),
        (["other.yaml"], []),
    ],
)
def test_which_files_are_found(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    """compose.yaml goes first, with its override."""
    for name in names:
        write(tmp_path, "services: {}", name)
    assert [path.name for path in default_files(tmp_path)] == expected


def test_what_many_services_extend_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand services that extend one of another file take no longer than that file does."""
    read: list[Path] = []

    def noted(path: Path) -> list[JsonValue]:
        read.append(path)
        return read_documents(path)

    monkeypatch.setattr(files, "read_documents", noted)
    write(tmp_path, "services: {base: {image: alpine}}\n", "base.yaml")
    extends = "extends: {file: base.yaml, service: base}"
    text = "services:\n" + "".join(f"  s{number}: {{{extends}}}\n" for number in range(1_000))
    project = read_compose([write(tmp_path, text)], environ={})
    assert {service.image for service in project.services} == {"alpine"}
    assert len(read) == 2


def test_services_extend_one_another_up_to_a_bound(tmp_path: Path) -> None:
    """The longest chain comes first, so that none of its services is known yet."""
    text = "services:\n" + "".join(f"  s{number}: {{extends: s{number - 1}}}\n" for number in range(100, 0, -1))
    with pytest.raises(ConfigError, match="more than 32 services extend one another"):
        read_compose([write(tmp_path, text + "  s0: {image: alpine}\n")], environ={})
