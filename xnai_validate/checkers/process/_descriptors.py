"""The open files of processes, without the connections that clients keep open to them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_ESTABLISHED, _LISTEN = "01", "0A"
"""States of TCP connections as /proc/net/tcp shows them (include/net/tcp_states.h of the kernel)."""
_SOCKET = "socket:["


class _Row(NamedTuple):
    """A row of /proc/net/tcp."""

    state: str
    port: str
    """The local port, in hexadecimal."""
    inode: str


def open_files(pids: Sequence[int], proc: Path = Path("/proc")) -> int:
    """Count the open files of a process and those below it, without established connections to where they listen.

    Such a connection is there because its client has not closed it: it comes and goes with the client, whatever the
    process does. One that the client has closed, and the process has not, counts. One process may listen and hand
    connections to others, as the cluster of Node does. The tables of /proc/PID/net are those of the network of the
    process, which may be a container's; psutil reads that of this process.

    Raises PermissionError where the files of a process may not be read, FileNotFoundError or ProcessLookupError where
    the first does not exist.
    """
    count = 0
    sockets: Counter[str] = Counter()
    networks: dict[str, int] = {}
    for pid in pids:
        try:
            files = list(_targets_of(proc / str(pid) / "fd"))
            networks.setdefault(os.readlink(proc / str(pid) / "ns" / "net"), pid)
        except (FileNotFoundError, ProcessLookupError):
            if pid == pids[0]:
                raise
            continue  # ended since it was listed
        count += len(files)
        sockets.update(target[len(_SOCKET) : -1] for target in files if target.startswith(_SOCKET))
    tables = (proc / str(pid) / "net" / name for pid in networks.values() for name in ("tcp", "tcp6"))
    rows = [row for table in tables for row in _rows_of(table) if row.inode in sockets]
    ports = {row.port for row in rows if row.state == _LISTEN}
    return count - sum(sockets[row.inode] for row in rows if row.state == _ESTABLISHED and row.port in ports)


def _targets_of(folder: Path) -> Iterator[str]:
    """What the file descriptors of a process refer to."""
    for name in os.listdir(folder):
        try:
            yield os.readlink(folder / name)
        except FileNotFoundError:
            continue  # closed since it was listed


def _rows_of(table: Path) -> Iterator[_Row]:
    """The rows of a table of TCP sockets (proc_pid_net(5)); without any where the kernel has no such table."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        fields = line.split()
        if len(fields) > 9:
            yield _Row(fields[3], fields[1].rpartition(":")[2], fields[9])
