"""What a run from the image sees of the host, in a namespace of processes as a container has one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.context import observe
from xnai_validate.kit import NotApplicable, Target
from xnai_validate.wire.containers.isolation import IMAGE, sees_host_processes

APART = ("unshare", "--pid", "--fork", "--mount-proc")
PID_OF = """
import asyncio
from xnai_validate.kit import NotApplicable, Target
from xnai_validate.wire.containers.processes import pid_of
try:
    print(asyncio.run(pid_of(Target("api", "http://127.0.0.1:1", pid=4_000_000))))
except NotApplicable as error:
    print(error.message)
"""


@pytest.mark.parametrize(
    ("command", "image", "expected"),
    [
        (APART, "1", "process 4000000 of target api cannot be seen from within this container"),
        (APART, "", "4000000"),
        ((), "", "4000000"),
    ],
)
def test_a_pid_of_the_host_is_skipped_in_the_image_only(command: tuple[str, ...], image: str, expected: str) -> None:
    """Where the stack may be in the same container, as in a CI job, a pid that is gone is that of an ended process."""
    ended = subprocess.run(
        [*command, sys.executable, "-c", PID_OF],
        env={**os.environ, IMAGE: image},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == expected


def test_outside_of_the_image_all_is_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable of the image nothing is looked up."""
    monkeypatch.delenv(IMAGE, raising=False)
    assert sees_host_processes()


@pytest.mark.parametrize(
    ("kind", "target", "with_", "reason"),
    [
        ("host.python", None, {"interpreter": "/opt/stack/bin/python"}, "the Python of the host at /opt/stack/bin"),
        ("host.resources", None, {"path": "/srv/of/the/host"}, "/srv/of/the/host of the host cannot be seen"),
        ("host.ports", Target("api", "http://127.0.0.1:1"), {}, "port 1 is not one of this container's network"),
    ],
)
def test_what_an_image_cannot_see_is_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, kind: str, target: Target | None, with_: dict[str, str], reason: str
) -> None:
    """A Python, a folder and a port of the host are not failures of the stack where they are not the container's."""
    monkeypatch.setenv(IMAGE, "1")
    with pytest.raises(NotApplicable, match=reason):
        observe(kind, target, **with_)
