"""What `run` does with its options, however they were read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast


def carry_out(values: Mapping[str, object]) -> int:
    """Carry out a run; `values` are those of `Request.parse` by name. Raises XnaiError where it cannot begin."""
    from xnai_validate.cli.console import say
    from xnai_validate.cli.options import in_environment, meant_instead, unknown_in_environment
    from xnai_validate.cli.request import Request
    from xnai_validate.cli.session import execute
    from xnai_validate.errors import ConfigError

    for variable in unknown_in_environment(os.environ):
        say(meant_instead(variable))
    try:
        request = Request.parse(**cast(Mapping[str, Any], values))
    except ConfigError as error:
        given = in_environment(os.environ)
        raise ConfigError(f"{error.message} ({given})" if given else error.message, hint=error.hint) from None
    return execute(request)
