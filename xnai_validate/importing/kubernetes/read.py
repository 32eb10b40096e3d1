"""Kubernetes manifests -> `Project`: a service for each workload and each host of an Ingress.

Urls are those within the cluster (`http://web.shop.svc:80`), so the checks run there, as in a Job.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from xnai_validate.importing.kubernetes.objects import WORKLOADS, Manifest, at, items, mapping, read_objects
from xnai_validate.importing.project import Condition, HealthCommand, Port, Probe, Project, Service, Variable
from xnai_validate.model.json import JsonObject, JsonValue


def read_kubernetes(path: Path) -> Project:
    """The stack that manifests describe. Raises ConfigError for files that are none."""
    objects, files = read_objects(path)
    services = [each for each in objects if each.kind == "Service"]
    workloads = _distinct([each for each in objects if each.kind in WORKLOADS])
    found: list[Service] = []
    left_out: dict[str, str] = {}
    leads_to: dict[str, str] = {}
    for workload in workloads:
        matching = [service for service in services if _selects(service, workload)]
        leads_to |= {service.name: workload.name for service in matching}
        part = _read_workload(workload, matching)
        if part.replicas == 0:
            left_out[part.name] = "has no replicas"
        else:
            found.append(part)
    named = {part.name for part in found}
    leads_to = {service: name for service, name in leads_to.items() if name in named}
    found = [replace(part, needs=_seen_needs(part, leads_to)) for part in found]
    for ingress in (each for each in objects if each.kind == "Ingress"):
        found += _hosts(ingress, leads_to)
    name = re.sub(r"[^a-z0-9_-]", "", path.resolve().name.removesuffix(path.suffix).lower()).strip("-_") or "stack"
    return Project(name, tuple(found), tuple(files), left_out, engine="kubernetes")


def _distinct(workloads: Sequence[Manifest]) -> list[Manifest]:
    """The workloads; those of one name have their namespace, their kind or both in it, where these differ."""
    same: dict[str, list[Manifest]] = {}
    for each in workloads:
        same.setdefault(each.name, []).append(each)
    found = []
    for each in workloads:
        others = same[each.name]
        namespaces, kinds = {other.namespace for other in others}, {other.kind for other in others}
        words = [each.name, *([each.namespace] if len(namespaces) > 1 else [])]
        words += [each.kind.lower()] if len(kinds) > 1 else []
        found.append(replace(each, name="-".join(words)))
    return found


def _selects(service: Manifest, workload: Manifest) -> bool:
    """Whether a Service leads to the pods of a workload: their labels have all that it selects."""
    selector = at(service.spec, "selector")
    labels = at(workload.spec, "template", "metadata", "labels")
    same = all(labels.get(key) == value for key, value in selector.items())
    return bool(selector) and same and service.namespace == workload.namespace


def _read_workload(workload: Manifest, services: Sequence[Manifest]) -> Service:
    """Return the service that a workload runs, with the ports that Services lead to."""
    pod = at(workload.spec, "template", "spec")
    containers = items(pod.get("containers"))
    first = containers[0] if containers else {}
    notes = [f"its container {each.get('name')} beside the first" for each in containers[1:]]
    names = {str(port.get("name")): port.get("containerPort") for port in items(first.get("ports"))}
    probe, health = _health(first, names, notes)
    own = [Port(number) for port in items(first.get("ports")) if (number := _valid_port(port.get("containerPort")))]
    reached = [port for service in services for port in _service_ports(service, names)]
    ports = {port.container: port for port in (*own, *reached)}
    replicas = workload.spec.get("replicas", 1)
    return Service(
        name=workload.name,
        image=str(first.get("image")) if first.get("image") else None,
        ports=tuple(ports.values()),
        environment=dict(_read_environment(first)),
        probe=probe,
        health=health,
        replicas=replicas if isinstance(replicas, int) else 1,
        notes=tuple(notes),
    )


def _service_ports(service: Manifest, names: JsonObject) -> Iterator[Port]:
    """The ports of a Service, with the ports of the container to which they lead."""
    for port in items(service.spec.get("ports")):
        outer = _valid_port(port.get("port"))
        inner = _valid_port(_port_number(port.get("targetPort", port.get("port")), names))
        if outer and inner:
            protocol = str(port.get("protocol") or "TCP").lower()
            yield Port(inner, outer, f"{service.name}.{service.namespace}.svc", protocol)


def _health(container: JsonObject, names: JsonObject, notes: list[str]) -> tuple[Probe | None, HealthCommand | None]:
    """The probe by which a container is ready, else that by which it is alive."""
    for key in ("readinessProbe", "livenessProbe", "startupProbe"):
        raw = mapping(container.get(key))
        for kind in ("httpGet", "tcpSocket"):
            port = _valid_port(_port_number(at(raw, kind).get("port"), names))
            if port:
                path = str(at(raw, kind).get("path") or "/") if kind == "httpGet" else None
                return Probe(port, path, str(at(raw, kind).get("scheme") or "HTTP").lower()), None
        command = at(raw, "exec").get("command")
        if isinstance(command, list) and command:
            return None, HealthCommand(tuple(str(word) for word in command))
        if raw:
            notes.append(f"its {key}, which is neither httpGet, tcpSocket nor exec")
    return None, None


def _read_environment(container: JsonObject) -> Iterator[tuple[str, Variable]]:
    """Yield the environment variables of a container."""
    for entry in items(container.get("env")):
        name = str(entry.get("name"))
        secret = at(entry, "valueFrom", "secretKeyRef")
        if secret:
            yield name, Variable(None, source=f"the Secret {secret.get('name')}, key {secret.get('key')}")
        elif "value" in entry:
            yield name, Variable(str(entry["value"]))


def _seen_needs(part: Service, leads_to: dict[str, str]) -> dict[str, Condition]:
    """The workloads whose Service stands as a host in the environment of another one."""
    needs: dict[str, Condition] = {}
    for variable in part.environment.values():
        for service, name in leads_to.items():
            host = rf"(?:^|[/@,]){re.escape(service)}(?:\.[a-z0-9.-]+)?(?=[:/,]|$)"
            if name != part.name and re.search(host, variable.value or ""):
                needs[name] = "started"
    return needs


def _hosts(ingress: Manifest, leads_to: dict[str, str]) -> Iterator[Service]:
    """A service for each host of an Ingress, with the first path that it serves."""
    with_tls = {host for entry in items(ingress.spec.get("tls")) for host in _texts_in(entry.get("hosts"))}
    for rule in items(ingress.spec.get("rules")):
        host = str(rule.get("host") or "")
        if not host or "*" in host:
            continue
        paths = items(at(rule, "http").get("paths"))
        backends = [str(at(path, "backend", "service").get("name")) for path in paths]
        path = str(paths[0].get("path") or "/") if paths else "/"
        port, scheme = (443, "https") if host in with_tls else (80, "http")
        needs: dict[str, Condition] = {leads_to[name]: "started" for name in backends if name in leads_to}
        plain = path if re.fullmatch(r"[\w/.-]+", path) else "/"
        probe = Probe(port, plain, scheme)
        yield Service(f"{ingress.name}-{host}", ports=(Port(port, port, host),), probe=probe, needs=needs)


def _port_number(value: JsonValue, names: JsonObject) -> JsonValue:
    """Return the number of a port that may be given by name."""
    return names.get(value, value) if isinstance(value, str) else value


def _valid_port(value: JsonValue) -> int | None:
    """Return a port from 1 to 65535; None for anything else."""
    text = str(value)
    return int(text) if text.isdecimal() and 0 < int(text) <= 65535 else None


def _texts_in(value: JsonValue) -> Iterable[str]:
    """Return the items of a list as texts."""
    return [str(item) for item in value] if isinstance(value, list) else []
