"""How the help of a command is set: its options under headings, and no types of Python among them."""

from __future__ import annotations

import typer
from typer.core import TyperCommand


class Command(TyperCommand):
    """A command whose options stand under the headings that their `rich_help_panel` names."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer's own context
        """The parts of the line of usage: `[OPTIONS] PROFILE...`."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: typer.Context, formatter: typer.Context) -> None:  # type: ignore[override]
        """Write arguments by their name, then the options of each heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            name, said = record
            if parameter.param_type_name == "argument":
                heading, name = "Arguments", name.partition(" ")[0].strip("{}[].")
                said = said.replace("  [required]", "")
            else:
                heading = getattr(parameter, "rich_help_panel", None) or "Options"
            sections.setdefault(heading, []).append((name, said))
        for heading in sorted(sections, key=lambda one: (one != "Arguments", one == "Options")):
            with formatter.section(heading):  # type: ignore[attr-defined]  # a HelpFormatter, whose module is private
                formatter.write_dl(sections[heading])  # type: ignore[attr-defined]
