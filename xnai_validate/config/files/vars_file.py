"""A file of vars, `checks/<category>/<name>.yaml`: what a user replaces whole, such as the canary questions."""

from __future__ import annotations

from pydantic import ValidationError

from xnai_validate.config.files.common import Entry
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import wrongs
from xnai_validate.kit import FROM_FILE
from xnai_validate.model.json import JsonObject, JsonValue


class VarsFile(Entry):
    """Vars that a profile takes over by naming the file under `vars_files`."""

    title: str = ""
    vars: JsonObject
    """Nested values that checks refer to as `${dotted.path}`."""


def holds_vars(value: JsonValue) -> bool:
    """Whether this is the content of a file of vars, which lies among the suites and is none."""
    return isinstance(value, dict) and "vars" in value and "checks" not in value


def read_vars(source: Source, problems: Problems) -> JsonObject | None:
    """The vars of a file; None where it has mistakes, which are noted."""
    if not isinstance(source.value, dict):
        problems.at(Where(source), "a file of vars is a mapping with `vars`")
        return None
    try:
        VarsFile.model_validate(source.value, context=FROM_FILE)
    except ValidationError as error:
        for wrong in wrongs(error, source.value, VarsFile, "a file of vars"):
            problems.at(Where(source, wrong.steps), wrong.message, wrong.hint, key=wrong.key)
        return None
    found = source.value["vars"]
    return found if isinstance(found, dict) else None
