"""What answers on this host, written down as a handover that a person corrects and keeps."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from xnai_validate import __version__
from xnai_validate.cli.aside import replacing
from xnai_validate.cli.console import say
from xnai_validate.cli.request import pairs
from xnai_validate.config import LoadOptions, load_plan
from xnai_validate.errors import ConfigError
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.results.events import CheckFinished, Event
from xnai_validate.model.target import Target
from xnai_validate.plan import Choice, Plan

PROFILE = "phase4.1"
ONLY = ("services/ports:*",)
"""The checks that open one connection to each target, and do nothing else."""
PASSWORD = "REDIS_PASSWORD"


def survey(file: Path, targets: Sequence[str], paths: tuple[Path, ...], *, force: bool) -> int:
    """Look for the stack and write `file`. Returns 0, or 1 where nothing answers (then nothing is written).

    Raises ConfigError for a file that is there already or cannot be written.
    """
    if file.exists() and not force:
        raise ConfigError(f"{file} is there already", hint="name another file, or replace it with --force")
    options = LoadOptions(paths=paths, targets=pairs(targets, "--target", "name=url"), only=ONLY)
    plan, choices, answering = asyncio.run(_look(options))
    found = {name: one.target for name, one in plan.targets.items() if name in answering}
    missing = {name: one.target.url for name, one in plan.targets.items() if name not in answering}
    for name, target in found.items():
        say(f"found    {name:<8} {target.url}")
    for name, url in missing.items():
        say(f"missing  {name:<8} {f'nothing answers at {url}' if url else 'not configured'}")
    if not found:
        say("no part of a stack answers here, so nothing was written; name one: --target api=http://HOST:PORT")
        return 1
    text = handover_text(found, missing, _vars(plan, choices))
    try:
        replacing(file, (text,))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror or error}") from None
    say(f"written  {file}; look through it, then: xnai-validate run {PROFILE} --stack {file}")
    return 0


async def _look(options: LoadOptions) -> tuple[Plan, Mapping[str, Choice], frozenset[str]]:
    """The plan with the candidates that answer, which those are, and the targets that accept a connection."""
    from xnai_validate.engine import Engine, SystemClock, new_run_id, settle_targets

    choices = await settle_targets(load_plan((PROFILE,), options), SystemClock())
    plan = load_plan((PROFILE,), replace(options, choices=choices))
    engine = Engine(plan, run_id=new_run_id(time.time()), version=__version__, host={"name": os.uname().nodename})
    events: list[Event] = []
    async with engine.run() as stream:
        async for event in stream:
            events.append(event)
    passed = {event.id for event in events if isinstance(event, CheckFinished) and event.status.passed}
    targets = {check.info.target for check in plan.checks if check.id in passed and check.info.target}
    return plan, choices, frozenset(targets)


def _vars(plan: Plan, choices: Mapping[str, Choice]) -> JsonObject:
    """What holds where the targets were found (the layout, the gateway's prefix), and what the documents answer."""
    found: JsonObject = {}
    for name, choice in choices.items():
        if choice.answered:
            found |= plan.targets[name].candidates[choice.index].vars
    return {**found, "canaries": plan.vars.get("canaries")}


def handover_text(found: Mapping[str, Target], missing: Mapping[str, str | None], vars_: JsonObject) -> str:
    """The handover as YAML, with words for the person who corrects it."""
    lines = [
        f"# A stack, as xnai-validate {__version__} found it on {os.uname().nodename}, {time.strftime('%Y-%m-%d')}.",
        f"# Use it: xnai-validate run {PROFILE} --stack FILE. What is not named here is taken to be absent.",
    ]
    if "layout" in vars_:
        lines.append(_yaml({"layout": vars_["layout"]}))
    lines.append("targets:")
    lines += [f"  {name}: {_flow(_described(target))}" for name, target in found.items()]
    if missing:
        lines.append("  # Nothing answered there; give the right url to what you have:")
        lines += [f"  # {name}: {_flow({'url': url or 'http://HOST:PORT'})}" for name, url in missing.items()]
    lines += [
        "vars:",
        *(f"  {name}: {_flow(value)}" for name, value in vars_.items() if name not in ("layout", "canaries")),
        "  # What your documents answer: a question, a word of the answer, and the source that must be cited.",
        *(f"  {line}" for line in _yaml({"canaries": vars_["canaries"]}).splitlines()),
        "  # Other figures that differ between stacks: profiles/stack.yaml has all of them, with their defaults.",
    ]
    return "\n".join(lines) + "\n"


def _described(target: Target) -> JsonObject:
    known: JsonObject = {"url": target.url}
    if target.container:
        known["container"] = target.container
    if target.scheme in ("redis", "rediss"):
        known["password_env"] = PASSWORD
    if target.tls.ca:
        known["tls"] = {"ca": target.tls.ca}
    return known


def _flow(value: JsonValue) -> str:
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000).removesuffix("...\n").strip()


def _yaml(value: JsonObject) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100).rstrip()
