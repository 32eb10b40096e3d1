"""Which vars hold: those of the profiles, of the chosen candidates, of the handover and of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import ValidationError

from xnai_validate.config.compile.profile_chain import Link
from xnai_validate.config.compile.variables import VarSpace
from xnai_validate.config.files.profile import Handover
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.scalars import written
from xnai_validate.config.yaml_files.validation_messages import wrongs
from xnai_validate.kit import FROM_FILE
from xnai_validate.model.json import JsonObject, JsonValue


def read_handover(stack: JsonObject | None, problems: Problems) -> Handover | None:
    """The description of a running stack, verified."""
    if stack is None:
        return None
    try:
        return Handover.model_validate(stack, context=FROM_FILE)
    except ValidationError as error:
        for wrong in wrongs(error, stack, Handover, "the handover"):
            problems.plain(f"the handover of the stack: {wrong.message}", wrong.hint)
        return None


def lay_vars(space: VarSpace, links: Iterable[Link], options: LoadOptions, handover: Handover | None) -> None:
    """Fill `space`, later sources on top: the run itself, profiles, candidates, handover, command line."""
    links = tuple(links)
    space.set("run.nonce", options.nonce)
    for link in links:
        for found, where in link.vars_files:
            space.overlay(found, where)
        raw = link.raw.get("vars")
        if isinstance(raw, dict):
            space.overlay(raw, link.where.at("vars"))
    if handover is None:
        for candidate, where in _chosen(links, options):
            space.overlay(candidate, where)
    else:
        if handover.layout is not None:
            space.overlay({"layout": handover.layout}, Where(None))
        space.overlay(handover.vars, Where(None))
    for dotted, text in options.vars.items():
        if misfit(space.find(dotted)[0], text) is None:  # what does not fit is told once, not wherever it is used
            space.set(dotted, written(text))


def misfit(default: JsonValue, text: str) -> str | None:
    """Why a text from the command line cannot stand for a var with this value; None where it can."""
    value = written(text)
    if isinstance(default, bool):
        return None if isinstance(value, bool) else f'"{text}" is neither true nor false'
    if isinstance(default, int | float):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return None if fits else f'"{text}" is not a number; the profile has {default}'
    if isinstance(default, dict | list) and default:
        parts = default if isinstance(default, dict) else range(len(default))
        return f"it has parts, which are set one by one: {', '.join(f'.{part}' for part in parts)}"
    return None


def _chosen(links: Iterable[Link], options: LoadOptions) -> Iterable[tuple[JsonObject, Where]]:
    """The vars of each target's candidate that is used, with the place where they are written."""
    urls: dict[str, tuple[JsonValue, Where]] = {}
    for link in links:
        targets = link.raw.get("targets")
        for name, target in targets.items() if isinstance(targets, dict) else ():
            if isinstance(target, dict) and "url" in target:
                urls[name] = (target["url"], link.where.at("targets", name, "url"))
    for name, (candidates, where) in urls.items():
        if not isinstance(candidates, list) or not candidates:
            continue
        index = chosen_index(name, candidates, options)
        one = candidates[index] if index is not None and index < len(candidates) else None
        found = one.get("vars") if isinstance(one, dict) else None
        if isinstance(found, dict):
            yield found, where.at(index or 0, "vars")


def chosen_index(name: str, candidates: list[JsonValue], options: LoadOptions) -> int | None:
    """Which candidate's vars hold: the one found to answer, the first before that is known.

    Where the url is given on the command line, it is the candidate whose url has the same path, for the path is the
    mark of a layout; None where there is no such.
    """
    if name in options.targets:
        wanted = _path(options.targets[name])
        return next((i for i, one in enumerate(candidates) if _path(_url(one)) == wanted), None)
    choice = options.choices.get(name)
    return choice.index if choice else 0


def _url(candidate: JsonValue) -> str:
    url = candidate.get("url") if isinstance(candidate, dict) else candidate
    return url if isinstance(url, str) else ""


def _path(url: str) -> str:
    """The path of a url that may begin with a reference: `${API:-http://127.0.0.1:8000}/api/v1`."""
    if url.startswith("${") and "}" in url:
        _, _, rest = url.rpartition("}")
        default = url[: len(url) - len(rest)].partition(":-")[2].rstrip("}")
        return (_path(default) if default else "") + rest.rstrip("/")
    return urlsplit(url).path.rstrip("/")
