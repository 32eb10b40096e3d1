"""The options of loading profiles, from the command line or a program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xnai_validate.model.json import JsonObject
from xnai_validate.model.target import Choice


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Where to look, what to override, what to select."""

    paths: tuple[Path, ...] = ()
    """Directories to search before all others."""
    targets: Mapping[str, str] = field(default_factory=dict)
    """Target name -> url; replaces the url of a profile or a stack file."""
    vars: Mapping[str, str] = field(default_factory=dict)
    """`dotted.key` -> value, read as a YAML scalar; outranks every other source of vars."""
    stack: JsonObject | None = None
    """The description of a running stack: `{"layout": .., "targets": {..}, "vars": {..}}`."""
    stack_file: Path | None = None
    """The file with this description, if the stack keeps it up to date."""
    only: tuple[str, ...] = ()
    """Globs on full ids (`api/*`, `*:ready`); empty selects all."""
    tags: frozenset[str] = frozenset()
    """Select checks that have one of these tags; empty selects all."""
    skip_tags: frozenset[str] = frozenset()
    rerun: frozenset[str] | None = None
    """Select these full ids and nothing else; None selects all."""
    allow: frozenset[str] = frozenset()
    """Consents besides those of the profile: `disruptive`."""
    profile_consent: bool = True
    """Whether the consents of profiles count; those are for a single run."""
    strict: bool = False
    """Whether checks of practices fail where they would warn."""
    allow_remote: bool = False
    """Whether a target may be disturbed whose url is neither loopback nor private."""
    wait_s: float | None = None
    """Seconds for which every check that others need is repeated until it holds."""
    workers: bool = False
    """Whether the run has workers, which checks can be measured from."""
    concurrency: int | None = None
    deadline_s: float | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    without_environment: bool = False
    """Whether variables that are not set are not errors, because nothing will be run."""
    cwd: Path = field(default_factory=Path.cwd)
    nonce: str = field(default_factory=lambda: os.urandom(4).hex())
    """The vars `run.id` and `run.nonce`: another in each run, for names that differ from those of earlier runs."""
    waivers: Path | None = None
    """The file of waivers; None: the `waivers.yaml` beside each profile."""
    long_waivers: bool = False
    """Whether a waiver may end more than a year from now."""
    choices: Mapping[str, Choice] = field(default_factory=dict)
    """Target name -> the candidate that answered its probe; the vars of that candidate hold."""
