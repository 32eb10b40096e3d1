"""Defects of the machine under the stack, and of what a process takes of it."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

MACHINE: tuple[Defect, ...] = (
    Defect("host-memory-full", "The host's memory is 99 % in use."),
    Defect("host-swapping", "The host has used up its swap."),
    Defect("host-oom", "The kernel has killed processes for want of memory."),
    Defect("host-disk-full", "The disk of the data has no room left."),
    Defect("api-memory-bloat", "The API takes far more memory than it may have."),
    Defect("api-few-descriptors", "The API may open only 256 files."),
    Defect("api-descriptors-leaked", "The API holds hundreds of files open that nobody uses."),
    Defect("api-threads-leaked", "The API runs a hundred and sixty threads."),
    Defect("api-zombies", "The API leaves dead children unburied."),
    Defect("python-gone", "The interpreter of the environment was removed by an upgrade."),
    Defect("python-of-system", "The stack runs on the machine's own Python instead of an environment of its own."),
    Defect("python-bare", "The environment is there, its packages are not."),
    Defect("redis-exposed", "Redis listens on every address of the host."),
    Defect("llm-exposed", "The model server listens on every address of the host."),
    Defect("clock-ahead", "The API's clock is an hour ahead."),
)
