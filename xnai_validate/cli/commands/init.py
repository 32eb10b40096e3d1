"""`xnai-validate init`: find a stack on this host and write a stack file, for a person to correct and keep."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
import yaml

from xnai_validate import __version__
from xnai_validate.cli.atomic_write import atomic_write, verify_writable
from xnai_validate.cli.option_values import Assignment, assignment, parsed_by
from xnai_validate.cli.stack_probe import with_protocol, with_root
from xnai_validate.cli.terminal.command_help import Command, SearchPath, command_app
from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.engine import Engine, SystemClock, new_run_id, settle_targets
from xnai_validate.errors import ConfigError
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.results.events import CheckFinished, Event
from xnai_validate.model.target import Choice, Target
from xnai_validate.plan import Plan

app = command_app()
PROFILE = "phase4.1"
PORT_CHECKS = ("services/ports:*",)
"""The checks that open one connection to each target, and do nothing else."""
PASSWORD_ENV = "REDIS_PASSWORD"
_REFINED = {"api": with_root, "redis": with_protocol}
"""Target -> what is found out about it by asking it."""
_FIELDS = """\
  # A target may have: url; root, below which the API's /docs and /openapi.json are; container (Docker, Podman) or pid,
  # for faults and figures of its process; password_env; tls: {ca, cert, key, verify, server_name}; headers; proxy;
  # auth: {scheme, user, secret_env}; http2. xnai-validate schema stack describes each.
  # llm is a model server of its own (llama.cpp with --metrics, Ollama, LiteLLM, vLLM), voice a speech server (OpenAI's
  # audio API over HTTP, or Wyoming at tcp://HOST:PORT), worker the process that reads the bus. Leave out what is within
  # the API or the user interface: its checks are skipped.
"""
_CANARIES = """\
  # Two questions that your documents answer: a phrase of each answer, the source that is cited, the passage it is from.
  # What is empty skips the checks that need it.
"""


@app.command(cls=Command)
def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The stack file to write, for run --stack FILE.")] = Path(
        "stack.yaml"
    ),
    target: Annotated[
        list[Assignment] | None,
        typer.Option(metavar="NAME=URL", parser=parsed_by(assignment), help="URL of a target (repeatable)."),
    ] = None,
    path: SearchPath = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Find the parts of a stack at the urls in profiles/stack.yaml, and write a stack file to correct and keep.

    It only opens connections and requests the health of the API; the stack is not changed. Exits 1 if no part answers.
    """
    _verify_file(file, force=force)
    plan, choices, answering = asyncio.run(
        _probe(LoadOptions(paths=tuple(path or ()), targets=dict(target or ()), only=PORT_CHECKS))
    )
    found = {name: planned.target for name, planned in plan.targets.items() if name in answering}
    found |= {name: refine(found[name]) for name, refine in _REFINED.items() if name in found}
    missing = {name: planned.target.url for name, planned in plan.targets.items() if name not in answering}
    for name, known in found.items():
        print_notice(f"found    {name:<8} {known.url}")
    for name, url in missing.items():
        print_notice(f"missing  {name:<8} {f'no answer at {url}' if url else 'not configured'}")
    if not found:
        print_notice("no part of a stack answers, so no file was written; name one: --target api=http://HOST:PORT")
        raise typer.Exit(1)
    try:
        atomic_write(file, (stack_file_text(found, missing, _vars(plan, choices)),))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror or error}") from None
    print_notice(f"written  {file}; check it, then: xnai-validate run {PROFILE} --stack {file}")


def _verify_file(file: Path, *, force: bool) -> None:
    """Raise ConfigError for a file that exists or cannot be written."""
    if os.path.exists(file) and not force:
        raise ConfigError(f"{file} already exists", hint="name another file, or replace it with --force")
    try:
        verify_writable(file.absolute())
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror or error}") from None


async def _probe(load: LoadOptions) -> tuple[Plan, Mapping[str, Choice], frozenset[str]]:
    """Return the plan with the candidate urls that answer, those choices, and the targets that accept a connection."""
    choices = await settle_targets(load_plan((PROFILE,), load), SystemClock())
    plan = load_plan((PROFILE,), replace(load, choices=choices))
    engine = Engine(plan, run_id=new_run_id(time.time()), version=__version__, host={"name": os.uname().nodename})
    events: list[Event] = []
    async with engine.run() as stream:
        async for event in stream:
            events.append(event)
    passed = {event.id for event in events if isinstance(event, CheckFinished) and event.status.passed}
    targets = {check.info.target for check in plan.checks if check.id in passed and check.info.target}
    return plan, choices, frozenset(targets)


def _vars(plan: Plan, choices: Mapping[str, Choice]) -> JsonObject:
    """Return the variables of the candidates that answered (layout, prefix), and the questions to the documents."""
    found: JsonObject = {}
    for name, choice in choices.items():
        if choice.answered:
            found |= plan.targets[name].candidates[choice.index].vars
    return {**found, "canaries": plan.vars.get("canaries")}


def stack_file_text(found: Mapping[str, Target], missing: Mapping[str, str | None], vars_: JsonObject) -> str:
    """Return the stack file as YAML, with comments for the person who corrects it."""
    lines = [
        f"# A stack, as xnai-validate {__version__} found it on {os.uname().nodename}, {time.strftime('%Y-%m-%d')}.",
        f"# Use it: xnai-validate run {PROFILE} --stack FILE. A target that is not listed here is skipped.",
    ]
    if "layout" in vars_:
        lines.append(_yaml({"layout": vars_["layout"]}))
    lines += ["targets:", _FIELDS.rstrip()]
    lines += [f"  {name}: {_flow(_target_entry(target))}" for name, target in found.items()]
    if missing:
        lines.append("  # These did not answer. Correct the url of those that you have:")
        lines += [f"  # {name}: {_flow({'url': url or 'http://HOST:PORT'})}" for name, url in missing.items()]
    lines += [
        "vars:",
        *(f"  {name}: {_flow(value)}" for name, value in vars_.items() if name not in ("layout", "canaries", "redis")),
        _CANARIES.rstrip(),
        *(f"  {line}" for line in _yaml({"canaries": vars_["canaries"]}).splitlines()),
        "  # profiles/stack.yaml has all other figures that differ between stacks, with their defaults.",
    ]
    return "\n".join(lines) + "\n"


def _target_entry(target: Target) -> JsonObject:
    entry: JsonObject = {"url": target.url}
    if target.root:
        entry["root"] = target.root
    if target.container:
        entry["container"] = target.container
    if target.scheme in ("redis", "rediss"):
        entry["password_env"] = PASSWORD_ENV
    tls: JsonObject = {"ca": target.tls.ca} if target.tls.ca else {}
    if not target.tls.verify:
        tls["verify"] = False
    if tls:
        entry["tls"] = tls
    return entry


def _flow(value: JsonValue) -> str:
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000).removesuffix("...\n").strip()


def _yaml(value: JsonObject) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100).rstrip()
