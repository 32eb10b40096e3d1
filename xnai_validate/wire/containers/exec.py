"""Run a command in a container: the exec calls of the engine, and the framing of the command's output.

Source: Docker Engine API, ContainerExec, ExecStart, ExecInspect; for the framing, "Stream format" of ContainerAttach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from pydantic import Field

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.containers.answers import Part
from xnai_validate.wire.containers.engine import ContainerEngine, EngineError, container_path

HEADER_BYTES = 8
STDERR = 2


class ExecCreated(Part):
    """The answer of ContainerExec."""

    id: str = Field(alias="Id")


class ExecInspection(Part):
    """The answer of ExecInspect: the state of a command in a container."""

    running: bool = Field(False, alias="Running")
    exit_code: int | None = Field(None, alias="ExitCode")
    pid: int | None = Field(None, alias="Pid")
    """The pid as the engine's host numbers it."""
    container_id: str | None = Field(None, alias="ContainerID")


class Frames:
    """The frames in which an engine sends the output of a process without a terminal.

    A frame is a header of 8 bytes - the stream (0 stdin, 1 stdout, 2 stderr), three zeros, the size as a big-endian
    number of 4 bytes - and that number of bytes. `take` gets the number of the stream and its next bytes.
    """

    def __init__(self, take: Callable[[int, bytes], None]) -> None:
        self._take = take
        self._header = bytearray()
        self._left = 0
        """Bytes of the current frame that have not come yet."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes; raises EngineError where they are not frames."""
        at = 0
        while at < len(data):
            if self._left == 0:
                piece = data[at : at + HEADER_BYTES - len(self._header)]
                self._header += piece
                at += len(piece)
                if len(self._header) == HEADER_BYTES:
                    self._begin_frame()
                continue
            piece = data[at : at + self._left]
            self._take(self._header[0], piece)
            self._left -= len(piece)
            at += len(piece)
            if self._left == 0:
                self._header.clear()

    def _begin_frame(self) -> None:
        """Read the length of a frame from its header. Raises EngineError if it is not a header."""
        if self._header[0] > STDERR or any(self._header[1:4]):
            raise EngineError(ErrorKind.PROTOCOL, "the output is not framed as the engine's documentation describes")
        self._left = int.from_bytes(self._header[4:], "big")
        if self._left == 0:
            self._header.clear()


class ExecOutput:
    """The output of a command; of stdout and of stderr the first `cap` bytes are kept."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.truncated = False
        """Whether something was dropped."""
        self.frames = Frames(self._keep_piece)

    def _keep_piece(self, stream: int, piece: bytes) -> None:
        """Keep a piece of output as far as there is room."""
        kept = self.stderr if stream == STDERR else self.stdout
        room = self._cap - len(kept)
        kept += piece[:room]
        self.truncated = self.truncated or len(piece) > room


async def create_exec(
    engine: ContainerEngine,
    container: str,
    argv: Sequence[str],
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> str:
    """Prepare a command in a running container and return its id; raises EngineError, NoSuchContainer, NotRunning."""
    config = {
        "AttachStdin": False,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "Cmd": list(argv),
        "Env": [f"{name}={value}" for name, value in (env or {}).items()],
        **({"WorkingDir": cwd} if cwd is not None else {}),
        **({"User": user} if user is not None else {}),
    }
    return engine.read(
        ExecCreated, await engine.post(container_path(await engine.container_id(container), "exec"), config)
    ).id


async def start_exec(engine: ContainerEngine, id_: str, output: ExecOutput) -> None:
    """Start a prepared command and read its output to the end; bound the time outside. Raises EngineError."""
    await engine.stream(f"/exec/{quote(id_, safe='')}/start", {"Detach": False, "Tty": False}, output.frames.feed)


async def inspect_exec(engine: ContainerEngine, id_: str) -> ExecInspection:
    """The state of a command; raises EngineError."""
    return engine.read(ExecInspection, await engine.get(f"/exec/{quote(id_, safe='')}/json"))
