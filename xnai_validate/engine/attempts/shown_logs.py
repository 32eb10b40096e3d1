"""The last lines of the log of a target that answers with an error or not at all: evidence beside the exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from xnai_validate.engine.attempts.outcome import WITH_EXCHANGES, Outcome
from xnai_validate.errors import XnaiError
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.exchange import LOGS, Exchange, last_request, recorder
from xnai_validate.model.target import Target
from xnai_validate.wire.containers.engine import container_engine, find_socket
from xnai_validate.wire.containers.log import record_last_lines
from xnai_validate.wire.log_file import record_file_end

READ_S = 3.0
"""Seconds that the container engine may take for a log."""
SILENT = frozenset({ErrorKind.REFUSED, ErrorKind.RESET, ErrorKind.TIMEOUT})
"""Errors of a connection that the log of the target may explain."""


class ShownLogs:
    """Adds logs to the outcomes of a run; each log once, at the first failure that it may explain."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    async def beside(self, outcome: Outcome, own: Target | None, targets: Mapping[str, Target]) -> Outcome:
        """Return the outcome with the last lines of the log of the target that failed, if that has one.

        `own` is the target of the check; `targets` are all targets, by name.
        """
        failed = _find_failed_target(outcome, own, targets)
        log = None if failed is None else failed.container or failed.log
        if failed is None or log is None or log in self._shown:
            return outcome
        self._shown.add(log)
        with recorder() as kept, suppress(XnaiError, TimeoutError):
            if failed.container is None:
                record_file_end(log)
            else:
                async with asyncio.timeout(READ_S), container_engine(find_socket(), READ_S) as engine:
                    await record_last_lines(engine, failed.container, READ_S)
        lines = tuple(exchange for exchange in kept.exchanges() if exchange.protocol in LOGS)
        return replace(outcome, exchanges=(*outcome.exchanges, *lines[-1:]))


def _find_failed_target(outcome: Outcome, own: Target | None, targets: Mapping[str, Target]) -> Target | None:
    """Return the target whose log may explain an outcome; None if none may, or if the outcome has a log already."""
    exchange = last_request(outcome.exchanges)
    if outcome.status not in WITH_EXCHANGES or any(each.protocol in LOGS for each in outcome.exchanges):
        return None
    if exchange is not None and exchange.protocol == "http":
        return _find_requested_target(exchange, own, targets) if _is_failure(exchange) else None
    return own if _is_silent(outcome.facts) else None


def _is_silent(facts: JsonObject) -> bool:
    """Whether a measurement, or requests of a load, got no answer."""
    kinds = facts.get("error_kinds")
    return facts.get("error") in SILENT or (isinstance(kinds, dict) and not SILENT.isdisjoint(kinds))


def _is_failure(exchange: Exchange) -> bool:
    """Whether a request got no whole response, or one of 500 or more."""
    return exchange.failure is not None or (exchange.response or "").startswith("5")


def _find_requested_target(exchange: Exchange, own: Target | None, targets: Mapping[str, Target]) -> Target | None:
    """Return the target that a request went to: that of the check, or the one with the address of the url."""
    address = _read_address(exchange.request.partition(" ")[2])
    candidates = (*((own,) if own is not None else ()), *targets.values())
    return next((target for target in candidates if target.url and _read_address(target.url) == address), None)


def _read_address(url: str) -> str:
    """Return host and port of a url, without the user."""
    return urlsplit(url).netloc.rpartition("@")[2]
