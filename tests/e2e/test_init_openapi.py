"""`init --openapi`: what it writes is valid, green on the service and red where an answer breaks the document."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import pytest
import uvicorn
from fastapi import Depends, FastAPI
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from tests.checkers.beside import beside
from tests.e2e.tool import report, tool
from xnai_validate.model.results.status import Status


class Item(BaseModel):
    """A thing of the shop."""

    id: int
    name: str


BROKEN: set[str] = set()
"""What is wrong with the service, for now."""


def application() -> FastAPI:
    """A shop whose answers break their document on demand."""
    app = FastAPI(title="A shop")
    bearer = HTTPBearer()

    @app.get("/health", response_model=dict[str, str])
    def health() -> Response:
        return PlainTextResponse("fine") if "health" in BROKEN else JSONResponse({"status": "ok"})

    @app.get("/items/{number}", response_model=Item)
    def item(number: Annotated[int, PathParameter(examples=[3])]) -> Response:
        return JSONResponse({"id": str(number) if "item" in BROKEN else number, "name": "x"})

    @app.get("/items")
    def items(limit: int = 5) -> list[Item]:
        return [Item(id=limit, name="x")]

    @app.get("/orders/{order}")
    def order(order: str) -> Item:
        return Item(id=1, name=order)

    @app.post("/items")
    def add(item: Item) -> Item:
        return item

    @app.get("/me", dependencies=[Depends(bearer)])
    def me() -> Item:
        return Item(id=1, name="me")

    return app


@asynccontextmanager
async def _serving() -> AsyncIterator[str]:
    config = uvicorn.Config(application(), port=0, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await server.shutdown()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The shop."""
    with beside(_serving) as address:
        yield address


@pytest.fixture(autouse=True)
def healthy() -> Iterator[None]:
    """What a test breaks is whole again."""
    yield
    BROKEN.clear()


def statuses(home: Path, profile: str, *arguments: str) -> dict[str, Status]:
    """Run a profile; return the status of each check by its own id."""
    out = home / "out.json"
    ran = tool(home, "run", profile, "-q", "-o", str(out), *arguments, env={"API_TOKEN": "t", "WEB_TOKEN": "t"})
    assert ran.code in (0, 1), ran.stdout + ran.stderr
    return {check.id.rpartition(":")[2]: check.status for check in report(out).checks}


def test_the_operations_of_a_service_are_checked(tmp_path: Path, url: str) -> None:
    """Safe operations with known requests, with a token by its name; each other one is named with its reason."""
    made = tool(tmp_path, "init", "--openapi", f"{url}/openapi.json")
    assert made.code == 0, made.stderr
    assert (
        "left out  GET /orders/{order} needs the parameter order, for which the document has no example" in made.stderr
    )
    assert "left out  POST /items may change state" in made.stderr
    linted = tool(tmp_path, "lint", "profiles", "checks")
    assert linted.code == 0, linted.stderr
    all_pass = dict.fromkeys(
        ("answers", "get-health", "get-items-number", "get-items", "get-me", "schemas"), Status.PASS
    )
    assert statuses(tmp_path, "a-shop") == all_pass
    BROKEN.add("item")
    assert statuses(tmp_path, "a-shop") == {**all_pass, "schemas": Status.FAIL}
    BROKEN.add("health")
    assert statuses(tmp_path, "a-shop") == {**all_pass, "schemas": Status.FAIL, "get-health": Status.FAIL}


def test_a_file_is_compared_with_the_service_that_the_command_names(tmp_path: Path, url: str) -> None:
    """The file is what the answers must conform to, whatever the service itself declares."""
    schema = {"type": "object", "required": ["price"]}
    responses = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    parameter = {"name": "number", "in": "path", "required": True, "schema": {"default": 4}}
    paths = {"/items/{number}": {"get": {"parameters": [parameter], "responses": responses}}}
    document = {"openapi": "3.0.3", "info": {"title": "Shop", "version": "1"}, "paths": paths}
    (tmp_path / "shop.json").write_text(json.dumps(document), encoding="utf-8")
    made = tool(tmp_path, "init", "--openapi", "shop.json", "--target", f"api={url}")
    assert made.code == 0, made.stderr
    assert statuses(tmp_path, "shop") == {
        "answers": Status.PASS, "get-items-number": Status.PASS, "schemas": Status.FAIL,
    }  # fmt: skip
    del schema["required"]
    (tmp_path / "shop.json").write_text(json.dumps(document), encoding="utf-8")
    assert set(statuses(tmp_path, "shop").values()) == {Status.PASS}


def test_it_joins_the_service_of_a_compose_file_and_is_updated(tmp_path: Path, url: str) -> None:
    """The checks are about the target of the service that publishes the port; an edit survives `--update`."""
    port = url.rpartition(":")[2]
    (tmp_path / "compose.yaml").write_text(
        f"name: mall\nservices: {{web: {{image: shop/web, ports: ['127.0.0.1:{port}:8000']}}}}\n", encoding="utf-8"
    )
    arguments = ("init", "--from", "compose.yaml", "--openapi", f"{url}/openapi.json")
    made = tool(tmp_path, *arguments)
    assert made.code == 0, made.stderr
    assert tool(tmp_path, "lint", "profiles", "checks").code == 0
    suite = tmp_path / "checks" / "mall" / "api.yaml"
    assert "target: web" in suite.read_text(encoding="utf-8")
    assert statuses(tmp_path, "mall", "--only", "mall/api:get-me") == {"answers": Status.PASS, "get-me": Status.PASS}
    suite.write_text(suite.read_text(encoding="utf-8").replace('"GET /me: Me"', "Who am I"), encoding="utf-8")
    assert tool(tmp_path, *arguments).code == 2
    updated = tool(tmp_path, *arguments, "--update")
    assert (updated.code, updated.stdout) == (0, ""), updated.stderr
    assert "title: Who am I" in suite.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--openapi", "none.json"), "there is no file none.json"),
        (("--openapi", "x.json", "--target", "a=http://h", "--target", "b=http://h"), "one target"),
        (("--openapi", "x.json", "stack.yaml"), "FILE and --target are for an XNAi stack"),
    ],
)
def test_an_error_is_2(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """Nothing is written."""
    done = tool(tmp_path, "init", *arguments)
    assert (done.code, message in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "profiles").exists()
