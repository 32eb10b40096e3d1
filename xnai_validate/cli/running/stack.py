"""The stack that a run is directed at: a running one with a stack file, or the embedded stack."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from xnai_validate.cli.embedded_stack import embedded_stack
from xnai_validate.cli.running.options import Layout, RunOptions
from xnai_validate.errors import ConfigError
from xnai_validate.model.json import JsonObject
from xnai_validate.opening import open_at_once

MAX_BYTES = 1 << 20
POLL_S = 0.2
"""Interval at which a stack file that does not exist yet is looked for."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack, if the options name one."""

    description: JsonObject | None = None
    """`{"layout": .., "targets": {..}, "vars": {..}}`."""
    file: Path | None = None
    """The stack file. The stack may rewrite it while it runs, with its current pids."""


@contextmanager
def open_stack(options: RunOptions, meanwhile: Callable[[], None]) -> Iterator[Stack]:
    """Read the stack file, or start the embedded stack for the block; a dry run does not start it.

    `meanwhile` is called while the embedded stack starts. Raises ConfigError.
    """
    if options.stack is not None:
        yield Stack(read_stack_file(options.stack, options.wait or 0), options.stack)
    elif options.demo and not options.dry_run:
        layout, defects = options.layout or Layout.A, tuple(options.defect or ())
        with embedded_stack(layout.value, defects, meanwhile=meanwhile, quiet=options.quiet) as stack:
            yield Stack(cast(JsonObject, stack.description), stack.state_file)
    else:
        yield Stack()


def read_stack_file(path: Path, wait_s: float = 0) -> JsonObject:
    """Read a stack file, JSON or YAML. Raises ConfigError if it cannot be read or does not describe a stack.

    If the file does not exist, wait for it up to `wait_s` seconds: a stack writes it when it has started.
    """
    end = time.monotonic() + wait_s
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(POLL_S)
    try:
        with open(path, "rb", opener=open_at_once) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"the stack file {path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"the stack file {path} is larger than {MAX_BYTES >> 20} MiB")
    description = _parse_stack_file(path, data)
    if not isinstance(description, dict) or not isinstance(description.get("targets"), dict):
        raise ConfigError(
            f"{path} is not a stack file: it has no targets",
            hint="write one with xnai-validate init FILE, or demo --state FILE",
        )
    return cast(JsonObject, description)


def urls_now(file: str) -> Mapping[str, str]:
    """Target name -> its url in a stack file as it is now, without a slash at its end; empty if it cannot be read.

    A url with credentials is left out: they were taken from it when the run was planned.
    """
    try:
        targets = cast(JsonObject, read_stack_file(Path(file))["targets"])
    except ConfigError:
        return {}
    urls = {name: str(entry.get("url") or "") for name, entry in targets.items() if isinstance(entry, dict)}
    return {name: url.rstrip("/") for name, url in urls.items() if url and "@" not in url}


def _parse_stack_file(path: Path, data: bytes) -> object:
    """Parse a stack file as JSON, else as YAML. Raises ConfigError if it is neither."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is neither JSON nor YAML: {' '.join(str(error).split())[:200]}") from None
