"""`run --workers`: who sends the loads of a run, and from where its checks are measured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xnai_validate.cli.running.options import RunOptions
from xnai_validate.errors import ConfigError
from xnai_validate.plan import Plan


@asynccontextmanager
async def loads_sent(options: RunOptions, plan: Plan) -> AsyncIterator[None]:
    """Send the loads of this context by workers, if the options name any. Raises ConfigError if they cannot be used."""
    if options.workers is None:
        yield
        return
    try:
        from xnai_validate.workers.runner import workers_for
    except ImportError as error:
        raise ConfigError(
            "--workers needs Dask's distributed", hint="pip install 'xnai-validate[distributed]'"
        ) from error
    async with workers_for(plan, options.workers, allow_plain=options.allow_plain):
        yield
