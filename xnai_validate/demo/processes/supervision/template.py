"""The template of stacks: imports what every stack needs, then forks a supervisor for each request on its stdin.

A request is a packet with a token and the arguments as JSON, and the descriptors of stdin, stdout and stderr; the
answer is a packet with the token and the process id, and a handle of the process.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
from typing import NoReturn

from xnai_validate.demo import defects  # noqa: F401  # imports every part of the stack
from xnai_validate.demo.__main__ import main
from xnai_validate.demo.processes.supervision import (
    child,
    supervisor,  # noqa: F401  # what `main` imports only when a stack is started
)

_REQUEST_BYTES = 65536


def serve(requests: socket.socket) -> None:
    """Fork a supervisor for each request, until the other side is closed. It runs no thread, so that it may fork."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _REQUEST_BYTES, 3)
        if not request:
            return
        token, arguments = json.loads(request)
        pid = os.fork()
        if pid == 0:
            requests.close()
            _become_supervisor(arguments, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        handle = os.pidfd_open(pid)  # before it is reaped: until then no other process can get its pid
        socket.send_fds(requests, [f"{token} {pid}".encode()], [handle])
        os.close(handle)
        _reap()


def _reap() -> None:
    """Collect the supervisors that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _become_supervisor(arguments: list[str], descriptors: list[int]) -> NoReturn:
    """Run a stack in this process, with these descriptors for its standard streams, and end with it."""
    os.setpgid(0, 0)  # a stack is a process group, also where it is a program of its own
    for standard, descriptor in enumerate(descriptors):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    child.end_after(lambda: main(arguments))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child.preload()
    gc.freeze()
    with socket.socket(fileno=0) as inherited:
        serve(inherited)
