"""Reads the handover of a running stack."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import cast

from xnai_validate.errors import ConfigError
from xnai_validate.model.json import JsonObject

CAP = 1 << 20


EVERY_S = 0.2


def read_handover(path: Path, wait_s: float = 0) -> JsonObject:
    """The handover in a file, JSON or YAML; raises ConfigError where it is none.

    A file that is not there yet is waited for: a stack writes it once it is up.
    """
    end = time.monotonic() + wait_s
    while not path.exists() and time.monotonic() < end:
        time.sleep(EVERY_S)
    try:
        with path.open("rb") as file:
            data = file.read(CAP + 1)
    except OSError as error:
        raise ConfigError(f"the handover {path} cannot be read: {error.strerror or error}") from None
    if len(data) > CAP:
        raise ConfigError(f"the handover {path} is larger than {CAP >> 20} MiB")
    found = _parsed(path, data)
    if not isinstance(found, dict) or not isinstance(found.get("targets"), dict):
        raise ConfigError(
            f"{path} is not the handover of a stack: it has no targets",
            hint="write one with xnai-validate init FILE, or demo --state FILE",
        )
    return cast(JsonObject, found)


def _parsed(path: Path, data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        import yaml

        try:
            return yaml.safe_load(data)
        except (yaml.YAMLError, ValueError) as error:
            raise ConfigError(f"{path} is neither JSON nor YAML: {' '.join(str(error).split())[:200]}") from None
