"""Files of environment variables: `.env` and `env_file`, as compose reads them.

Source: Docker Compose, Set, use and manage variables in a Compose file (.env file syntax).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from xnai_validate.importing.compose.interpolation import Interpolation
from xnai_validate.importing.yaml_documents import read_text

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*
        (?:[=:][ \t]*(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<plain>[^\n]*?))
        [ \t\r]*(?:[ \t]\#[^\n]*)?)?$""",
    re.MULTILINE | re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$$"}


def read_env_file(path: Path, known: Mapping[str, str | None]) -> dict[str, str | None]:
    """The variables of a file, in order; null for a name without `=`. Values may refer to earlier and known ones."""
    variables: dict[str, str | None] = {}
    for match in _LINE.finditer(read_text(path)):
        name = match["name"]
        if match["single"] is not None:
            variables[name] = match["single"]
            continue
        text = match["double"] if match["double"] is not None else match["plain"]
        if text is None:
            variables[name] = None
            continue
        if match["double"] is not None:
            text = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), text, flags=re.DOTALL)
        elif text.startswith("#"):
            text = ""
        variables[name] = str(Interpolation({**variables, **known}).text(text)) if "$" in text else text
    return variables
