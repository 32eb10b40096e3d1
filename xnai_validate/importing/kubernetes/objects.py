"""The objects of manifests: several documents a file, and several files a folder.

Source: Kubernetes, Objects in Kubernetes (apiVersion, kind, metadata, spec); kind List holds items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xnai_validate.errors import ConfigError
from xnai_validate.importing.yaml_documents import read_documents
from xnai_validate.model.json import JsonObject, JsonValue

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
FILES_CAP = 500


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of a manifest."""

    kind: str
    name: str
    namespace: str
    spec: JsonObject


def read_objects(path: Path) -> tuple[list[Manifest], list[str]]:
    """The objects in a file, or in all YAML files of a folder and its folders, and the files. Raises ConfigError."""
    files = [path]
    if path.is_dir():
        files = sorted(file for pattern in ("*.yaml", "*.yml") for file in path.rglob(pattern))[:FILES_CAP]
        if not files:
            raise ConfigError(f"{path} has no YAML files")
    objects = [each for file in files for document in read_documents(file) for each in _flatten_objects(document)]
    if not any(each.kind in WORKLOADS for each in objects):
        raise ConfigError(f"{path} has no {', '.join(WORKLOADS)}", hint="name a file or a folder of manifests")
    return objects, [str(file) for file in files]


def _flatten_objects(document: JsonValue) -> Iterator[Manifest]:
    """Yield the objects of a document, also those of lists."""
    if not isinstance(document, dict):
        return
    if str(document.get("kind")).endswith("List") and isinstance(document.get("items"), list):
        for item in items(document.get("items")):
            yield from _flatten_objects(item)
        return
    metadata = mapping(document.get("metadata"))
    if document.get("kind") and metadata.get("name"):
        namespace = str(metadata.get("namespace") or "default")
        yield Manifest(str(document["kind"]), str(metadata["name"]), namespace, mapping(document.get("spec")))


def mapping(value: JsonValue) -> JsonObject:
    """A mapping, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: JsonValue) -> list[JsonObject]:
    """The mappings of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def at(value: JsonValue, *keys: str) -> JsonObject:
    """The mapping at a path of keys; empty if it does not exist."""
    for key in keys:
        value = mapping(value).get(key)
    return mapping(value)
