"""The pages of exit codes and environment variables."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

from typer.main import get_command

from manual.markdown import code, escape, table
from xnai_validate.cli.commands import run
from xnai_validate.cli.running.options import PREFIX
from xnai_validate.model.results.verdict import Exit

VARIABLES = {
    "XNAI_VALIDATE_STATE": "the folder for runs, baselines and undo records",
    "XNAI_VALIDATE_JOBS": "the option `--jobs` of `prove`",
    "XNAI_VALIDATE_EVERY": "the option `--every` of `watch` and `serve`",
    "XNAI_VALIDATE_SERVE_LISTEN": "the option `--listen` of `serve`",
    "XNAI_VALIDATE_SERVE_TOKEN_ENV": "the option `--token-env` of `serve`",
    "XNAI_VALIDATE_SERVE_TLS_CERT": "the option `--tls-cert` of `serve`",
    "XNAI_VALIDATE_SERVE_TLS_KEY": "the option `--tls-key` of `serve`",
    "OTEL_EXPORTER_OTLP_HEADERS": "more headers of the requests of `--otlp`, such as credentials",
    "XDG_STATE_HOME": "without `XNAI_VALIDATE_STATE`, the folder above it (default: `~/.local/state`)",
    "CI": "with `true`, a run in which every check was skipped exits 3, as with `--fail-if-none`",
    "GITHUB_STEP_SUMMARY": "`-o` with this file adds the report to it, as Markdown",
    "DOCKER_HOST": "the socket of the container engine, `unix://PATH`",
    "CONTAINER_HOST": "the same, as Podman names it",
    "XDG_RUNTIME_DIR": "where the socket of an engine without root is looked for",
    "REDIS_SSL_CERT_REQS": "with `none`, `init` looks for the Redis of an XNAi stack without verifying its certificate",
    "NO_COLOR": "no colours, as with `--no-color`",
    "TERM": "with `dumb`, no live display",
    "COLUMNS": "the width of the report where it is not a terminal",
}
"""Variable -> its effect, for those that set no option of `run`."""


def exit_codes() -> str:
    """Return the text of the page of exit codes."""
    texts = meanings()
    rows = [(str(int(each)), code(each.name), escape(texts[each.name])) for each in Exit]
    return f"# Exit codes\n\n{table(('code', 'name', 'meaning'), rows)}"


def meanings() -> dict[str, str]:
    """Return the name of an exit code -> the text under it."""
    (definition,) = ast.parse(inspect.getsource(Exit)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for assignment, text in pairwise(definition.body):
        if isinstance(assignment, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(assignment.targets[0])] = str(text.value.value)
    return found


def environment() -> str:
    """Return the text of the page of environment variables."""
    head = ("variable", "what it sets")
    parts = ["# Environment variables\n", "## Options of run\n"]
    parts += ["Each sets the option of the same name; the command line goes before it.\n", table(head, _options())]
    parts += ["## Others\n", table(head, ((code(name), text) for name, text in VARIABLES.items()))]
    parts.append(
        "Files refer to any variable as `${NAME}`; targets name those with secrets (`password_env`, `secret_env`).\n"
    )
    return "\n".join(parts)


def _options() -> Iterator[tuple[str, str]]:
    for parameter in get_command(run.app).params:
        name = parameter.name or ""
        if name in ("help", "profiles"):
            continue
        text = escape(str(getattr(parameter, "help", "") or ""))
        yield code(f"{PREFIX}{name.upper()}"), text
