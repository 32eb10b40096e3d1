"""The model of a stack file: a running stack, its targets and the vars that differ from the defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from xnai_validate.config.files.entry import Entry
from xnai_validate.config.files.profile import TargetReach
from xnai_validate.model.json import JsonObject


class StackTarget(TargetReach):
    """One part of a running stack: where it is reached, and the process or container that runs it."""

    url: str | None = None
    """Its url with its path prefix: http, https, redis, rediss, tcp, wyoming, or unix:///run/x.sock."""


class StackDescription(Entry):
    """A running stack, as `init` and `demo` write it and `run --stack` reads it; a target that it lacks is skipped."""

    layout: Literal["A", "B"] | None = None
    """A: February 2026, compose file at the root. B: March 2026, infra/docker."""
    targets: dict[str, StackTarget] = Field(default_factory=dict)
    """Name (api, gateway, metrics, redis, ui, docs, vikunja, llm, voice, worker, crawler) -> how it is reached."""
    vars: JsonObject = Field(default_factory=dict)
    """What differs from the defaults in profiles/stack.yaml, such as `canaries`, `breakers` or `monitor`."""
