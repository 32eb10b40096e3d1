"""The promises that checks refer to: read from all contract files within reach, found by their id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import ValidationError

from xnai_validate.config.files.contract import ContractFile
from xnai_validate.config.locate import Library
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import field_errors
from xnai_validate.kit import FROM_FILE
from xnai_validate.model.results.report import Promise
from xnai_validate.model.suggestions import did_you_mean


@dataclass()
class Promises:
    """Looks promises up; the contract files are read at the first use."""

    library: Library
    problems: Problems
    strict: bool = False
    """Whether a check of a practice fails where it would warn."""

    @cached_property
    def all(self) -> Mapping[str, Promise]:
        """Id -> promise or practice, of all contract files."""
        by_id: dict[str, Promise] = {}
        for file in self.library.contracts.values():
            source = self.library.read(file)
            if source is None:
                continue
            try:
                contract = ContractFile.model_validate(source.value, context=FROM_FILE)
            except ValidationError as error:
                self.problems.extend_at(Where(source), field_errors(error, source.value, ContractFile, "a contract"))
                continue
            for key, entries in (("promises", contract.promises), ("practices", contract.practices)):
                for index, entry in enumerate(entries):
                    if entry.id in by_id:
                        self.problems.at(Where(source, (key, index, "id")), f'"{entry.id}" is defined twice')
                    by_id[entry.id] = Promise(**entry.model_dump(), practice=key == "practices")
        return by_id

    def named(self, promise: str | None, practice: str | None, where: Where) -> Promise | None:
        """The promise or practice of these ids, of which a check has at most one; None without one.

        An unknown one, and one under the wrong key, are noted as errors.
        """
        if promise and practice:
            self.problems.at(where.at("practice"), "a check has a promise or a practice, not both", key=True)
            return None
        key, name = ("practice", practice) if practice else ("promise", promise)
        if name is None:
            return None
        place = where.at(key)
        found = self.all.get(name)
        if found is None:
            hint = did_you_mean(name, self.all) or "xnai-validate list promises shows all"
            self.problems.at(place, f'unknown {key} "{name}"', hint)
        elif found.practice != (key == "practice"):
            right = "practice" if found.practice else "promise"
            self.problems.at(place, f'"{name}" is a {right}, not a {key}', f"write {right}: {name}")
        return found

    def warns(self, promise: Promise | None) -> bool:
        """Whether a check of it warns instead of failing."""
        return promise is not None and promise.practice and not self.strict


def all_promises(options: LoadOptions) -> tuple[Promise, ...]:
    """Return every promise and practice within reach, in the order of the files. Raises `InvalidConfig`."""
    problems = Problems()
    promises = tuple(Promises(Library(options, problems), problems).all.values())
    problems.raise_if_any()
    return promises
