"""JSON Schema of suite and profile files, for editors: from the models of the files and the registry."""

from __future__ import annotations

from collections.abc import Iterator

from xnai_validate.config.files.entry import Entry
from xnai_validate.config.files.profile import ProfileFile
from xnai_validate.config.files.recipe import RecipeFile
from xnai_validate.config.files.stack import StackDescription
from xnai_validate.config.files.suite import SuiteFile
from xnai_validate.config.files.vars_file import VarsFile
from xnai_validate.config.files.waivers import WaiversFile
from xnai_validate.kit import Checker
from xnai_validate.model.json import JsonObject
from xnai_validate.registry import CHECKERS, FAULTS
from xnai_validate.schema import DIALECT, REFERENCE, REFERENCE_SCHEMA, faults_schema, kinds_schema, model_schema


def suite_schema() -> JsonObject:
    """The schema of `checks/<category>/<suite>.yaml`: `with`, `expect` and `warn` by the kind of each check."""
    return _checks_schema(SuiteFile, "Suite of xnai-validate")


def recipe_schema() -> JsonObject:
    """The schema of `checks/recipes/<software>.yaml`: a suite with parameters."""
    return _checks_schema(RecipeFile, "Recipe of xnai-validate")


def _checks_schema(model: type[Entry], title: str) -> JsonObject:
    """Return the schema of a file with checks: `with`, `expect` and `warn` by the kind of each check."""
    conditions, definitions = kinds_schema(_all_checkers())
    made = model_schema(model, "", definitions)
    kinds = [name.removesuffix(":with") for name in definitions if name.endswith(":with")]
    faults = faults_schema(map(FAULTS.get, FAULTS.names()), definitions)
    disturbance = definitions["FaultEntry"]
    if isinstance(disturbance, dict):
        definitions["FaultEntry"] = {**disturbance, "allOf": faults}
    check = definitions["CheckEntry"]
    if isinstance(check, dict):
        properties = check["properties"]
        if isinstance(properties, dict):
            properties["kind"] = {"description": "The kind of check.", "enum": list(kinds)}
        definitions["CheckEntry"] = {**check, "allOf": conditions}
    return {"$schema": DIALECT, "title": title, **made, "$defs": dict(sorted(definitions.items()))}


def profile_schema() -> JsonObject:
    """The schema of `profiles/<profile>.yaml`."""
    conditions, definitions = kinds_schema(_all_checkers(), ("expect",))
    made = model_schema(ProfileFile, "", definitions)
    probe = definitions["ProbeEntry"]
    if isinstance(probe, dict):
        definitions["ProbeEntry"] = {**probe, "allOf": conditions}
    return {"$schema": DIALECT, "title": "Profile of xnai-validate", **made, "$defs": dict(sorted(definitions.items()))}


def vars_schema() -> JsonObject:
    """The schema of a file of vars, `checks/<category>/<name>.yaml`."""
    definitions: JsonObject = {}
    made = model_schema(VarsFile, "", definitions)
    return {"$schema": DIALECT, "title": "Vars of xnai-validate", **made, "$defs": dict(sorted(definitions.items()))}


def waivers_schema() -> JsonObject:
    """The schema of a file of waivers, `waivers.yaml` beside a profile."""
    definitions: JsonObject = {}
    made = model_schema(WaiversFile, "", definitions)
    return {"$schema": DIALECT, "title": "Waivers of xnai-validate", **made, "$defs": dict(sorted(definitions.items()))}


def stack_schema() -> JsonObject:
    """The schema of a stack file, for `run --stack`."""
    definitions: JsonObject = {REFERENCE: REFERENCE_SCHEMA}
    made = model_schema(StackDescription, "", definitions)
    return {"$schema": DIALECT, "title": "Stack of xnai-validate", **made, "$defs": dict(sorted(definitions.items()))}


def _all_checkers() -> Iterator[Checker]:
    """Yield the checkers of all kinds."""
    return map(CHECKERS.get, CHECKERS.names())
