"""The evidence of a load: its request, how often it was sent, and how it was answered."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.kit import cut
from xnai_validate.wire.http.recording import HttpRecording
from xnai_validate.wire.redis.recording import RedisRecording
from xnai_validate.wire.repeated import Repeated, record_repeated

DETAIL_CAP = 300
"""Characters of the first error that are kept."""


def record_load(
    drive: Drive,
    single: HttpRecording | RedisRecording,
    statuses: Mapping[str, int] | Mapping[str | int, int] | None = None,
) -> None:
    """Keep the request of a load that has ended, for the report of a check that fails.

    `single` shows what was sent; `statuses` are the statuses of all answers, by default those of the whole ones.
    """
    tally = drive.tally
    answers = tally.statuses if statuses is None else statuses
    elapsed_ms = max(tally.last_at - tally.begun, 0.0) * 1000
    counts = {str(status): count for status, count in answers.items()}
    record_repeated(Repeated(single, tally.sent, counts, _describe_failures(drive), elapsed_ms))


def _describe_failures(drive: Drive) -> str | None:
    """Describe the requests without a whole answer; None without any."""
    tally = drive.tally
    if not tally.errors:
        return None
    kinds = ", ".join(f"{kind} {count}" for kind, count in tally.kinds.most_common())
    first = f"; the first: {cut(tally.error_detail, DETAIL_CAP)}" if tally.error_detail else ""
    return f"{tally.errors} without a whole answer ({kinds}){first}"
