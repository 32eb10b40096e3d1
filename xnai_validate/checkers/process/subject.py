"""Which process is behind a target."""

from __future__ import annotations

from pathlib import Path

from xnai_validate.kit import Context, NotApplicable, Unmeasurable

ENGINE_TIMEOUT_S = 5.0
PRELOAD = ("httpx",)
"""What a container engine is asked with: it takes 100 ms to import."""


async def pid_of(ctx: Context, socket: str | None) -> int | None:
    """The pid of the target, else that of its container's main process; None where the container does not run.

    Raises NotApplicable where neither is known, or where the container's process cannot be seen from here, as from
    another machine; Unmeasurable where the container engine gives no usable answer.
    """
    target = ctx.target
    if target.pid is not None:
        return target.pid
    if target.container is None:
        raise NotApplicable(f"neither a pid nor a container is known for target {target.name}")
    from xnai_validate.wire.containers import EngineError, NoSuchContainer, container_engine, find_socket

    async with container_engine(find_socket(socket), ENGINE_TIMEOUT_S) as engine:
        try:
            seen = await engine.inspect(target.container)
        except NoSuchContainer:
            return None
        except EngineError as error:
            raise Unmeasurable(f"the container engine does not tell the pid of {target.container}: {error}") from None
    if not seen.state.pid:
        return None
    if not _is_of_container(seen.state.pid, seen.id):
        raise NotApplicable(
            f"the processes of container {target.container} cannot be seen from here",
            hint="run on the container's host, outside of any container",
        )
    return seen.state.pid


def _is_of_container(pid: int, container_id: str) -> bool:
    """Whether the pid that an engine told means the same process here: its control group then names the container."""
    try:
        return container_id in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
