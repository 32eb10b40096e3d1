"""`xnai-validate schema`: the JSON Schemas of the files that are read and written."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from xnai_validate import schema as published
from xnai_validate.cli.terminal.command_help import Command, command_app
from xnai_validate.cli.terminal.console import print_out
from xnai_validate.config.files import json_schema
from xnai_validate.report.integration.schema import integration_schema

app = command_app()


class Document(StrEnum):
    """The documents that have a schema."""

    SUITE = "suite"
    RECIPE = "recipe"
    PROFILE = "profile"
    VARS = "vars"
    STACK = "stack"
    WAIVERS = "waivers"
    REPORT = "report"
    INTEGRATION = "integration"
    EVENTS = "events"


_SCHEMAS = {
    Document.SUITE: json_schema.suite_schema,
    Document.RECIPE: json_schema.recipe_schema,
    Document.PROFILE: json_schema.profile_schema,
    Document.VARS: json_schema.vars_schema,
    Document.STACK: json_schema.stack_schema,
    Document.WAIVERS: json_schema.waivers_schema,
    Document.REPORT: published.report_schema,
    Document.INTEGRATION: integration_schema,
    Document.EVENTS: published.events_schema,
}


@app.command(cls=Command)
def schema(
    document: Annotated[
        Document,
        typer.Argument(metavar="DOCUMENT", help=f"{', '.join(Document)}."),
    ] = Document.REPORT,
) -> None:
    """Print the JSON Schema of suites, recipes, profiles, vars, stack or waivers, of the JSON reports or events."""
    print_out(json.dumps(_SCHEMAS[document](), indent=2, ensure_ascii=False) + "\n")
