"""The page of the command line, out of what Typer knows of each command."""

from __future__ import annotations

import inspect
import re

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from manual.markdown import code, escape, prose, table
from xnai_validate.cli.app import COMMANDS, app


def page() -> str:
    """Return the text of the page."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    context = typer.Context(group, info_name="xnai-validate")
    rows = [(f"[`{name}`](#{name})", escape(line)) for name, line in COMMANDS.items()]
    parts = ["# Command line\n", table(("command", "effect"), rows)]
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert isinstance(command, TyperCommand)
        parts.append(_command(name, command, typer.Context(command, info_name=name, parent=context)))
    return "\n".join(parts)


def _command(name: str, command: TyperCommand, context: typer.Context) -> str:
    usage = " ".join(["xnai-validate", name, *command.collect_usage_pieces(context)])
    parts = [f"## {name}\n", f"```text\n{usage}\n```\n", prose(inspect.cleandoc(command.help or ""))]
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            heading = getattr(parameter, "rich_help_panel", None) or ""
            argument = parameter.param_type_name == "argument"
            term, text = record
            text = re.sub(r"  \[[^\]]*\]$", "", text)
            sections.setdefault("Arguments" if argument else heading or "Options", []).append(
                (code(term.partition(" ")[0].strip("{}[].") if argument else term), escape(text))
            )
    for heading in sorted(sections, key=lambda title: (title != "Arguments", title == "Options")):
        parts += [f"**{heading}**\n", table(("option", "effect"), sections[heading])]
    return "\n".join(parts)
