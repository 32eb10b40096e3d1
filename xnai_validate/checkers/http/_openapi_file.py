"""An OpenAPI document from a file on this host."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from xnai_validate.kit import Unmeasurable


def document_text(path: str, cap: int) -> str:
    """The text of a regular file of at most `cap` bytes, relative to the current directory. Raises Unmeasurable."""
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for a writer.
        handle = os.open(Path(path).expanduser(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Unmeasurable(f"the document {path} is not a regular file")
            data = file.read(cap + 1)
    except OSError as error:
        hint = "its path is relative to the directory that the tool runs in"
        raise Unmeasurable(f"the document {path} cannot be read: {error.strerror}", hint=hint) from None
    if len(data) > cap:
        raise Unmeasurable(f"the document {path} is larger than {cap} bytes", hint="raise body_cap")
    return data.decode("utf-8-sig", "replace")
