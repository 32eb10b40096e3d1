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
from xnai_validate.atomic_write import atomic_write, verify_writable
from xnai_validate.cli.import_stack import ImportSources, import_stack
from xnai_validate.cli.option_values import Assignment, assignment, parsed_by
from xnai_validate.cli.stack_probe import has_monitor, with_protocol, with_root
from xnai_validate.cli.terminal.command_help import Command, SearchPath, command_app
from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.engine import Engine, SystemClock, new_run_id, settle_targets
from xnai_validate.errors import ConfigError
from xnai_validate.importing.compose.files import default_files
from xnai_validate.importing.openapi.checks import ApiTarget
from xnai_validate.importing.yaml_documents import read_documents
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.results.events import CheckFinished, Event
from xnai_validate.model.target import Choice, Target
from xnai_validate.opening import open_at_once
from xnai_validate.plan import Plan

app = command_app()
PROFILE = "phase4.1"
PORT_CHECKS = ("services/ports:*",)
"""The checks that open one connection to each target, and do nothing else."""
PASSWORD_ENV = "REDIS_PASSWORD"
_REFINED = {"api": with_root, "redis": with_protocol}
"""Target -> what is found out about it by asking it."""
_MARK = "# A stack, as xnai-validate"
"""How a stack file begins that `init` has written."""
_FIELDS = """\
  # A target may have: url; root, below which the API's /docs and /openapi.json are; container (Docker, Podman) or pid,
  # for faults and figures of its process; password_env; tls: {ca, cert, key, verify, server_name}; headers; proxy;
  # auth: {scheme, user, secret_env}; http2. xnai-validate schema stack describes each.
  # llm is a model server of its own (llama.cpp with --metrics, Ollama, LiteLLM, vLLM), voice a speech server (OpenAI's
  # audio API over HTTP, or Wyoming at tcp://HOST:PORT), worker the process that reads the bus. Leave out what is within
  # the API or the user interface: its checks are skipped.
"""
_MONITOR = """\
  # Where a monitor watches the stack and announces failures on xnai:alerts, uncomment this: alerts are checked then.
  # monitor: {runs: true}
"""
_CANARIES = """\
  # Two questions that your documents answer: a phrase of each answer, the source that is cited, the passage it is from.
  # What is empty skips the checks that need it.
"""


@app.command(cls=Command)
def init(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Look for the parts of an XNAi stack, and write this stack file."),
    ] = None,
    compose: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="A compose file (default: that of this folder; repeatable)."),
    ] = None,
    override: Annotated[
        list[Path] | None, typer.Option("-f", metavar="FILE", help="A compose file that overrides (repeatable).")
    ] = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An active profile of compose, or * for all (repeatable)."),
    ] = None,
    env_file: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Variables of compose files, in place of .env (repeatable)."),
    ] = None,
    kubernetes: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A file or a folder of Kubernetes manifests, in place of compose."),
    ] = None,
    openapi: Annotated[
        str | None,
        typer.Option(metavar="URL|FILE", help="An OpenAPI document, alone or with compose; --target names its server."),
    ] = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Show what has changed in the sources, and update the files; your edits stay."),
    ] = False,
    target: Annotated[
        list[Assignment] | None,
        typer.Option(metavar="NAME=URL", parser=parsed_by(assignment), help="URL of a target (repeatable)."),
    ] = None,
    path: SearchPath = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a profile and suites for the stack of a compose file; or find an XNAi stack, and write a stack file.

    From an OpenAPI document it writes checks of the operations that change no state, and names each other operation
    with the reason why it is left out.

    With FILE or --target, or in a folder without a compose file, it looks for the parts of an XNAi stack at the urls in
    profiles/stack.yaml: it opens connections and requests the health of the API. Exits 1 if no part answers.
    It does not change the stack, and replaces only files that init has written.
    """
    named = bool(compose or override or kubernetes or openapi)
    if named or update or (file is None and not target and default_files(Path())):
        if file is not None or (target and not openapi):
            raise ConfigError(
                "FILE and --target are for an XNAi stack, which is not imported",
                hint="leave them out with --from, -f, --kubernetes, --openapi and --update; --openapi takes --target",
            )
        if kubernetes and (compose or override):
            raise ConfigError("either compose files or manifests", hint="run init once for each")
        if len(target or ()) > 1:
            raise ConfigError("an OpenAPI document has one target", hint="name one: --target NAME=URL")
        without_compose = kubernetes or (openapi and not compose and not override)
        sources = ImportSources(
            () if without_compose else _with_default(compose, override),
            tuple(profile or ()),
            tuple(env_file or ()),
            kubernetes,
            openapi,
            next((ApiTarget(*each) for each in target or ()), None),
        )
        import_stack(sources, update=update)
        return
    file = file or Path("stack.yaml")
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
        vars_ = _vars(plan, choices)
        if "metrics" in found and has_monitor(found["metrics"]):
            vars_["monitor"] = {"exposed": True}
        atomic_write(file, (stack_file_text(found, missing, vars_),))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror or error}") from None
    print_notice(f"written  {file}; check it, then: xnai-validate run {PROFILE} --stack {file}")


def _with_default(compose: list[Path] | None, override: list[Path] | None) -> tuple[Path, ...]:
    """Return the compose files that were named; if only overrides were, after the compose file of the directory."""
    files = (*(compose or default_files(Path())[: 1 if override else None]), *(override or ()))
    if not files:
        raise ConfigError("this directory has no compose file", hint="name it: --from FILE")
    return files


def _verify_file(file: Path, *, force: bool) -> None:
    """Raise ConfigError for a file that exists or cannot be written; only a stack file is ever replaced."""
    if os.path.isfile(file) and not _is_stack_file(file):
        hint = (
            f"it is a compose file: xnai-validate init --from {file}" if _is_compose_file(file) else "name another file"
        )
        raise ConfigError(f"{file} already exists, and init has not written it", hint=hint)
    if os.path.exists(file) and not force:
        raise ConfigError(f"{file} already exists", hint="name another file, or replace it with --force")
    try:
        verify_writable(file.absolute())
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror or error}") from None


def _is_stack_file(file: Path) -> bool:
    """Whether a file begins as the stack files that `init` writes."""
    try:
        with open(file, "rb", opener=open_at_once) as content:
            return content.read(len(_MARK)) == _MARK.encode()
    except OSError:
        return True  # unreadable: `_verify_file` refuses it with the reason when it tries to write


def _is_compose_file(file: Path) -> bool:
    """Whether a file is YAML with `services`."""
    try:
        documents = read_documents(file)
    except ConfigError:
        return False
    return any(isinstance(document, dict) and "services" in document for document in documents)


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
    vars_: JsonObject = {}
    for name, choice in choices.items():
        if choice.answered:
            vars_ |= plan.targets[name].candidates[choice.index].vars
    return {**vars_, "canaries": plan.vars.get("canaries")}


def stack_file_text(found: Mapping[str, Target], missing: Mapping[str, str | None], vars_: JsonObject) -> str:
    """Return the stack file as YAML, with comments for the person who corrects it."""
    lines = [
        f"{_MARK} {__version__} found it on {os.uname().nodename}, {time.strftime('%Y-%m-%d')}.",
        f"# Use it: xnai-validate run {PROFILE} --stack FILE. A target that is not listed here is skipped.",
    ]
    if "layout" in vars_:
        lines.append(_format_yaml({"layout": vars_["layout"]}))
    lines += ["targets:", _FIELDS.rstrip()]
    lines += [f"  {name}: {_format_inline(_target_entry(target))}" for name, target in found.items()]
    if missing:
        lines.append("  # These did not answer. Correct the url of those that you have:")
        lines += [f"  # {name}: {_format_inline({'url': url or 'http://HOST:PORT'})}" for name, url in missing.items()]
    lines += [
        "vars:",
        *(
            f"  {name}: {_format_inline(value)}"
            for name, value in vars_.items()
            if name not in ("layout", "canaries", "redis")
        ),
        *((_MONITOR.rstrip(),) if "monitor" not in vars_ else ()),
        _CANARIES.rstrip(),
        *(f"  {line}" for line in _format_yaml({"canaries": vars_["canaries"]}).splitlines()),
        "  # profiles/stack.yaml has all other figures that differ between stacks, with their defaults.",
    ]
    return "\n".join(lines) + "\n"


def _target_entry(target: Target) -> JsonObject:
    """Return the entry of a target in a stack file."""
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


def _format_inline(value: JsonValue) -> str:
    """Format a value as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000).removesuffix("...\n").strip()


def _format_yaml(value: JsonObject) -> str:
    """Format a mapping as YAML in blocks."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100).rstrip()
