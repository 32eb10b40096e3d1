"""The model of a vars file, `checks/<category>/<name>.yaml`: vars to replace whole, such as the canary questions."""

from __future__ import annotations

from pydantic import ValidationError

from xnai_validate.config.files.entry import Entry
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import field_errors
from xnai_validate.kit import FROM_FILE
from xnai_validate.model.json import JsonObject


class VarsFile(Entry):
    """Vars that a profile includes by naming the file under `vars_files`."""

    title: str = ""
    vars: JsonObject
    """Nested values that checks refer to as `${dotted.path}`."""


def read_vars(source: Source, problems: Problems) -> JsonObject | None:
    """The vars of a file; None if it has errors, which are noted."""
    if not isinstance(source.value, dict):
        problems.at(Where(source), "a file of vars is a mapping with `vars`")
        return None
    try:
        VarsFile.model_validate(source.value, context=FROM_FILE)
    except ValidationError as error:
        problems.extend_at(Where(source), field_errors(error, source.value, VarsFile, "a file of vars"))
        return None
    values = source.value["vars"]
    return values if isinstance(values, dict) else None
