"""Defects of the worker behind the Redis streams."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

WORKER: tuple[Defect, ...] = (
    Defect("worker-idle", "The worker runs and reads nothing: entries pile up undelivered."),
    Defect("worker-never-acks", "The worker never acknowledges: pending entries grow."),
    Defect("worker-acks-blindly", "The worker acknowledges without doing the work: no result appears."),
    Defect("worker-no-group", "The consumer group of the memory updates does not exist."),
    Defect("worker-crash-loop", "The worker dies half a second after each start."),
    Defect("worker-drops-poison", "Entries that cannot be handled vanish instead of going to the dead-letter stream."),
    Defect("worker-stuck-on-poison", "An entry that cannot be handled is tried for ever and blocks those behind it."),
    Defect("worker-repeats", "Every job is done twice."),
    Defect("worker-slow", "A job that takes milliseconds takes seconds."),
    Defect("worker-bad-result", "Jobs are reported as completed without a result."),
)
