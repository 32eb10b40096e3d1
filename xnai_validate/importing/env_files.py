"""Files of environment variables as compose takes them: `.env` and `env_file`, with references to other variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from xnai_validate.config.env_file import env_lines
from xnai_validate.importing.compose.interpolation import Interpolation
from xnai_validate.importing.yaml_documents import read_text


def read_env_file(path: Path, known: Mapping[str, str | None]) -> dict[str, str | None]:
    """The variables of a file, in order; null for a name without `=`. Values may refer to earlier and known ones.

    Lines that are not assignments are left out: the file belongs to another program.
    """
    variables: dict[str, str | None] = {}
    for line in env_lines(read_text(path)):
        if line.name is None:
            continue
        if line.quotes == "'" or line.value is None:
            variables[line.name] = line.value
            continue
        text = line.text(dollar="$$")
        variables[line.name] = str(Interpolation({**variables, **known}).text(text)) if "$" in text else text
    return variables
