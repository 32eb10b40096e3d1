"""Recipes against the software itself, from Debian: green while it runs, red where it is stopped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.test_recipes import statuses
from tests.ports import free_port
from xnai_validate.model.results.status import Status

PACKAGES = {
    "alertmanager": ("prometheus-alertmanager", "prometheus-alertmanager"),
    "caddy": ("caddy", "caddy"),
    "clickhouse": ("clickhouse-server", "clickhouse-server"),
    "haproxy": ("haproxy", "haproxy"),
    "memcached": ("memcached", "memcached"),
    "mysql": ("mariadb-server-core", "mariadbd"),
    "nginx": ("nginx-light", "nginx"),
    "prometheus": ("prometheus", "prometheus"),
    "rabbitmq": ("rabbitmq-server", "rabbitmq-server"),
}
"""Recipe -> its package and program."""
START_S = 60

pytestmark = pytest.mark.extra
Command = Callable[[Path, int, int], list[str]]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """The software; what a package starts by itself stays as the machine has it."""
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin"
    missing = [package for package, program in PACKAGES.values() if not shutil.which(program)]
    if missing:
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", *missing], check=True, stdout=subprocess.DEVNULL, env=environ
        )


def write(path: Path, text: str) -> str:
    """Write a configuration, and return its path."""
    path.write_text(text, encoding="utf-8")
    return str(path)


def alertmanager(home: Path, port: int, _: int) -> list[str]:
    file = write(home / "a.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n")
    data = f"--storage.path={home}"
    listen = f"--web.listen-address=127.0.0.1:{port}"
    return ["prometheus-alertmanager", f"--config.file={file}", data, listen, "--cluster.listen-address="]


def caddy(home: Path, port: int, _: int) -> list[str]:
    return ["caddy", "respond", "--listen", f"127.0.0.1:{port}", "hello"]


def clickhouse(home: Path, port: int, _: int) -> list[str]:
    user = "<password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>"
    sections = f"<profiles><default/></profiles><quotas><default/></quotas><users><default>{user}</default></users>"
    settings = {
        "logger": "<console>1</console>", "listen_host": "127.0.0.1", "http_port": port, "tcp_port": free_port(),
        "path": f"{home}/", "tmp_path": f"{home}/tmp/", "mark_cache_size": 1_000_000, "default_profile": "default",
        "default_database": "default", "users_config": write(home / "users.xml", f"<yandex>{sections}</yandex>"),
    }  # fmt: skip
    text = "".join(f"<{name}>{value}</{name}>" for name, value in settings.items())
    return ["clickhouse-server", f"--config-file={write(home / 'c.xml', f'<yandex>{text}</yandex>')}"]


def haproxy(home: Path, port: int, _: int) -> list[str]:
    defaults = "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n"
    front = f"frontend all\n bind 127.0.0.1:{port}\n http-request return status 200\n"
    return ["haproxy", "-db", "-f", write(home / "h.cfg", defaults + front)]


def memcached(home: Path, port: int, _: int) -> list[str]:
    return ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port)]


def mysql(home: Path, port: int, _: int) -> list[str]:
    subprocess.run(["mariadb-install-db", f"--datadir={home}/db", "--user=root"], check=True, capture_output=True)
    where = [f"--datadir={home}/db", f"--socket={home}/s", "--bind-address=127.0.0.1", f"--port={port}"]
    return ["mariadbd", "--no-defaults", "--user=root", *where]


def nginx(home: Path, port: int, _: int) -> list[str]:
    server = f"server {{ listen 127.0.0.1:{port}; return 200 hello; }}"
    http = f"http {{ access_log off; server_tokens off; {server} }}"
    file = write(home / "n.conf", f"daemon off; user root; pid {home}/pid; events {{}} {http}\n")
    return ["nginx", "-e", "stderr", "-c", file]


def prometheus(home: Path, port: int, _: int) -> list[str]:
    job = f"{{job_name: self, scrape_interval: 1s, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}"
    file = write(home / "p.yml", f"scrape_configs: [{job}]")
    where = [f"--storage.tsdb.path={home}/data", f"--web.listen-address=127.0.0.1:{port}"]
    return ["prometheus", f"--config.file={file}", *where]


def rabbitmq(home: Path, port: int, second: int, more: str = "") -> list[str]:
    plugins = write(home / "plugins", "[rabbitmq_management].\n")
    listen = f"listeners.tcp.local = 127.0.0.1:{port}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {second}\n"
    config = write(home / "rabbitmq.conf", listen + more)
    home.chmod(0o777)
    environ = {
        "RABBITMQ_CONFIG_FILE": config, "RABBITMQ_ENABLED_PLUGINS_FILE": plugins, "RABBITMQ_MNESIA_BASE": str(home),
        "RABBITMQ_LOG_BASE": str(home), "RABBITMQ_NODENAME": f"t{port}@localhost", "HOME": str(home),
        "RABBITMQ_DIST_PORT": str(free_port()),
    }  # fmt: skip
    return ["env", *(f"{name}={value}" for name, value in environ.items()), "/usr/lib/rabbitmq/bin/rabbitmq-server"]


COMMANDS: dict[str, Command] = {
    "alertmanager": alertmanager,
    "caddy": caddy,
    "clickhouse": clickhouse,
    "haproxy": haproxy,
    "memcached": memcached,
    "mysql": mysql,
    "nginx": nginx,
    "prometheus": prometheus,
    "rabbitmq": rabbitmq,
}
"""Recipe -> the command that runs its software: folder, port, second port."""
NOT_APPLICABLE = {"rabbitmq": {"rabbitmq:consumed": Status.SKIP}}
"""Recipe -> the checks that need a parameter which this test does not give; test_rabbitmq.py does."""


@contextmanager
def running(command: list[str], *ports: int, start_s: float = START_S, cwd: Path | None = None) -> Iterator[None]:
    """A server that listens on its ports, until the end of the block."""
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=null, stderr=null, start_new_session=True, cwd=cwd)
    try:
        end = time.monotonic() + start_s
        for port in ports:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < end, f"{command[0]} does not come up"
                    assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
                    time.sleep(0.2)
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_recipe_fits_the_software_itself(tmp_path: Path, name: str) -> None:
    """All checks pass on a server of Debian, practices too; once it is stopped, the first one fails."""
    port, second = free_port(), free_port()
    folder = tmp_path / "server"
    folder.mkdir()
    scheme = "tcp" if name in ("memcached", "mysql", "rabbitmq") else "http"
    urls = {name: f"{scheme}://127.0.0.1:{port}"}
    settings = {"rabbitmq": {"management": f"http://guest:guest@127.0.0.1:{second}"}}.get(name, {})
    ports = (port, second) if settings else (port,)
    with running(COMMANDS[name](folder, port, second), *ports):
        time.sleep(3)  # a Prometheus has scraped itself by then
        healthy = statuses(tmp_path, urls, {name: dict(settings)})
    stopped = statuses(tmp_path, urls, {name: dict(settings)})
    assert {check: status for check, status in healthy.items() if status is not Status.PASS} == NOT_APPLICABLE.get(
        name, {}
    )
    assert next(iter(stopped.values())) is Status.FAIL
