"""The sources of vars: profiles, the chosen candidates of targets, the stack file and the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from xnai_validate.config.compile.profile_chain import Link
from xnai_validate.config.compile.variables.space import DEPTH_CAP, VarSpace
from xnai_validate.config.files.stack import StackDescription
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.document import read_source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.scalars import environment_scalar
from xnai_validate.config.yaml_files.validation_messages import field_errors
from xnai_validate.kit import FROM_FILE
from xnai_validate.model.json import JsonObject, JsonValue

_SECRET_FIELDS = frozenset({"password", "headers"})


def read_stack_description(
    stack: JsonObject | None, problems: Problems, file: Path | None = None
) -> StackDescription | None:
    """The validated description of a running stack; None without one, or if it has errors, which are noted.

    `file`: the stack file, where errors have their place; the line of one in a password or header is not shown.
    """
    if stack is None:
        return None
    try:
        return StackDescription.model_validate(stack, context=FROM_FILE)
    except ValidationError as error:
        source = read_source(file, str(file))[0] if file is not None else None
        for each in field_errors(error, stack, StackDescription, "the stack file"):
            if source is None or not _SECRET_FIELDS.isdisjoint(each.steps):
                problems.plain(f"the stack file: {each.message}", each.hint)
            else:
                problems.extend_at(Where(source), (each,))
        return None


def fill_vars(space: VarSpace, links: Iterable[Link], options: LoadOptions, stack: StackDescription | None) -> None:
    """Fill `space`; later sources override earlier ones: the run, profiles, candidates or stack file, command line.

    The layout of a stack file selects the candidates whose vars apply.
    """
    links = tuple(links)
    space.set("run.nonce", options.nonce)
    space.set("run.id", options.nonce)
    for link in links:
        for values, where in link.vars_files:
            space.overlay(values, where)
        raw = link.raw.get("vars")
        if isinstance(raw, dict):
            space.overlay(raw, link.where.at("vars"))
    if stack is None:
        for candidate, where in _candidate_vars(links, options):
            space.overlay(candidate, where)
    else:
        if stack.layout is not None:
            for values, where in _layout_vars(links, stack.layout):
                space.overlay(values, where)
            space.overlay({"layout": stack.layout}, Where(None))
        space.overlay(stack.vars, Where(None))
    for dotted, text in options.vars.items():
        deep = dotted.count(".") >= DEPTH_CAP
        if not deep and type_error(space.find(dotted)[0], text) is None:  # else the loader reports it, once
            space.set(dotted, environment_scalar(text))


def type_error(default: JsonValue, text: str) -> str | None:
    """Why a text of the command line cannot replace a var with this default; None if it can."""
    value = environment_scalar(text)
    if isinstance(default, bool):
        return None if isinstance(value, bool) else f'"{text}" is neither true nor false'
    if isinstance(default, int | float):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return None if fits else f'"{text}" is not a number; the profile has {default}'
    if isinstance(default, dict | list) and default:
        parts = default if isinstance(default, dict) else range(len(default))
        return f"it has parts, which are set one by one: {', '.join(f'.{part}' for part in parts)}"
    return None


def _candidate_vars(links: Iterable[Link], options: LoadOptions) -> Iterable[tuple[JsonObject, Where]]:
    """Return the vars of the candidate that each target uses, with their place."""
    for name, candidates, where in _candidates(links):
        index = chosen_index(name, candidates, options)
        candidate = candidates[index] if index is not None and index < len(candidates) else None
        values = candidate.get("vars") if isinstance(candidate, dict) else None
        if isinstance(values, dict):
            yield values, where.at(index or 0, "vars")


def _layout_vars(links: Iterable[Link], layout: str) -> Iterable[tuple[JsonObject, Where]]:
    """Return the vars of the first candidate of each target that is for the layout, with their place."""
    for _, candidates, where in _candidates(links):
        for index, candidate in enumerate(candidates):
            values = candidate.get("vars") if isinstance(candidate, dict) else None
            if isinstance(values, dict) and values.get("layout") == layout:
                yield values, where.at(index, "vars")
                break


def _candidates(links: Iterable[Link]) -> Iterable[tuple[str, list[JsonValue], Where]]:
    """Return each target whose url is looked for, with its candidates and their place."""
    urls: dict[str, tuple[JsonValue, Where]] = {}
    for link in links:
        targets = link.raw.get("targets")
        for name, target in targets.items() if isinstance(targets, dict) else ():
            if isinstance(target, dict) and "url" in target:
                urls[name] = (target["url"], link.where.at("targets", name, "url"))
    for name, (candidates, where) in urls.items():
        if isinstance(candidates, list) and candidates:
            yield name, candidates, where


def chosen_index(name: str, candidates: list[JsonValue], options: LoadOptions) -> int | None:
    """The index of the candidate whose vars hold: the one that answered its probe, the first before that is known.

    If the command line sets the url, it is the candidate with the same path, since the path identifies the layout; None
    if no candidate has it.
    """
    if name in options.targets:
        path = _path(options.targets[name])
        return next((index for index, each in enumerate(candidates) if _path(_url_of(each)) == path), None)
    choice = options.choices.get(name)
    return choice.index if choice else 0


def _url_of(candidate: JsonValue) -> str:
    """Return the url of a candidate, which is a text or a mapping with `url`."""
    url = candidate.get("url") if isinstance(candidate, dict) else candidate
    return url if isinstance(url, str) else ""


def _path(url: str) -> str:
    """The path of a url that may begin with a reference: `${API:-http://127.0.0.1:8000}/api/v1`."""
    if url.startswith("${") and "}" in url:
        _, _, rest = url.rpartition("}")
        default = url[: len(url) - len(rest)].partition(":-")[2].rstrip("}")
        return (_path(default) if default else "") + rest.rstrip("/")
    return urlsplit(url).path.rstrip("/")
