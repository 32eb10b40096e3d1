"""`xnai-validate schema`: the JSON Schemas of what is read and what is written."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Document(StrEnum):
    """What a schema is of."""

    SUITE = "suite"
    PROFILE = "profile"
    VARS = "vars"
    REPORT = "report"
    EVENTS = "events"


def command(
    document: Annotated[
        Document, typer.Argument(metavar="DOCUMENT", help="suite, profile, report or events.")
    ] = Document.REPORT,
) -> None:
    """Print the JSON Schema of suites, profiles, the JSON report or the events."""
    import json

    from xnai_validate import schema
    from xnai_validate.cli.console import print_out
    from xnai_validate.config.files import json_schema as fileschema

    made = {
        Document.SUITE: fileschema.suite_schema,
        Document.PROFILE: fileschema.profile_schema,
        Document.VARS: fileschema.vars_schema,
        Document.REPORT: schema.report_schema,
        Document.EVENTS: schema.events_schema,
    }[document]()
    print_out(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
