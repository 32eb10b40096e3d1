"""`run --workers`: who sends the loads of a run, and from where its checks are measured."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from xnai_validate.cli.running.options import RunOptions
from xnai_validate.errors import ConfigError
from xnai_validate.plan import NOTHING, Plan


@asynccontextmanager
async def loads_sent(options: RunOptions, plan: Plan) -> AsyncIterator[Mapping[str, tuple[str, ...]]]:
    """Send the loads of this context by workers, if the options name any. Raises ConfigError if they cannot be used.

    Yields by which workers the checks are measured that name some: full id -> their addresses.
    """
    if options.workers is None:
        yield NOTHING
        return
    try:
        from xnai_validate.workers.runner import workers_for
    except ImportError as error:
        raise ConfigError(
            "--workers needs Dask's distributed", hint="pip install 'xnai-validate[distributed]'"
        ) from error
    async with workers_for(plan, options.workers, allow_plain=options.allow_plain) as places:
        yield places
