"""Defects of the worker behind the Redis streams."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

WORKER: tuple[Defect, ...] = (
    Defect(
        "worker-idle",
        "The worker runs and reads nothing: entries pile up undelivered.",
        checks=("dependencies/chain:worker-groups",),
    ),
    Defect(
        "worker-never-acks",
        "The worker never acknowledges: pending entries grow.",
        checks=("dependencies/chain:nothing-pending",),
    ),
    Defect(
        "worker-acks-blindly",
        "The worker acknowledges without doing the work: no result appears.",
        checks=("dependencies/chain:worker-works",),
    ),
    Defect(
        "worker-no-group",
        "The consumer group of the memory updates does not exist.",
        checks=("dependencies/chain:memory-group",),
    ),
    Defect(
        "worker-crash-loop",
        "The worker dies half a second after each start.",
        checks=("dependencies/chain:worker-alive",),
    ),
    Defect(
        "worker-drops-poison",
        "Entries that cannot be handled vanish instead of going to the dead-letter stream.",
        checks=("recovery/poison:set-aside",),
    ),
    Defect(
        "worker-stuck-on-poison",
        "An entry that cannot be handled is tried for ever and blocks those behind it.",
        checks=("recovery/poison:nothing-behind-waits",),
    ),
    Defect("worker-repeats", "Every job is done twice.", checks=("dependencies/chain:worker-works",)),
    Defect("worker-slow", "A job that takes milliseconds takes seconds.", checks=("dependencies/chain:worker-works",)),
    Defect(
        "worker-bad-result",
        "Jobs are reported as completed without a result.",
        checks=("dependencies/chain:worker-result",),
    ),
)
