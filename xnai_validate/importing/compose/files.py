"""Compose files as one document, merged with their overrides and with what they include and extend.

Source: Compose Specification, 13 (Merge), 14 (Include), services: extends; Docker Compose, COMPOSE_FILE and .env.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xnai_validate.errors import ConfigError
from xnai_validate.importing.compose.interpolation import Interpolation
from xnai_validate.importing.compose.merge import merged
from xnai_validate.importing.env_files import read_env_file
from xnai_validate.importing.yaml_documents import read_documents
from xnai_validate.model.json import JsonObject, JsonValue

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""The names of compose files, the first that exists counts."""
FILES_CAP = 200
"""Files of one project."""
EXTENDS_CAP = 32
"""Services that extend one another, one after the other."""


def default_files(folder: Path) -> list[Path]:
    """The compose file of a folder with its override, as `docker compose` finds them; empty without one."""
    for name in NAMES:
        if (folder / name).is_file():
            stem, _, ending = name.rpartition(".")
            overrides = (folder / f"{stem}.override.{each}" for each in dict.fromkeys((ending, "yaml", "yml")))
            return [folder / name, *[path for path in overrides if path.is_file()][:1]]
    return []


@dataclass(slots=True)
class ComposeFiles:
    """Reads files; notes what they lack."""

    environment: Mapping[str, str | None]
    """The variables that files may refer to."""
    missing: dict[str, str] = field(default_factory=dict)
    """Variable without a value -> what a file has to add about it."""
    notes: dict[str, None] = field(default_factory=dict)
    read: dict[Path, None] = field(default_factory=dict)
    _open: list[tuple[Path, str]] = field(default_factory=list)
    _environments: list[Mapping[str, str | None]] = field(default_factory=list)
    """Every environment that files were read with: kept, so that their identities stay distinct."""
    _documents: dict[tuple[Path, int], JsonObject] = field(default_factory=dict)
    """The files that services extend, by the identity of the environment that they were read with."""
    _extended: dict[tuple[Path, str, int], JsonObject] = field(default_factory=dict)
    """Services with all that they extend, likewise."""

    def project(self, files: Iterable[Path], environment: Mapping[str, str | None] | None = None) -> JsonObject:
        """Return the files as one document, each merged over the one before."""
        environment = self.environment if environment is None else environment
        self._environments.append(environment)
        whole: JsonObject = {}
        for path in files:
            whole = _mapping_or_empty(merged(whole, self._resolve_file(path, environment)))
        return whole

    def _read_document(self, path: Path, environment: Mapping[str, str | None]) -> JsonObject:
        """Read a file, each of its documents merged over the one before. Raises ConfigError."""
        if len(self.read) >= FILES_CAP:
            raise ConfigError(f"{path}: more than {FILES_CAP} files are included")
        self.read[path] = None
        interpolation = Interpolation(environment, self.missing)
        whole: JsonObject = {}
        for document in read_documents(path):
            if document is not None and not isinstance(document, dict):
                raise ConfigError(f"{path} is not a compose file", hint="a compose file is a mapping with services")
            whole = _mapping_or_empty(merged(whole, interpolation.value(document or {})))
        return whole

    def _resolve_file(self, path: Path, environment: Mapping[str, str | None]) -> JsonObject:
        """Read a file with all that it extends and includes."""
        raw = self._read_document(path, environment)
        services = _mapping_or_empty(raw.get("services"))
        extended: JsonObject = {
            name: self._extend_service(name, service, services, path, environment) for name, service in services.items()
        }
        included: JsonObject = {}
        for entry in _as_list(raw.get("include")):
            included = _mapping_or_empty(merged(included, self._read_include(entry, path, environment)))
        own: JsonObject = {key: value for key, value in raw.items() if key != "include"}
        return _mapping_or_empty(merged(included, {**own, "services": extended} if extended else own))

    def _read_include(self, entry: JsonValue, path: Path, environment: Mapping[str, str | None]) -> JsonObject:
        """Return the document of an entry under `include`: a path, or path, project_directory, env_file."""
        mapping = entry if isinstance(entry, dict) else {"path": entry}
        paths = [path.parent / str(each) for each in _as_list(mapping.get("path"))]
        if not paths:
            return {}
        mark = (paths[0], "")
        if mark in self._open:
            raise ConfigError(f"{path}: {paths[0]} is included within itself")
        folder = path.parent / str(mapping.get("project_directory") or paths[0].parent)
        env_files = _as_list(mapping.get("env_file")) or ([".env"] if (folder / ".env").is_file() else [])
        known: dict[str, str | None] = {}
        for name in env_files:
            base = path.parent if mapping.get("env_file") else folder
            known |= read_env_file(base / str(name), {**known, **environment})
        self._open.append(mark)
        try:
            return self.project([each for each in paths if self._is_file(each)], {**known, **environment})
        finally:
            self._open.pop()

    def _is_file(self, path: Path) -> bool:
        """Whether a file exists; a missing one is noted."""
        if not path.is_file():
            self.notes[f"{path} is included, but there is no such file"] = None
        return path.is_file()

    def _extend_service(
        self,
        name: str,
        service: JsonValue,
        services: JsonObject,
        path: Path,
        environment: Mapping[str, str | None],
    ) -> JsonObject:
        """Return a service merged over the one that it extends."""
        own = _mapping_or_empty(service)
        extends = own.get("extends")
        if extends is None:
            return own
        named = extends if isinstance(extends, dict) else {"service": extends}
        file, base_name = path, str(named.get("service") or name)
        if named.get("file"):
            file = path.parent / str(named["file"])
        own = {key: value for key, value in own.items() if key != "extends"}
        if (file, base_name) in self._open or (file, base_name) == (path, name):
            raise ConfigError(f"{path}: the service {base_name} extends itself")
        if len(self._open) >= EXTENDS_CAP:
            raise ConfigError(f"{path}: more than {EXTENDS_CAP} services extend one another, up to {base_name}")
        if file != path:
            if not self._is_file(file):
                return own
            services = self._services_of(file, environment)
        if base_name not in services:
            self.notes[f"{name} extends {base_name}, which {file} does not have"] = None
            return own
        key = (file, base_name, id(environment))
        if key not in self._extended:
            self._open.append((file, base_name))
            self._extended[key] = self._extend_service(base_name, services[base_name], services, file, environment)
            self._open.pop()
        return _mapping_or_empty(merged(self._extended[key], own))

    def _services_of(self, file: Path, environment: Mapping[str, str | None]) -> JsonObject:
        """Return the services of a file that another extends; it is read once."""
        key = (file, id(environment))
        if key not in self._documents:
            self._documents[key] = _mapping_or_empty(self._read_document(file, environment).get("services"))
        return self._documents[key]


def _mapping_or_empty(value: JsonValue) -> JsonObject:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def _as_list(value: JsonValue) -> list[JsonValue]:
    """Return a list as it is and any other value as a list of one; null is an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
