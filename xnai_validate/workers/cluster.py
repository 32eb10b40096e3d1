"""The workers of a run, found at a scheduler of Dask's `distributed`, or started on this host."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from distributed import Client, LocalCluster, Security

from xnai_validate import __version__
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.workers import worker_calls
from xnai_validate.workers.orders import is_loopback

CONNECT_S = 15.0
"""How long the scheduler, and its first worker, are waited for."""
HELLO_S = 30.0
"""How long a worker may take for its first answer, in which it imports this tool."""
LOCAL_S = 90.0
LOST_S = 5.0
"""A worker that does not answer a call for so long is lost."""
LOCAL = re.compile(r"local:([1-9][0-9]{0,3})")
_CLIENT: Any = Client  # the constructors of the library have no types
_LOCAL_CLUSTER: Any = LocalCluster
_SECURITY: Any = Security
_QUIET = ("distributed", "distributed.client", "distributed.scheduler", "distributed.nanny", "distributed.core")


class WorkerLost(XnaiError):
    """A worker does not answer, or answers that it cannot go on with its share."""


class WorkerRefused(WorkerLost):
    """A worker answers, and does not do what it is asked for."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that calls are made on."""

    name: str
    address: str
    """`tcp://10.0.0.7:41233`."""
    host: str
    pid: int
    network: str
    """The network namespace that it is in."""
    resources: tuple[str, ...] = ()
    """What it was started with as `--resources`, by name: other names of the place that it measures from."""
    key: bytes = b""
    """Its public key, which orders are sealed with."""

    @property
    def label(self) -> str:
        """How reports name it."""
        return self.name if self.name == self.address else f"{self.name} ({self.address})"


class Cluster:
    """The workers of a run, which stay the same: one that is lost, or replaced, is not used again."""

    def __init__(self, client: Client, workers: tuple[Worker, ...], *, is_private: bool) -> None:
        self.workers = workers
        self.is_private = is_private
        """Whether what is sent to them is encrypted, or stays on this host."""
        self.lost: dict[str, str] = {}
        """Address -> why that worker is not used any more."""
        self._client = client

    async def call(self, worker: Worker, function: Callable[..., Any], *args: Any, within_s: float = LOST_S) -> Any:
        """Call a function of `worker_calls` or `measurement_calls` on a worker.

        Raises WorkerLost; then it may have been called or not.
        """
        return await call(self._client, worker.address, worker.label, function, args, within_s)


async def call(
    client: Client, address: str, label: str, function: Callable[..., Any], args: tuple[Any, ...], within_s: float
) -> Any:
    """Call a function on the worker at an address. Raises WorkerLost."""
    try:
        async with asyncio.timeout(within_s):
            returned: Awaitable[Any] = client.run(function, *args, workers=[address], on_error="return")
            answers = await returned
    except TimeoutError:
        raise WorkerLost(f"worker {label} has not answered for {within_s:g} s") from None
    except Exception as error:  # noqa: BLE001 (what the library raises for a lost connection is not documented)
        raise WorkerLost(f"worker {label} was lost with the scheduler: {_short(error)}") from None
    answer = answers.get(address) if isinstance(answers, dict) else None
    if isinstance(answer, BaseException) or answer is None:
        raise WorkerLost(f"worker {label} was lost: {_short(answer)}")
    if isinstance(answer, dict) and "refused" in answer:
        raise WorkerRefused(f"worker {label} refused: {answer['refused']}")
    return answer


def _short(error: object) -> str:
    """Describe an error in at most 200 characters."""
    return "no answer" if error is None else f"{type(error).__name__}: {error}"[:200]


@asynccontextmanager
async def open_cluster(url: str) -> AsyncIterator[Cluster]:
    """Connect to the workers of a url, or start them: `tcp://host:8786`, `tls://host:8786`, `local:4`.

    Raises ConfigError without any, or if this tool has another version on one of them.
    """
    local = LOCAL.fullmatch(url)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    async with AsyncExitStack() as stack:
        stack.enter_context(_dask_alone_logged())
        address: Any = await stack.enter_async_context(_local(int(local[1]))) if local else url
        security = _SECURITY(require_encryption=True) if url.startswith("tls://") else None
        try:
            if local is None:
                await _knock(url)
            client = await stack.enter_async_context(
                _CLIENT(address, asynchronous=True, security=security, set_as_default=False, timeout=CONNECT_S)
            )
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise ConfigError(
                f"no scheduler answers at {url}: {_short(error)}",
                hint="start one with: dask scheduler; for tls:// name the certificates in Dask's configuration",
            ) from None
        cluster = await _cluster(client, url, 1 if local is None else int(local[1]))
        if local is not None:
            await asyncio.gather(*(cluster.call(worker, worker_calls.ignore_interrupts) for worker in cluster.workers))
        yield cluster


@contextmanager
def _dask_alone_logged() -> Iterator[None]:
    """Let the handlers of the root logger take the records of Dask alone.

    Dask makes such handlers where its configuration asks for them, and libraries log urls and headers, with secrets.
    """
    handlers = tuple(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(_is_of_dask)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_is_of_dask)


def _is_of_dask(record: logging.LogRecord) -> bool:
    """Whether a record is of Dask, or of the server that it is built on."""
    return record.name.partition(".")[0] in ("dask", "distributed", "tornado")


async def _knock(url: str) -> None:
    """Connect once, and close: the client of the library tries for its whole time limit. Raises OSError."""
    parts = urlsplit(url)
    async with asyncio.timeout(CONNECT_S):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.close()


@asynccontextmanager
async def _local(count: int) -> AsyncIterator[LocalCluster]:
    """Start worker processes on this host; they end with the block."""
    cluster: LocalCluster = _LOCAL_CLUSTER(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        memory_limit=0,
        asynchronous=True,
        silence_logs=logging.CRITICAL,
    )
    async with cluster:
        yield cluster


async def _cluster(client: Client, url: str, least: int) -> Cluster:
    """Return the workers that a scheduler knows, at least `least`. Raises ConfigError."""
    try:
        wait_for: Any = client.wait_for_workers
        await wait_for(least, timeout=LOCAL_S if url.startswith("local:") else CONNECT_S)
    except TimeoutError:
        raise ConfigError(f"the scheduler at {url} has no worker", hint=f"start some with: dask worker {url}") from None
    scheduler: Any = client.scheduler
    known: dict[str, Any] = (await scheduler.identity(n_workers=-1))["workers"]
    answers = await asyncio.gather(*(_hello(client, address, about) for address, about in known.items()))
    workers = tuple(sorted(answers, key=lambda worker: (worker.host, worker.name, worker.address)))
    addresses = [str(scheduler.address), *known]
    return Cluster(client, workers, is_private=all(map(_is_private, addresses)))


async def _hello(client: Client, address: str, about: dict[str, Any]) -> Worker:
    """Ask a worker what it is. Raises ConfigError if it does not answer, or has another version of this tool."""
    name = str(about.get("name", address))
    label = name if name == address else f"{name} ({address})"
    try:
        answer = await call(client, address, label, worker_calls.hello, (), HELLO_S)
    except WorkerLost as lost:
        hint = f"each worker needs xnai-validate {__version__}: pip install 'xnai-validate[distributed,load]'"
        raise ConfigError(lost.message, hint=hint) from None
    if answer["version"] != __version__ or "key" not in answer:
        other = "another build" if answer["version"] == __version__ else f"version {answer['version']}"
        raise ConfigError(
            f"worker {label} has {other} of xnai-validate, and this is {__version__}",
            hint="install the same version everywhere",
        )
    resources = tuple(str(resource) for resource in about.get("resources") or ())
    host, network, key = str(answer["host"]), str(answer["network"]), bytes.fromhex(answer["key"])
    return Worker(name, address, host, int(answer["pid"]), network, resources, key)


def _is_private(address: str) -> bool:
    """Whether what is sent to an address is encrypted, or does not leave this host."""
    parts = urlsplit(address)
    return parts.scheme in ("tls", "wss", "inproc") or is_loopback(parts.hostname or "")
