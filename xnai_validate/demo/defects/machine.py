"""Defects of the machine under the stack, and of what a process takes of it."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

MACHINE: tuple[Defect, ...] = (
    Defect("host-memory-full", "The host's memory is 99 % in use.", checks=("resources/stack:host-memory",)),
    Defect("host-swapping", "The host has used up its swap.", checks=("resources/stack:swap",)),
    Defect("host-oom", "The kernel has killed processes for want of memory.", checks=("resources/stack:no-oom",)),
    Defect("host-disk-full", "The disk of the data has no room left.", checks=("resources/stack:disk",)),
    Defect(
        "api-memory-bloat", "The API takes far more memory than it may have.", checks=("resources/stack:api-memory",)
    ),
    Defect("api-few-descriptors", "The API may open only 256 files.", checks=("resources/stack:api-descriptors",)),
    Defect(
        "api-descriptors-leaked",
        "The API holds hundreds of files open that nobody uses.",
        checks=("resources/stack:api-descriptors",),
    ),
    Defect("api-threads-leaked", "The API runs a hundred and sixty threads.", checks=("resources/stack:api-threads",)),
    Defect("api-zombies", "The API leaves dead children unburied.", checks=("resources/stack:api-threads",)),
    Defect(
        "python-gone",
        "The interpreter of the environment was removed by an upgrade.",
        checks=(
            "environment/environment:isolated",
            "environment/environment:packages",
            "environment/environment:python",
        ),
    ),
    Defect(
        "python-of-system",
        "The stack runs on the machine's own Python instead of an environment of its own.",
        checks=("environment/environment:isolated",),
    ),
    Defect(
        "python-bare", "The environment is there, its packages are not.", checks=("environment/environment:packages",)
    ),
    Defect(
        "redis-exposed",
        "Redis listens on every address of the host.",
        checks=("environment/environment:redis-private",),
    ),
    Defect(
        "llm-exposed",
        "The model server listens on every address of the host.",
        checks=("environment/environment:llm-private",),
    ),
    Defect("clock-ahead", "The API's clock is an hour ahead.", checks=("environment/environment:clock",)),
)
