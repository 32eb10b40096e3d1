"""The text of a profile and of suites, with comments in the words of the compose file or the manifests."""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml

from xnai_validate.importing.project import FromEnvironment
from xnai_validate.importing.stack_checks import TITLES, ImportedStack, Part
from xnai_validate.model.json import JsonObject, JsonValue

MARK = "# Written by xnai-validate init"
"""How every file begins that `init` has written."""
WIDTH = 118
_KEYS = ("id", "title", "practice", "kind", "target", "with", "expect", "needs", "fix")


def files_of(stack: ImportedStack) -> dict[str, str]:
    """Path below the current directory -> text, of the profile and of each suite that has checks."""
    name = stack.project.name
    files = {f"profiles/{name}.yaml": "\n".join(_profile_lines(stack)) + "\n"}
    for suite, checks in stack.suites.items():
        if checks:
            text = "\n".join(_suite_lines(stack, TITLES[suite].format(name), checks)) + "\n"
            files[f"checks/{name}/{suite}.yaml"] = text
    return files


def _head_lines(stack: ImportedStack) -> Iterator[str]:
    """Yield the comments at the head of a file."""
    yield f"{MARK} from {', '.join(stack.project.sources[:6])}{' ...' if len(stack.project.sources) > 6 else ''}."
    yield "# Edit it as you like: `xnai-validate init --update` shows what it would change, and keeps your edits."


def _profile_lines(stack: ImportedStack) -> Iterator[str]:
    """Yield the lines of the profile."""
    project = stack.project
    yield from _head_lines(stack)
    yield f"# Run it:  xnai-validate run {project.name} --wait 60s{stack.env_files}"
    for note in project.notes:
        yield from _format_comment(f"not read: {note}")
    for name, why in project.left_out.items():
        yield from _format_comment(f"left out: {name} {why}")
    for finding in stack.findings:
        yield from _format_comment(f"finding: {finding}")
    yield f"title: {_flow(f'The stack {project.name}')}"
    yield "targets:"
    for part in stack.parts:
        yield from _target_lines(part)
    yield "suites:"
    yield f"  - {_flow(f'{project.name}/*')}"
    for part in stack.parts:
        if part.recipe is not None:
            yield f"  - {_flow(part.recipe)}"


def _target_lines(part: Part) -> Iterator[str]:
    """Yield the lines of a target."""
    for comment in part.comments:
        yield from _format_comment(comment, "  ")
    yield f"  {_flow(part.name)}: {_flow(part.target)}"


def _suite_lines(stack: ImportedStack, title: str, checks: list[JsonObject]) -> Iterator[str]:
    """Yield the lines of a suite."""
    yield from _head_lines(stack)
    yield f"title: {_flow(title)}"
    yield "checks:"
    for check in checks:
        lead = "- "
        for key in _KEYS:
            if key in check:
                yield f"  {lead}{key}: {_flow(check[key])}"
                lead = "  "


def _format_comment(text: str, indent: str = "") -> Iterator[str]:
    """Yield a comment; control characters and line breaks become spaces, so that it stays one line."""
    yield f"{indent}# {''.join(each if each.isprintable() else ' ' for each in text)[:1000]}"


def _flow(value: JsonValue) -> str:
    """A value on one line: a plain text where YAML reads it as the same text, else as JSON."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_flow(str(key))}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, FromEnvironment):
        return json.dumps(value)
    if isinstance(value, str):
        quoted = json.dumps(value.replace("${", "$${"), ensure_ascii=False)
        plain = all(each.isalnum() or each in "_-./ " for each in value) and value[:1].isalpha() and value[-1:] != " "
        return value if plain and yaml.safe_load(value) == value else quoted
    return json.dumps(value)
