"""What `init` writes for a project: targets, uses of recipes, and checks of containers, health and exposure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from xnai_validate.importing.check_entry import check_entry
from xnai_validate.importing.container_checks import container_check, may_end
from xnai_validate.importing.health_checks import NativeCheck, native_check, probe_check
from xnai_validate.importing.project import LOOPBACK, Condition, Port, Project, Service
from xnai_validate.importing.software import Software, account_of, password_of, software_of
from xnai_validate.model.json import JsonObject

_HTTP_PORTS = (80, 3000, 5000, 8000, 8080, 8888)
"""Ports at which HTTP is spoken as a rule."""
_HTTPS_PORTS = (443, 8443)
"""Ports at which HTTP is spoken over TLS as a rule."""
CONTAINERS, HEALTH, EXPOSURE, API = "containers", "health", "exposure", "api"
"""The suites of a project."""
TITLES = {
    CONTAINERS: "The containers of {} run, and are healthy",
    HEALTH: "The services of {} answer on their published ports",
    EXPOSURE: "Nothing of {} is open to other hosts that need not be",
    API: "The operations of {} that change no state answer as its OpenAPI document declares",
}


@dataclass(slots=True)
class Part:
    """A service as the profile has it."""

    name: str
    comments: list[str]
    target: JsonObject
    recipe: JsonObject | None = None


@dataclass(slots=True)
class ImportedStack:
    """All that is written of a project."""

    project: Project
    parts: list[Part] = field(default_factory=list)
    suites: dict[str, list[JsonObject]] = field(default_factory=lambda: {suite: [] for suite in TITLES})
    findings: list[str] = field(default_factory=list)
    """What is worth a look at once, whatever the checks measure."""

    @property
    def env_files(self) -> str:
        """The options of `run` that read the passwords of targets from where the project has them."""
        if not any("password_env" in part.target for part in self.parts):
            return ""
        return "".join(f" --env-file {shlex.quote(path)}" for path in self.project.env_files)


def imported(project: Project, first_checks: Mapping[str, str]) -> ImportedStack:
    """Return the parts and suites to write for a project; `first_checks`: recipe -> the id of its first check."""
    stack = ImportedStack(project)
    project = replace(project, services=with_shared_ports(without_circles(project.services)))
    completed = {name for service in project.services for name, how in service.needs.items() if how == "completed"}
    ids = unique_ids([service.name for service in project.services])
    plans = {service.name: _Plan(service, software_of(service), ids[service.name]) for service in project.services}
    answers = {name: plan.first_answer(project.name, first_checks) for name, plan in plans.items()}
    for plan in plans.values():
        service = plan.service
        stack.parts.append(_make_part(project, plan, is_one_shot=service.name in completed))
        if project.engine == "compose":
            stack.suites[CONTAINERS].append(container_check(service, ids, is_one_shot=service.name in completed))
        needs = [answers[name] for name in service.needs if answers.get(name)]
        stack.suites[HEALTH] += plan.health_checks([need for need in needs if need])
        stack.suites[EXPOSURE] += _exposures(plan, stack)
    return stack


def without_circles(services: Sequence[Service]) -> tuple[Service, ...]:
    """The services, without those needs that lead back to the service itself: a check cannot wait for itself."""
    kept: dict[str, dict[str, Condition]] = {}
    for service in services:
        needs = kept.setdefault(service.name, {})
        needs |= {name: how for name, how in service.needs.items() if not _reaches(kept, name, service.name)}
    return tuple(replace(service, needs=kept[service.name]) for service in services)


def with_shared_ports(services: Sequence[Service]) -> tuple[Service, ...]:
    """The services, with the ports of those that share the network of another service, or of this host.

    Which port is whose shows in the usual port of its software and in its health check only.
    """
    by_name = {service.name: service for service in services}
    shared = []
    for service in services:
        kind, _, owner = service.network.partition(":")
        usual = _usual_ports(service)
        if kind == "host":
            ports = tuple(Port(number, number) for number in usual)
        elif kind == "service" and owner in by_name:
            ports = tuple(port for port in by_name[owner].ports if port.container in usual)
        else:
            ports = ()
        shared.append(replace(service, ports=service.ports or ports))
    return tuple(shared)


def _usual_ports(service: Service) -> list[int]:
    """The port of a service's software, and the one that its health check asks."""
    software = software_of(service)
    native = native_check(service.health, service.environment) if service.health else None
    ports = [software.port] if software else []
    return list(dict.fromkeys([*ports, *([native.port] if native else [])]))


def _reaches(needs: Mapping[str, Mapping[str, Condition]], start: str, end: str) -> bool:
    """Whether `end` is needed by `start`, directly or not, or is the same."""
    pending, seen = [start], set[str]()
    while pending:
        name = pending.pop()
        if name == end:
            return True
        if name not in seen:
            seen.add(name)
            pending += needs.get(name, {})
    return False


@dataclass(slots=True)
class _Plan:
    """A service, its software, and the ports that this host reaches."""

    service: Service
    software: Software | None
    check_id: str
    """The id of its first check in each suite."""
    native: NativeCheck | None = None

    def __post_init__(self) -> None:
        if self.service.health is not None:
            self.native = native_check(self.service.health, self.service.environment)
        elif self.service.probe is not None:
            self.native = probe_check(self.service.probe)

    @property
    def published(self) -> list[Port]:
        """The TCP ports that are published on the host."""
        return [port for port in self.service.ports if port.published and port.protocol == "tcp"]

    def port(self, container: int) -> Port | None:
        """Return the published port of a port in the container; None if it is not published."""
        return next((port for port in self.published if port.container == container), None)

    @property
    def recipe_port(self) -> Port | None:
        """The port that the recipe measures: the usual one, else the only one that is published."""
        if self.software is None:
            return None
        only = self.published[0] if len(self.published) == 1 else None
        if only and self.software.is_configured and only.container not in (*_HTTP_PORTS, *_HTTPS_PORTS):
            only = None
        return self.port(self.software.port) or only

    @property
    def native_port(self) -> Port | None:
        """The published port that the health check asks; None if there is no such port."""
        return self.port(self.native.port) if self.native else None

    @property
    def main_port(self) -> Port | None:
        """The port of the target's url: that of the recipe, of the health check, or the first published one."""
        return self.recipe_port or self.native_port or (self.published[0] if self.published else None)

    @property
    def scheme(self) -> str:
        """Return the url scheme of the main port."""
        if self.recipe_port and self.software:
            over_tls = self.software.scheme == "http" and self.recipe_port.container in _HTTPS_PORTS
            return "https" if over_tls else self.software.scheme
        if self.native and self.native_port:
            return self.native.scheme
        port = self.main_port.container if self.main_port else None
        return "https" if port in _HTTPS_PORTS else "http" if port in _HTTP_PORTS else "tcp"

    def url(self, port: Port, scheme: str) -> str:
        """Return the url by which this host reaches a port."""
        host = f"[{port.host}]" if ":" in port.host else port.host
        return f"{scheme}://{host}:{port.published}"

    def first_answer(self, project: str, first_checks: Mapping[str, str]) -> str | None:
        """The id of the check that shows that it answers; None where this host cannot ask it."""
        if self.recipe_port and self.software and self.software.recipe in first_checks:
            return f"{self.service.name}/{self.software.recipe}:{first_checks[self.software.recipe]}"
        return f"{project}/{HEALTH}:{self.check_id}" if self.published else None

    def health_checks(self, needs: list[str]) -> Iterator[JsonObject]:
        """The checks on published ports beside those of the recipe."""
        name = self.check_id
        begun = bool(self.recipe_port)
        native, port = self.native, self.native_port
        # Beyond what the recipe measures at its port, only the request of the health check has something to add.
        if native and port and not (port == self.recipe_port and native.kind != "http.request"):
            params = dict(native.params) if port == self.main_port else self._elsewhere(native, port)
            own = f"{name}-health" if begun else name
            title = f"{self.service.name} {native.sentence}"
            yield check_entry(own, title, native.kind, self.service.name, params, native.expect, needs)
            begun = True
        taken: set[str] = set()
        for other in self.published:
            if other in (self.recipe_port, port) or (self.software and other.container in self.software.second_ports):
                continue
            own = f"{name}-port-{other.container}" if begun else name
            own = own if own not in taken else f"{own}-{len(taken) + 1}"  # one port may be published several times
            taken.add(own)
            yield self._port_check(own, other, needs)
            begun = True

    def _port_check(self, own: str, port: Port, needs: list[str]) -> JsonObject:
        """The check of a published port about which no more is known than its number."""
        name = self.service.name
        if port == self.main_port and self.scheme == "http":
            title = f"{name} answers HTTP requests on port {port.published}"
            return check_entry(own, title, "http.request", name, {"path": "/"}, {"status": {"max": 499}}, needs)
        title = f"{name} accepts connections on port {port.published}"
        # The engine accepts connections also where no server of the container listens, and closes them at once.
        place: JsonObject = {"hold": "300ms"}
        place |= {} if port == self.main_port else {"host": port.host, "port": port.published}
        return check_entry(own, title, "tcp.connect", name, place, {"held": True}, needs)

    def _elsewhere(self, native: NativeCheck, port: Port) -> JsonObject:
        """The params of a check at another port than that of the target's url."""
        if native.kind == "tcp.connect":
            return {**native.params, "host": port.host, "port": port.published}
        return {**native.params, "path": f"{self.url(port, native.scheme)}{native.params.get('path', '')}"}


def unique_ids(names: Sequence[str]) -> dict[str, str]:
    """Name of a service -> the id of its check; names that differ in case or punctuation alone are numbered.

    A name that is an id as it stands keeps it: `my-db` stays, and `my_db` becomes `my-db-2`.
    """
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names, key=lambda each: _to_kebab(each) != each):
        base, number = _to_kebab(name), 1
        ids[name] = base
        while ids[name] in taken:
            number += 1
            ids[name] = f"{base}-{number}"
        taken.add(ids[name])
    return ids


def _to_kebab(name: str) -> str:
    """Return a name in kebab-case."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "service"


def _make_part(project: Project, plan: _Plan, *, is_one_shot: bool) -> Part:
    """Return the target of a service, with comments on how it can be reached."""
    service, software = plan.service, plan.software
    source = "built here" if service.image is None else service.image or "its image is a variable without a value"
    comments = [f"{service.name}: {source}"]
    target: JsonObject = {}
    port = plan.main_port
    if port:
        target["url"] = plan.url(port, plan.scheme)
        user, database = account_of(service, software) if software and port == plan.recipe_port else ("", "")
        if user:
            target["url"] = str(target["url"]).replace("://", f"://{user}@") + f"/{database}"
    elif is_one_shot:
        comments.append("runs once: others wait until it has ended without an error")
    elif service.network == "host":
        comments.append("in the network of this host: at which port it listens is not in the file")
    elif service.network.startswith("service:"):
        owner = service.network.partition(":")[2]
        comments.append(f"in the network of {owner}: which of the ports published there is its own is not in the file")
    elif service.random_ports:
        example = f"docker compose port {service.name} {service.random_ports[0]}"
        comments.append(f"published at a port of the engine's choice, which `{example}` prints: it is not in the file")
    elif project.engine == "compose":
        comments.append("not published: this host sees only its container. Run the checks within its network for more")
    else:
        comments.append("no Service leads to it")
    if project.engine == "compose":
        target["container"] = service.container or f"{project.name}/{service.name}"
    password = password_of(service, software) if software else None
    if password and software and plan.recipe_port and software.scheme in ("redis", "postgres", "amqp"):
        target["password_env"] = password.variable
    if password:
        comments.append(f"password: {password.variable} ({password.remark})")
    recipe: JsonObject | None = None
    if software and plan.recipe_port:
        recipe = {"recipe": software.recipe, "target": service.name}
        second = {name: plan.port(number) for number, name in software.second_ports.items()}
        urls: JsonObject = {name: plan.url(each, "http") for name, each in second.items() if each}
        if urls:
            recipe["with"] = urls
        if software.login_hint:
            comments.append(software.login_hint)
    if service.health and plan.native is None:
        program = PurePath(service.health.words[0].split()[0]).name if service.health.words[0].split() else ""
        comments.append(
            f"its health check ({program} ...) can only run in its container; the engine's result is checked"
        )
    elif may_end(service) and not is_one_shot:
        comments.append("may be a job that has ended: that it runs, or ended without an error, is checked")
    elif service.health is None and not plan.published and not is_one_shot and project.engine == "compose":
        comments.append("without a health check in the file, only that it runs is checked")
    comments += [f"not read: {note}" for note in service.notes]
    return Part(service.name, comments, target, recipe)


def _exposures(plan: _Plan, stack: ImportedStack) -> Iterator[JsonObject]:
    """A check, and a finding, for each port of a data store that is published on all addresses."""
    service, software = plan.service, plan.software
    if software is None or not software.stores_data or stack.project.engine != "compose":
        return
    checked: set[int] = set()
    for port in service.ports:
        is_random = port.published is None and port.container in service.random_ports
        if port.protocol != "tcp" or not (port.is_public or (is_random and port.address is None)):
            continue
        where = f"port {port.published}" if port.published else "a port of the engine's choice"
        private = f"{LOOPBACK}:{port.published or ''}:{port.container}"
        stack.findings.append(
            f"{service.name} ({software.recipe}) is published on all addresses of this host, {where}; "
            f'"{private}" keeps it on this host'
        )
        if port.container in checked:
            continue
        checked.add(port.container)
        expect: JsonObject = {"ports": {f"{port.container}/tcp": {"not": {"matches": r"(^|, )(0\.0\.0\.0|\[::\]):"}}}}
        own = plan.check_id
        title = f"Port {port.container} of {service.name} is published on loopback only"
        runs = f"{stack.project.name}/{CONTAINERS}:{own}"
        yield {
            **check_entry(
                f"{own}-{port.container}", title, "container.state", service.name, {"usage": False}, expect, [runs]
            ),
            "practice": "practice.private-ports",
            "fix": f'Publish it as "{private}".',
        }
