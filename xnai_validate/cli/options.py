"""The options of `run`, said once: Typer makes its help and its messages of them, the quick parser its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Takes = Literal["flag", "toggle", "text", "texts", "number", "choice", "path", "paths"]
PREFIX = "XNAI_VALIDATE_"


class Option(NamedTuple):
    """One option; a tuple, since it is made at every start."""

    name: str
    """As `Request.parse` calls it."""
    takes: Takes
    """`flag` and `toggle` stand alone, the plural ones are repeatable."""
    help: str
    metavar: str | None = None
    flags: tuple[str, ...] = ()
    """By default its name with two hyphens; a toggle has the one that sets it and the one that unsets it."""
    env: str | None = ""
    """The environment variable after the prefix; by default its name in capitals, None for none."""
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    default: str | None = None

    @property
    def spellings(self) -> tuple[str, ...]:
        """What chooses it on the command line."""
        return self.flags or (f"--{self.name.replace('_', '-')}",)

    @property
    def variable(self) -> str | None:
        """The environment variable that sets it."""
        return None if self.env is None else PREFIX + (self.env or self.name.upper())

    @property
    def unset(self) -> object:
        """The value where it is not given."""
        return {"flag": False, "texts": [], "paths": []}.get(self.takes, self.default)


PROFILES = Option("profiles", "texts", "Names of profiles, or files.", "PROFILE", env="PROFILE")
"""The argument, all others are options."""
_STACK = (
    Option("demo", "flag", "Start the embedded stack, run against it, stop it."),
    Option("layout", "choice", "Interfaces of the embedded stack (default: A).", choices=("A", "B")),
    Option("defects", "texts", "Break the embedded stack in this way (repeatable).", "NAME", ("--defect",), "DEFECT"),
    Option("targets", "texts", "Where a target is (repeatable).", "NAME=URL", ("--target",), "TARGET"),
    Option("stack", "path", "The handover of a running stack (JSON or YAML).", "FILE"),
    Option("vars_", "texts", "A var of the profile (repeatable).", "KEY=VALUE", ("--var",), "VAR"),
    Option("listen", "text", "The address here that the stack posts its alerts to.", "HOST:PORT"),
)
_CHECKS = (
    Option("only", "texts", "Only checks whose id fits, such as 'api/*' (repeatable).", "GLOB"),
    Option("tags", "texts", "Only checks with this tag (repeatable).", "TAG", ("--tag",), "TAG"),
    Option("skip_tags", "texts", "No checks with this tag (repeatable).", "TAG", ("--skip-tag",), "SKIP_TAG"),
    Option("rerun", "choice", "Only what failed in the last run of the same profiles.", choices=("failed",)),
    Option("allow", "texts", "Allow 'disruptive' checks (repeatable).", "WHAT"),
    Option("allow_remote", "flag", "Let targets be disturbed that are neither on loopback nor at a private address."),
    Option(
        "paths",
        "paths",
        "Search profiles and suites here first (repeatable; also XNAI_VALIDATE_PATH).",
        "DIR",
        ("--path",),
        None,
    ),
)
_COURSE = (
    Option("dry_run", "flag", "Show what would run; touch nothing."),
    Option("wait", "text", "Retry preconditions until the stack is up: 60s.", "TIME"),
    Option(
        "concurrency",
        "number",
        "Checks at once, instead of the profile's limit.",
        "N",
        flags=("--concurrency", "-j"),
        least=1,
        most=512,
    ),
    Option("deadline", "text", "End the run after this time: 5m. It then exits 5.", "TIME"),
    Option("fail_fast", "flag", "End at the first failure.", flags=("--fail-fast", "-x")),
    Option("fail_on", "texts", "Also fail on warn, flaky, skip or error.", "STATUS"),
)
_REPORT = (
    Option(
        "format_",
        "text",
        "What stdout gets: terminal, json, jsonl, junit, html, tap, markdown, github or prometheus.",
        "NAME",
        ("--format",),
        "FORMAT",
        default="terminal",
    ),
    Option(
        "outputs",
        "texts",
        "Also write the report there, as its extension says: .json .jsonl .xml .html .md .tap .prom .txt (repeatable).",
        "FILE",
        ("--output", "-o"),
        "OUTPUT",
    ),
    Option("quiet", "flag", "Only what is wrong, and the verdict.", flags=("--quiet", "-q")),
    Option("verbose", "flag", "Every check; a line each as it ends.", flags=("--verbose", "-v")),
    Option("color", "toggle", "Colour (default: on a terminal; see NO_COLOR).", flags=("--color", "--no-color")),
)
_BEFORE = (
    Option("record", "text", "Keep its figures as a baseline of this name, or add them to it.", "NAME"),
    Option("baseline", "text", "Hold the run against a baseline (or a run); worse fails it.", "NAME"),
)
HEADINGS: Mapping[str, tuple[Option, ...]] = {
    "Which stack": _STACK,
    "Which checks": _CHECKS,
    "How it runs": _COURSE,
    "What is reported": _REPORT,
    "Beside an earlier run": _BEFORE,
}
"""The options of `run`, as the help groups them."""
RUN = tuple(option for options in HEADINGS.values() for option in options)


_OTHERS = ("STATE", "PATH", "JOBS")
"""What else the tool takes from the environment: where it keeps runs, where it looks, and an option of `prove`."""


def unknown_in_environment(environ: Mapping[str, str]) -> list[str]:
    """The variables that begin as ours do and set nothing, for they are mistyped."""
    ours = [name for name in environ if name.startswith(PREFIX)]
    return sorted(set(ours) - _variables()) if ours else []


def _variables() -> set[str]:
    return {one.variable for one in (PROFILES, *RUN) if one.variable} | {PREFIX + name for name in _OTHERS}


def meant_instead(variable: str) -> str:
    """The sentence about a variable that sets nothing, with the nearest that would."""
    from xnai_validate.model.suggestions import nearest

    # What all begin with would make any two of them look alike.
    names = [name.removeprefix(PREFIX) for name in _variables()]
    guess = nearest(variable.removeprefix(PREFIX), names)
    hint = f'; did you mean "{PREFIX}{guess}"?' if guess else ""
    return f"the environment variable {variable} sets nothing{hint}"


def in_environment(environ: Mapping[str, str]) -> str:
    """A clause that names the options of `run` that the environment sets; empty where it sets none."""
    given = [one.variable for one in (PROFILES, *RUN) if one.variable and one.variable in environ]
    return f"the environment sets {', '.join(given)}" if given else ""
