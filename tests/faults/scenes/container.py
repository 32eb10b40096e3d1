"""A container with a real process in it, at an engine on a Unix socket."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.containers import NAME, Kind, Visitor, container_engine
from tests.faults.scenes.scene import Scene, Staged
from xnai_validate.kit import Target


def staged(kind: Kind, *, once: bool = False) -> Staged:
    """A container and a visitor; with `once` one that keeps its connection."""

    @contextmanager
    def open_() -> Iterator[Scene]:
        with tempfile.TemporaryDirectory() as folder, container_engine(Path(folder), kind) as engine:
            target = Target("echo", f"tcp://127.0.0.1:{engine.port}", container=NAME)
            visitor = Visitor(engine.port)
            seen = visitor.ask_again if once else visitor.ask
            assert seen() == "answers"
            try:
                yield Scene(target, {"socket": engine.path}, seen, once=once)
            finally:
                visitor.leave()

    return open_


SCENES: dict[str, Staged] = {
    "container.pause": staged("docker"),
    "container.stop": staged("podman"),
    "container.restart": staged("docker", once=True),
}
