"""Compose files -> `Project`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from xnai_validate.errors import ConfigError
from xnai_validate.importing.compose.files import ComposeFiles
from xnai_validate.importing.compose.merge import untagged
from xnai_validate.importing.compose.services import ServiceReader, env_files_of, is_active, variables_of
from xnai_validate.importing.project import Condition, Project, Service
from xnai_validate.model.json import JsonObject


def read_compose(
    files: Sequence[Path], *, profiles: Sequence[str] = (), env_files: Sequence[Path] = (), environ: Mapping[str, str]
) -> Project:
    """The project of compose files, each merged over the one before. Raises ConfigError for other files.

    Args:
        files: the files; the folder of the first is that of the project.
        profiles: the profiles that are active besides those of COMPOSE_PROFILES; `*` for all.
        env_files: files of variables, in place of `.env`.
        environ: the environment, whose variables go before those of files.
    """
    folder = files[0].parent
    variables = variables_of(folder, tuple(env_files), environ)
    reader = ComposeFiles(variables)
    whole = untagged(reader.project(files))
    document = whole if isinstance(whole, dict) else {}
    services = document.get("services")
    if not isinstance(services, dict) or not services:
        raise ConfigError(f"{files[0]} has no services", hint=_no_services(document))
    secrets = document.get("secrets")
    known = ServiceReader(folder, variables, secrets if isinstance(secrets, dict) else {})
    named = str(variables.get("COMPOSE_PROFILES") or "").split(",")
    active = frozenset({*profiles, *(name.strip() for name in named if name.strip())})
    found: list[Service] = []
    left_out: dict[str, str] = {}
    for name, raw in services.items():
        entry: JsonObject = raw if isinstance(raw, dict) else {}
        service = known.service(name, entry)
        if not is_active(entry, active):
            of = entry.get("profiles")
            left_out[name] = f"runs only with the profile {' or '.join(map(str, of if isinstance(of, list) else []))}"
        elif service.replicas == 0:
            left_out[name] = "has no replicas"
        else:
            found.append(service)
    return Project(
        name=_name(document, variables, folder),
        services=tuple(replace(each, needs=_within(each, found)) for each in found),
        sources=tuple(str(path) for path in reader.read),
        left_out=left_out,
        notes=(*reader.notes, *_describe_missing(reader.missing)),
        env_files=tuple(map(str, env_files_of(folder, tuple(env_files)))),
    )


def _within(service: Service, services: Sequence[Service]) -> dict[str, Condition]:
    """Return which of the running services a service depends on."""
    names = {each.name for each in services}
    return {name: condition for name, condition in service.needs.items() if name in names}


def _name(document: JsonObject, variables: Mapping[str, str | None], folder: Path) -> str:
    """The name of the project, as the labels of its containers have it."""
    name = variables.get("COMPOSE_PROJECT_NAME") or document.get("name") or folder.resolve().name
    normal = re.sub(r"[^a-z0-9_-]", "", str(name).lower()).lstrip("_-")
    return normal or "stack"


def _describe_missing(missing: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable without value; many without words of the file are one sentence."""
    with_words = [f"{name} has no value: {words}" for name, words in missing.items() if words]
    plain = [name for name, words in missing.items() if not words]
    if plain:
        with_words.append(f"without a value, taken as empty: {', '.join(sorted(plain))}")
    return with_words


def _no_services(document: JsonObject) -> str:
    """Return the hint for a file without services; the first version of the format had them at the top level."""
    if any(isinstance(entry, dict) and {"image", "build"} & entry.keys() for entry in document.values()):
        return "it has the first form of compose files, which Docker no longer reads: put all below the key services"
    return "a compose file is a mapping with services"
