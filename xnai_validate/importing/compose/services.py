"""Services of a compose document, with environment, ports, health check, dependencies and secrets.

Source: Compose Specification, services.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xnai_validate.errors import ConfigError
from xnai_validate.importing.compose.interpolation import names_in
from xnai_validate.importing.compose.merge import as_mapping
from xnai_validate.importing.compose.ports import ports_of
from xnai_validate.importing.env_files import read_env_file
from xnai_validate.importing.project import Condition, HealthCommand, Service, Variable
from xnai_validate.model.json import JsonObject, JsonValue

_CONDITIONS: dict[str, Condition] = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}


@dataclass(slots=True)
class ServiceReader:
    """Reads the services of one project."""

    folder: Path
    """The folder of the project, to which `env_file` is relative."""
    environment: Mapping[str, str | None]
    secrets: JsonObject
    _notes: list[str] = field(default_factory=list)

    def service(self, name: str, raw: JsonObject) -> Service:
        """One service; what cannot be read of it stands in its notes."""
        self._notes = []
        ports, port_notes = ports_of(raw.get("ports"), raw.get("expose"))
        health, is_off = _health(raw.get("healthcheck"))
        image = raw.get("image")
        deploy = raw.get("deploy")
        return Service(
            name=name,
            image=None if image is None else str(image).strip(":"),
            container=str(raw["container_name"]) if raw.get("container_name") else None,
            ports=ports,
            random_ports=tuple(
                port.container for port in ports_of(raw.get("ports"), None)[0] if port.published is None
            ),
            network=str(raw.get("network_mode") or ""),
            environment=self._read_environment(raw),
            command=_join_command(raw.get("command")),
            command_names=_variables_in(raw.get("command")),
            restart=_restart_policy(raw.get("restart"), deploy),
            health=health,
            health_is_off=is_off,
            needs={**dict.fromkeys(_implied_needs(raw), "started"), **dict(_list_dependencies(raw.get("depends_on")))},
            secrets=dict(self._find_secrets(raw.get("secrets"))),
            replicas=_first_count(raw.get("scale"), deploy.get("replicas") if isinstance(deploy, dict) else None),
            notes=(*self._notes, *port_notes),
        )

    def _read_environment(self, raw: JsonObject) -> dict[str, Variable]:
        """Read the environment of a service, from its env files and its own entries."""
        variables: dict[str, Variable] = {}
        for path, required in _list_env_files(raw.get("env_file")):
            if not (self.folder / path).is_file():
                if required:
                    self._notes.append(f"its env_file {path} is missing")
                continue
            try:
                values = read_env_file(self.folder / path, self.environment)
            except ConfigError as error:
                self._notes.append(f"its env_file {path}: {error.message}")
                continue
            variables |= {key: Variable(value, ()) for key, value in values.items()}
        for key, value in as_mapping(raw.get("environment")).items():
            names = names_in(value)
            if value is None:
                variables[key] = Variable(self.environment.get(key), (key,))
            else:
                variables[key] = Variable(str(value).lower() if isinstance(value, bool) else str(value), names)
        return variables

    def _find_secrets(self, raw: JsonValue) -> Iterator[tuple[str, str]]:
        """Yield the secrets of a service and where their values come from."""
        for item in raw if isinstance(raw, list) else ():
            name = str(item.get("source")) if isinstance(item, dict) else str(item)
            declared = self.secrets.get(name)
            declared = declared if isinstance(declared, dict) else {}
            if declared.get("environment"):
                yield name, f"environment {declared['environment']}"
            elif declared.get("file"):
                yield name, f"file {declared['file']}"
            else:
                yield name, "external"


def is_active(raw: JsonObject, profiles: frozenset[str]) -> bool:
    """Whether a service runs when these profiles are active; one without profiles always does."""
    own = raw.get("profiles")
    names = {str(item) for item in own} if isinstance(own, list) else set()
    return not names or "*" in profiles or bool(names & profiles)


def _list_env_files(raw: JsonValue) -> Iterator[tuple[str, bool]]:
    """Yield the env files of a service, and whether each is required."""
    for item in raw if isinstance(raw, list) else ([] if raw is None else [raw]):
        if isinstance(item, dict):
            yield str(item.get("path")), str(item.get("required", True)).lower() != "false"
        elif item:
            yield str(item), True


def _health(raw: JsonValue) -> tuple[HealthCommand | None, bool]:
    """The command of a health check, and whether that of the image is switched off."""
    if not isinstance(raw, dict):
        return None, False
    test = raw.get("test")
    if str(raw.get("disable", "")).lower() == "true" or test == ["NONE"] or test == "NONE":
        return None, True
    if isinstance(test, str) and test:
        return HealthCommand((str(test),), in_shell=True, names=_variables_in(test)), False
    if not isinstance(test, list) or len(test) < 2:
        return None, False
    words = tuple(str(item) for item in test[1:])
    return HealthCommand(words, in_shell=test[0] == "CMD-SHELL", names=_variables_in(test)), False


def _restart_policy(restart: JsonValue, deploy: JsonValue) -> str:
    """The policy under `restart`, else the one under `deploy`, in the words of `restart`; empty without either."""
    if restart is not None:
        return "no" if restart is False else str(restart)
    policy = deploy.get("restart_policy") if isinstance(deploy, dict) else None
    condition = str(policy.get("condition") or "any") if isinstance(policy, dict) else ""
    return {"none": "no", "any": "always"}.get(condition, condition)


def _list_dependencies(raw: JsonValue) -> Iterator[tuple[str, Condition]]:
    """Yield the services that a service depends on, and in which condition."""
    if isinstance(raw, list):
        yield from ((str(item), "started") for item in raw)
    elif isinstance(raw, dict):
        for name, entry in raw.items():
            how = entry if isinstance(entry, dict) else {}
            yield name, _CONDITIONS.get(str(how.get("condition")), "started")


def _implied_needs(raw: JsonObject) -> Iterator[str]:
    """The services that must be there because their names, network or volumes are used."""
    for key in ("links", "volumes_from"):
        items = raw.get(key)
        names = (str(item).partition(":")[0] for item in (items if isinstance(items, list) else ()))
        yield from (name for name in names if name != "container")
    for key in ("network_mode", "ipc", "pid"):
        kind, _, name = str(raw.get(key) or "").partition(":")
        if kind == "service":
            yield name


def _join_command(raw: JsonValue) -> str:
    """Return the command of a service as one text."""
    return shlex.join(str(item) for item in raw) if isinstance(raw, list) else str(raw or "")


def _variables_in(raw: JsonValue) -> tuple[str, ...]:
    """Return the variables in a text or a list of texts."""
    words = raw if isinstance(raw, list) else [raw]
    return tuple(dict.fromkeys(name for word in words for name in names_in(word)))


def _first_count(*values: JsonValue) -> int:
    """Return the first value that is a count; 1 if there is no such value."""
    for value in values:
        if isinstance(value, int | str) and str(value).isdecimal():
            return int(value)
    return 1


def env_files_of(folder: Path, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files of variables that are given, else the `.env` of a project's folder, if there is one."""
    return files or ((folder / ".env",) if (folder / ".env").is_file() else ())


def variables_of(folder: Path, files: tuple[Path, ...], environ: Mapping[str, str]) -> dict[str, str | None]:
    """The variables that compose files may refer to: of env files or `.env`, below the environment."""
    known: dict[str, str | None] = {}
    for path in env_files_of(folder, files):
        known |= read_env_file(path, {**known, **environ})
    return {**known, **environ}
