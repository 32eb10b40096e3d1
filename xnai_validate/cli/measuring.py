"""What `run` does with its options, however they were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def carry_out(values: Mapping[str, object]) -> int:
    """Carry out a run; `values` are those of `Request.parse` by name. Raises XnaiError where it cannot begin."""
    from xnai_validate.cli.request import Request
    from xnai_validate.cli.session import execute

    return execute(Request.parse(**cast(Mapping[str, Any], values)))
