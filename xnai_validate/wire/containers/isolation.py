"""What a run from this project's image sees of the host: neither files nor, without `--pid host`, processes."""

from __future__ import annotations

import os
from pathlib import Path

IMAGE = "XNAI_VALIDATE_IMAGE"
"""The environment variable that the image sets to 1."""


def in_image() -> bool:
    """Whether this program runs from its image, in which no part of a stack lives."""
    return os.environ.get(IMAGE) == "1"


def sees_host_processes() -> bool:
    """Whether pids of the host are those of this program too: not in an image with processes of its own.

    The second process of a Linux host is kthreadd; a container has another, or none, under that pid.
    """
    if not in_image():
        return True
    try:
        return Path("/proc/2/comm").read_text(encoding="utf-8").strip() == "kthreadd"
    except OSError:
        return False
