"""`init` with compose files, manifests or an OpenAPI document: write a profile and suites, report what to look at."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xnai_validate.atomic_write import atomic_write
from xnai_validate.cli.terminal.console import print_notice, print_out
from xnai_validate.config.catalogue import catalogue
from xnai_validate.errors import ConfigError
from xnai_validate.importing.compose.files import default_files
from xnai_validate.importing.compose.read import read_compose
from xnai_validate.importing.kubernetes.read import read_kubernetes
from xnai_validate.importing.openapi.checks import ApiTarget, add_api, api_project
from xnai_validate.importing.openapi.document import read_document
from xnai_validate.importing.project import Project
from xnai_validate.importing.stack_checks import ImportedStack, imported
from xnai_validate.importing.writing.text import files_of
from xnai_validate.importing.writing.written_files import COPIES, Change, changes, foreign_files
from xnai_validate.report.lists import counted


@dataclass(frozen=True, slots=True)
class ImportSources:
    """What is imported, as the command line names it."""

    compose: tuple[Path, ...] = ()
    profiles: tuple[str, ...] = ()
    env_files: tuple[Path, ...] = ()
    kubernetes: Path | None = None
    """A file or a folder of manifests, in place of compose files."""
    openapi: str | None = None
    """The url or the file of an OpenAPI document; alone, or besides compose files or manifests."""
    api: ApiTarget | None = None
    """The target of the API; None for the server that the document names."""

    def stack(self, first_checks: Mapping[str, str]) -> ImportedStack:
        """What is written of the sources; `first_checks`: recipe -> the id of its first check. Raises ConfigError."""
        document = read_document(self.openapi) if self.openapi is not None else None
        alone = document is not None and not self.compose and self.kubernetes is None
        project = api_project(document) if document is not None and alone else self._read_project()
        stack = imported(project, first_checks)
        if document is not None:
            add_api(stack, document, self.api)
        return stack

    def _read_project(self) -> Project:
        """Read the manifests or compose files."""
        if self.kubernetes is not None:
            return read_kubernetes(self.kubernetes)
        files = self.compose or tuple(default_files(Path()))
        return read_compose(files, profiles=self.profiles, env_files=self.env_files, environ=os.environ)


def import_stack(sources: ImportSources, *, update: bool) -> None:
    """Write the profile and the suites of a stack; with `update`, show and make what has changed since."""
    recipes = {recipe.name.partition("/")[2]: recipe.checks for recipe in catalogue().recipes}
    first = {name: checks[0].id.partition(":")[2] for name, checks in recipes.items() if checks}
    stack = sources.stack(first)
    project = stack.project
    files = files_of(stack)
    foreign = foreign_files(Path(), files)
    if foreign:
        hint = "rename it, or give the project another name: COMPOSE_PROJECT_NAME=NAME"
        raise ConfigError(f"{foreign[0]} exists, and init has not written it", hint=hint)
    planned = changes(Path(), files)
    if any(change.before is not None for change in planned) and not update:
        hint = "xnai-validate init --update shows what has changed, and keeps your edits"
        raise ConfigError(f"profiles/{project.name}.yaml is written already", hint=hint)
    for change in planned:
        if change.before is not None:
            print_out(change.diff)
    _write_changes(planned)
    _print_summary(stack, planned)


def _write_changes(planned: Sequence[Change]) -> None:
    """Write the changed files, and beside them copies as generated, for the next import to compare with."""
    for change in planned:
        for path, text in ((Path(change.path), change.after), (Path(COPIES) / change.path, change.written)):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                atomic_write(path, (text,))
            except OSError as error:
                raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None


def _print_summary(stack: ImportedStack, planned: Sequence[Change]) -> None:
    """Print what was not read or left out, what was found, and what each file has become."""
    project = stack.project
    for note in project.notes:
        print_notice(f"not read  {note}")
    for service in project.services:
        for note in service.notes:
            print_notice(f"not read  {service.name}: {note}")
    for name, why in project.left_out.items():
        print_notice(f"left out  {name} {why}")
    for finding in stack.findings:
        print_notice(f"finding   {finding}")
    for change in planned:
        state = "written " if change.before is None else "updated " if change.diff else "the same"
        edited = f"; {counted(change.conflicts, 'change')} left out, because you edited the same lines"
        print_notice(f"{state}  {change.path}{edited if change.conflicts else ''}")
    checks = sum(map(len, stack.suites.values()))
    recipes = sum(part.recipe is not None for part in stack.parts)
    services = f"{counted(len(project.services), 'service')}, " if project.services else ""
    read = f"{services}{counted(checks, 'check')} and {counted(recipes, 'recipe')}"
    print_notice(f"{read}; next: xnai-validate run {project.name}{stack.env_files}")
