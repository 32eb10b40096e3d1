"""`init` beside a compose file: what it writes is valid, green on a healthy stack and red where a part is stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.compose_stand_ins import stand_ins
from tests.e2e.tool import Ended, report, tool
from xnai_validate.model.results.status import Status

PROJECTS = Path(__file__).parents[1] / "importing" / "projects"
MORE = {"supabase": ("-f", "docker-compose.s3.yml")}
"""Project -> arguments of `init`."""
COMPLETED = {"dify": {"init_permissions"}, "supabase": {"minio-createbucket"}}
"""Project -> the services that run once."""
STOPPED = {
    "open-webui": "ollama",
    "langfuse": "langfuse-worker",
    "dify": "worker",
    "ragflow": "mysql",
    "n8n": "n8n-worker",
    "immich": "immich_machine_learning",
    "plausible": "plausible_events_db",
    "authentik": "worker",
    "sentry": "taskworker",
    "supabase": "supabase-auth",
    "forms": "scaled",
}
"""Project -> the container that is stopped."""


def project(home: Path, name: str) -> Path:
    """A copy of a project, in a folder of its name."""
    return Path(shutil.copytree(PROJECTS / name, home / name))


@pytest.mark.parametrize("name", sorted(STOPPED))
def test_a_project_is_imported_and_checked(tmp_path: Path, name: str) -> None:
    """Its files lint; all checks pass on stand-ins; with one container stopped, what is about it fails."""
    home = project(tmp_path, name)
    made = tool(home, "init", *MORE.get(name, ()))
    assert made.code == 0, made.stderr
    linted = tool(home, "lint", "profiles", "checks")
    assert linted.code == 0, linted.stderr
    (profile,) = (path.stem for path in (home / "profiles").glob("*.yaml"))
    with stand_ins(home, COMPLETED.get(name, set())) as (engine, variables):
        healthy = tool(home, "run", profile, "-q", "-o", "out.json", env=variables)
        assert healthy.code == 0, healthy.stdout
        measured = {check.id: check.status for check in report(home / "out.json").checks}
        engine.stopped.add(STOPPED[name])
        stopped = tool(home, "run", profile, "-q", "-o", "out.json", env=variables)
    assert Status.PASS in measured.values()
    assert stopped.code == 1, stopped.stdout
    red = {check.id for check in report(home / "out.json").checks if check.status is Status.FAIL}
    assert {check.partition(":")[0] for check in red} == {f"{profile}/containers"}, stopped.stdout


def written(home: Path) -> dict[str, str]:
    """The files that `init` has written, without its copies."""
    files = [*(home / "profiles").rglob("*.yaml"), *(home / "checks").rglob("*.yaml")]
    return {str(path.relative_to(home)): path.read_text(encoding="utf-8") for path in files}


def test_passwords_are_written_by_name(tmp_path: Path) -> None:
    """No value of a password is in a file: its variable is named, with where it comes from."""
    home = project(tmp_path, "langfuse")
    env = {"REDIS_AUTH": "s3cr3t-of-the-environment"}
    assert tool(home, "init", env=env).code == 0
    text = "".join(written(home).values())
    assert "password_env: REDIS_AUTH" in text
    assert [word for word in ("s3cr3t", "myredissecret", "miniosecret", "postgres:postgres") if word in text] == []


def test_an_open_database_is_a_finding(tmp_path: Path) -> None:
    """A data store that is published on all addresses is reported at once, and warned of by a check."""
    home = project(tmp_path, "ragflow")
    made = tool(home, "init")
    assert "mysql (mysql) is published on all addresses of this host, port 5455" in made.stderr
    with stand_ins(home, set()) as (engine, variables):
        engine.open_ports = True
        ran = tool(home, "run", "ragflow", "-q", "-o", "out.json", env=variables)
    assert ran.code == 0, ran.stdout
    warned = {check.id for check in report(home / "out.json").checks if check.status is Status.WARN}
    assert "ragflow/exposure:mysql-3306" in warned


def test_an_update_keeps_edits_and_shows_what_changes(tmp_path: Path) -> None:
    """A second `init` is refused; --update shows a diff, changes what is not edited, and leaves the edits alone."""
    home = project(tmp_path, "plausible")
    assert tool(home, "init").code == 0
    again = tool(home, "init")
    assert (again.code, "init --update" in again.stderr) == (2, True)
    profile = home / "profiles" / "plausible.yaml"
    edited = profile.read_text(encoding="utf-8").replace("title: The stack plausible", "title: Our statistics")
    profile.write_text(edited, encoding="utf-8")
    override = home / "compose.override.yml"
    override.write_text(override.read_text(encoding="utf-8").replace("80:80", "8880:80"), encoding="utf-8")
    updated = tool(home, "init", "--update")
    assert updated.code == 0, updated.stderr
    assert '+  plausible: {url: "http://127.0.0.1:8880"' in updated.stdout
    now = profile.read_text(encoding="utf-8")
    assert "title: Our statistics" in now
    assert "127.0.0.1:8880" in now
    assert tool(home, "init", "--update").stdout == ""


@pytest.mark.parametrize("arguments", [("compose.yaml",), ("compose.yaml", "--force")])
def test_a_compose_file_is_never_replaced(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Named as the file to write, it is refused, --force or not, with the command that reads it."""
    (tmp_path / "compose.yaml").write_text("services: {a: {image: redis}}\n", encoding="utf-8")
    done = tool(tmp_path, "init", *arguments)
    assert (done.code, "init --from compose.yaml" in done.stderr) == (2, True)
    assert (tmp_path / "compose.yaml").read_text(encoding="utf-8") == "services: {a: {image: redis}}\n"


def test_a_file_of_a_person_is_never_replaced(tmp_path: Path) -> None:
    """A profile of the same name that `init` has not written is an error, with --update too, and nothing is written."""
    home = project(tmp_path, "plausible")
    (home / "profiles").mkdir()
    (home / "profiles" / "plausible.yaml").write_text("title: Mine\nsuites: []\n", encoding="utf-8")
    ended: list[Ended] = [tool(home, "init"), tool(home, "init", "--update")]
    assert [(each.code, "init has not written it" in each.stderr) for each in ended] == [(2, True), (2, True)]
    assert list(written(home)) == ["profiles/plausible.yaml"]


def test_manifests_are_imported_with_the_urls_of_the_cluster(tmp_path: Path) -> None:
    """Probes and recipes are at the names of Services; what is written lints, and a password is known by its Secret."""
    made = tool(tmp_path, "init", "--kubernetes", str(PROJECTS.parent / "manifests" / "shop.yaml"))
    assert made.code == 0, made.stderr
    assert tool(tmp_path, "lint", "profiles", "checks").code == 0
    text = "".join(written(tmp_path).values())
    for line in (
        'web: {url: "http://web.shop.svc:80"}',
        'postgres: {url: "postgres://postgres@db.shop.svc:5432/postgres", password_env: POSTGRES_PASSWORD}',
        "- {recipe: postgres, target: postgres}",
        'with: {path: "/healthz"}',
        "export it from the Secret db-secret, key password",
    ):
        assert line in text


def test_services_that_differ_in_punctuation_have_checks_of_their_own(tmp_path: Path) -> None:
    """What is written lints: `my-db` and `my_db` are two checks in each suite."""
    services = "".join(
        f"  {name}: {{image: postgres, ports: ['{port}:5432']}}\n" for name, port in (("my-db", 1), ("my_db", 2))
    )
    (tmp_path / "compose.yaml").write_text(f"name: twins\nservices:\n{services}", encoding="utf-8")
    assert tool(tmp_path, "init").code == 0
    linted = tool(tmp_path, "lint", "profiles", "checks")
    assert linted.code == 0, linted.stderr
    containers = (tmp_path / "checks" / "twins" / "containers.yaml").read_text(encoding="utf-8")
    assert ("- id: my-db\n" in containers, "- id: my-db-2\n" in containers) == (True, True)
