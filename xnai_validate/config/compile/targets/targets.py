"""The targets of a run: from profiles, a stack file and the command line to `PlannedTarget` values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from xnai_validate.config.compile.profile_chain import Profile
from xnai_validate.config.compile.targets.access import TargetAccess, checked_url, is_socket, located
from xnai_validate.config.files.auth import AuthEntry
from xnai_validate.config.files.profile import CandidateEntry, ProbeEntry, TargetEntry
from xnai_validate.config.files.stack import StackDescription
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model import redis_url
from xnai_validate.model.json import JsonObject
from xnai_validate.model.redis_url import RedisUrl
from xnai_validate.model.secrets.credentials import secrets_in
from xnai_validate.model.secrets.masking import MASK
from xnai_validate.model.target import UNIX, Target
from xnai_validate.plan import Candidate, CompiledMeasurement, PlannedTarget

_PROTOCOLS = {
    "https": "http",
    "ws": "http",
    "wss": "http",
    "unix": "http",
    UNIX: "http",
    "rediss": "redis",
    "amqps": "amqp",
}
"""Scheme -> the protocol that is spoken there; schemes of one protocol may replace each other."""
CompileProbe = Callable[[str, JsonObject, JsonObject | None, None, str, Where], CompiledMeasurement | None]
"""`Measurements.compile`, called with kind, params, expect, warn, target and place."""
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_EXAMPLE = "write scheme://host:port, such as http://127.0.0.1:8000"


@dataclass(slots=True)
class _TargetSource:
    """A target with the place of each of its fields."""

    entry: TargetEntry
    where: Where
    fields: dict[str, Where] = field(default_factory=dict)
    folder: Path | None = None
    """The folder of the file that names its TLS files."""

    def at(self, name: str) -> Where:
        """The place of a field."""
        return self.fields.get(name, self.where)


@dataclass(slots=True)
class Targets:
    """Builds the targets; collects the secrets in them."""

    options: LoadOptions
    problems: Problems
    secrets: set[str]
    logins: dict[str, tuple[AuthEntry, str, Where]] = field(default_factory=dict)
    """Target name -> the credentials that need a login, their secret, and where they are written."""
    unset: set[str] = field(default_factory=set)
    """The variables that are not set, of targets that nothing will be asked of."""

    def build(self, profiles: Iterable[Profile], stack: StackDescription | None) -> dict[str, PlannedTarget]:
        """Every target by name, without probes. A stack file is the whole stack: what it lacks is not configured."""
        merged = _merge(profiles)
        if stack is not None:
            known = {name: _TargetSource(TargetEntry(), Where(None)) for name in merged}
            described = {
                name: _TargetSource(
                    TargetEntry.model_construct(
                        **{key: getattr(declared, key) for key in declared.model_fields_set - {"url"}},
                        url=(CandidateEntry(url=declared.url),) if declared.url else (),
                    ),
                    Where(None),
                    folder=self.options.stack_file.absolute().parent if self.options.stack_file else None,
                )
                for name, declared in stack.targets.items()
            }
            merged = known | described
        for name, url in self.options.targets.items():
            source = merged.get(name) or _TargetSource(TargetEntry(), Where(None))
            self._same_protocol(name, url, source.entry)
            # Its root, container, process and log belong to the url that is replaced.
            entry = TargetEntry.model_construct(
                url=(CandidateEntry(url=url),),
                **{
                    k: getattr(source.entry, k)
                    for k in ("password", "password_env", "tls", "auth", "headers", "proxy", "cookies", "http2")
                },
            )
            kept = {key: place for key, place in source.fields.items() if key != "url"}
            merged[name] = _TargetSource(entry, Where(None), kept, source.folder)
        return {name: self._planned(name, source) for name, source in merged.items()}

    def _same_protocol(self, name: str, url: str, entry: TargetEntry) -> None:
        """Note an error for a url of another protocol than the one that the checks of the target speak."""
        known = [
            candidate.url.partition("://")[0] for candidate in entry.url if candidate.url and "://" in candidate.url
        ]
        scheme, given, _ = url.partition("://")
        if given and known and _protocol_of(scheme) not in {_protocol_of(known_scheme) for known_scheme in known}:
            hint = f"write {known[0]}://HOST:PORT"
            self.problems.plain(f"--target {name}: {scheme} is not what is spoken there", hint)

    def _planned(self, name: str, source: _TargetSource) -> PlannedTarget:
        """Return the target that a source declares, with its candidates and the choice among them, if any."""
        entry = source.entry
        auth = self._access.auth(entry.auth, source.at("auth"))
        if entry.auth is not None and auth is None and any(candidate.url for candidate in entry.url):
            place = source.at("auth")
            secret = self._access.secret(entry.auth.secret_env, place.at("secret_env"))
            self.logins[name] = (entry.auth, secret or "", place)
        state_file = str(self.options.stack_file.resolve()) if self.options.stack_file else None
        base = Target(
            name,
            root=entry.root.rstrip("/") if entry.root else None,
            container=entry.container or None,
            pid=entry.pid,
            log=located(entry.log, source.folder),
            state_file=None if name in self.options.targets else state_file,
            password=self._read_password(entry),
            password_env=self._used_password_env(entry),
            tls=self._access.tls(entry.tls, source.at("tls"), source.folder),
            auth=auth,
            http2=entry.http2,
            keeps_cookies=entry.cookies == "keep",
            headers=self._read_headers(entry),
        )
        candidates = tuple(
            Candidate(self._reached(base, candidate.url, source), candidate.vars)
            for candidate in entry.url
            if candidate.url is not None
        ) or (Candidate(base),)
        choice = self.options.choices.get(name)
        if choice is not None and (len(candidates) == 1 or choice.index >= len(candidates)):
            choice = None
        return PlannedTarget(name, candidates, choice=choice)

    @property
    def _access(self) -> TargetAccess:
        """Return what verifies TLS files, credentials and proxies of targets."""
        return TargetAccess(
            self.options.environ, self.problems, self.secrets, self.unset if self.options.without_environment else None
        )

    def _reached(self, base: Target, url: str, source: _TargetSource) -> Target:
        """The target at one of its urls, with its proxy and TLS files verified."""
        target = self._with_url(base, url, source.at("url"))
        tls, folder = target.tls, source.folder
        tls = replace(tls, ca=located(tls.ca, folder), cert=located(tls.cert, folder), key=located(tls.key, folder))
        target = replace(target, tls=tls)
        self._access.check_tls_files(target, source.at("tls"))
        return self._access.proxied(target, source.entry.proxy, source.at("proxy"))

    def _read_password(self, entry: TargetEntry) -> str | None:
        """Return the password of a target, from the environment if its entry names a variable; note it as a secret."""
        password = entry.password
        if entry.password_env:
            password = self.options.environ.get(entry.password_env) or password
        if password:
            self.secrets.add(password)
        return password or None

    def _read_headers(self, entry: TargetEntry) -> tuple[tuple[str, str], ...]:
        """Return the headers that each request to a target has; note the credentials in them as secrets."""
        self.secrets.update(secrets_in(dict(entry.headers)))
        return tuple(entry.headers.items())

    def _used_password_env(self, entry: TargetEntry) -> str | None:
        """Return the name of the variable with the password; None if it is not set."""
        return entry.password_env if entry.password_env and self.options.environ.get(entry.password_env) else None

    def _with_url(self, target: Target, url: str, where: Where) -> Target:
        """The target at a url; a password in the url of a Redis server becomes that of the target."""
        if _CONTROL.search(url):  # urlsplit drops some of them, which leads to another host
            self.problems.at(where, f'"{_shown(url)}" is not a url for the target {target.name}', _EXAMPLE)
            return target
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            why = "" if "@" in url else f": {error}"  # its words may be a part of the password
            self.problems.at(where, f'the url "{_shown(url)}" of {target.name} is malformed{why}', _EXAMPLE)
            return target
        if not is_socket(parts) and (not parts.scheme or not parts.hostname or parts.port == 0):
            self.problems.at(where, f'"{_shown(url)}" is not a url for the target {target.name}', _EXAMPLE)
            return target
        try:
            url = checked_url(parts)
        except ValueError as error:
            self.problems.at(where, f'the url "{_shown(url)}" of {target.name} cannot be used: {error}')
            return target
        if parts.password:
            self.secrets |= {parts.password, unquote(parts.password)}
        if parts.scheme in redis_url.SCHEMES:
            return self._with_redis_url(target, url, where)
        return replace(target, url=url.rstrip("/"))

    def _with_redis_url(self, target: Target, url: str, where: Where) -> Target:
        """The target at a url of Redis; password and options in it become those of the target."""
        try:
            found = RedisUrl.parse(url)
        except ValueError as error:
            self.problems.at(where, f'the url "{_shown(url)}" of {target.name} cannot be used: {error}')
            return target
        return replace(
            target, url=found.plain, password=target.password or found.password, tls=found.merged(target.tls)
        )


def _protocol_of(scheme: str) -> str:
    """Return the protocol behind a scheme: `http` for `http` and `https`."""
    return _PROTOCOLS.get(scheme.lower(), scheme.lower())


def _merge(profiles: Iterable[Profile]) -> dict[str, _TargetSource]:
    """The targets of all profiles; later profiles replace the fields that they name."""
    merged: dict[str, _TargetSource] = {}
    for profile in profiles:
        for name, entry in profile.file.targets.items():
            where = profile.where.at("targets", name)
            before = merged.get(name)
            entries = {key: getattr(entry, key) for key in entry.model_fields_set}
            fields = {key: where.at(key) for key in entries}
            if before is not None:
                kept = {key: getattr(before.entry, key) for key in before.entry.model_fields_set}
                entries, fields = kept | entries, before.fields | fields
            folder = before.folder if before is not None and entry.tls is None else profile.link.folder
            merged[name] = _TargetSource(TargetEntry.model_construct(**entries), where, fields, folder)
    return merged


def with_probes(
    targets: Mapping[str, PlannedTarget], profiles: Iterable[Profile], compile_probe: CompileProbe
) -> dict[str, PlannedTarget]:
    """The targets; each that has several candidates gets the probe that decides among them."""
    entries: dict[str, tuple[ProbeEntry, Where]] = {}
    for profile in profiles:
        for name, entry in profile.file.targets.items():
            if entry.probe is not None:
                entries[name] = (entry.probe, profile.where.at("targets", name, "probe"))
    probed = {}
    for name, target in targets.items():
        probe = None
        if name in entries:
            probe_entry, where = entries[name]
            probe = compile_probe(probe_entry.kind, probe_entry.with_, probe_entry.expect, None, name, where)
        elif len(target.candidates) > 1:
            probe = _default_probe(target, compile_probe)
        probed[name] = replace(target, probe=probe if len(target.candidates) > 1 else None)
    return probed


def with_container_states(
    targets: Mapping[str, PlannedTarget], compile_probe: CompileProbe
) -> dict[str, PlannedTarget]:
    """The targets; each whose container is known gets the measurement of its state, for runs that wait for it."""
    return {
        name: replace(planned, container_state=_compile_state_probe(planned, compile_probe))
        if planned.target.container
        else planned
        for name, planned in targets.items()
    }


def _compile_state_probe(planned: PlannedTarget, compile_probe: CompileProbe) -> CompiledMeasurement | None:
    """Compile the check whether the target's container runs; None if it cannot be compiled."""
    return compile_probe("container.state", {"usage": False}, None, None, planned.name, Where(None))


def unverified(targets: Iterable[PlannedTarget]) -> Iterator[str]:
    """Yield a warning for every target whose certificate is not verified; every report shows warnings."""
    for target in targets:
        if any(candidate.target.uses_tls and not candidate.target.tls.verify for candidate in target.candidates):
            yield f"the certificate of {target.name} is not verified (tls.verify: false): anyone could answer for it"


def _default_probe(target: PlannedTarget, compile_probe: CompileProbe) -> CompiledMeasurement | None:
    """Return the probe of a target that declares none: any response over HTTP, for other protocols a connection."""
    nowhere = Where(None)
    if target.candidates[0].target.scheme in ("http", "https", UNIX):
        params: JsonObject = {"path": "/"}
        return compile_probe("http.request", params, {"status": {"min": 100}}, None, target.name, nowhere)
    return compile_probe("tcp.connect", {}, None, None, target.name, nowhere)


def _shown(url: str) -> str:
    """A url that may be malformed, without its user and password: all up to the last @."""
    begun, colon, rest = url.partition("://")
    return f"{begun}{colon}{MASK}@{rest.rpartition('@')[2]}" if "@" in rest else url
