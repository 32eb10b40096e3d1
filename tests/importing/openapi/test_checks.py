"""What is written of an OpenAPI document: a target of its own or that of a compose service, and the checks."""

from __future__ import annotations

from pathlib import Path

import yaml

from xnai_validate.importing.openapi.checks import ApiTarget, add_api, api_project
from xnai_validate.importing.openapi.document import ApiDocument, read_document
from xnai_validate.importing.project import Port, Project, Service
from xnai_validate.importing.stack_checks import API, ImportedStack, imported
from xnai_validate.importing.writing.text import files_of
from xnai_validate.model.json import JsonObject

ODD = read_document(str(Path(__file__).with_name("odd.yaml")))
WEB = Service("web", "shop/web", ports=(Port(8000, 9443),))


def stack(*services: Service) -> ImportedStack:
    """A stack of compose services."""
    return imported(Project("shop", services, ("compose.yaml",)), {})


def test_a_document_alone_is_a_project_of_its_title() -> None:
    """Texts of the document stay text: no variable of it is filled in, and no comment breaks its line."""
    alone = imported(api_project(ODD), {})
    add_api(alone, ODD)
    files = files_of(alone)
    assert set(files) == {"profiles/odd-forms-home.yaml", "checks/odd-forms-home/api.yaml"}
    profile = yaml.safe_load(files["profiles/odd-forms-home.yaml"])
    assert profile["targets"] == {
        "api": {"url": "http://127.0.0.1:9443/v1", "headers": {"X-Shop-Key": "${API_X_SHOP_KEY}"}}
    }
    checks = yaml.safe_load(files["checks/odd-forms-home/api.yaml"])["checks"]
    assert [check["id"] for check in checks] == [
        "answers", "get-plain", "get-items-id-part", "get-range", "get-moved", "schemas",
    ]  # fmt: skip
    assert checks[2]["title"] == "GET /items/{id}/{part}: An item # with a line break"
    assert checks[2]["expect"]["status"] == {"in": [200, 206]}
    assert checks[5]["with"]["file"].endswith("odd.yaml")
    assert (
        "# left out: GET /certificate needs the credentials mtls, and its target has key"
        in files["profiles/odd-forms-home.yaml"]
    )


def test_the_service_at_the_server_gets_the_checks() -> None:
    """Below a path, the API is a target of its own in the same container: others request the root of the service."""
    below, root = stack(WEB), stack(WEB)
    add_api(below, ODD)
    assert [(part.name, part.target.get("container")) for part in below.parts] == [
        ("web", "shop/web"),
        ("api", "shop/web"),
    ]
    add_api(root, ApiDocument({"paths": {"/": {"get": {}}}, "servers": [{"url": "http://localhost:9443"}]}, "f"))
    assert [part.target for part in root.parts] == [{"url": "http://localhost:9443", "container": "shop/web"}]
    assert {check["target"] for check in root.suites[API]} == {"web"}


def test_a_target_of_the_command_line_goes_first() -> None:
    """Its name and its url."""
    named = stack(WEB)
    add_api(named, ODD, ApiTarget("front", "https://front:8443/"))
    assert named.parts[-1].target["url"] == "https://front:8443"
    assert named.parts[-1].name == "front"


def test_one_check_makes_at_most_fifty_calls() -> None:
    """More operations are split."""
    many: JsonObject = {f"/p{number}": {"get": {}} for number in range(120)}
    large = stack()
    add_api(large, ApiDocument({"paths": many}, "http://127.0.0.1:9/openapi.json"))
    calls = [len(check["with"]["calls"]) for check in large.suites[API][-3:]]  # type: ignore[arg-type, call-overload, index]
    assert calls == [50, 50, 20]
