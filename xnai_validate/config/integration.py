"""The profiles that compile earlier runs into the integration report instead of running checks."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from xnai_validate.config.compile.profile_chain import Chain
from xnai_validate.config.files.profile import IntegrationEntry
from xnai_validate.config.locate import Library
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.errors import ConfigError
from xnai_validate.kit import FROM_FILE


def integration_of(names: Sequence[str], options: LoadOptions) -> IntegrationEntry | None:
    """Return what a profile compiles; None if the profiles run checks, or have errors, which loading them reports.

    Raises ConfigError for such a profile beside others.
    """
    problems = Problems()
    chain = Chain(Library(options, problems), problems)
    for name in names:
        chain.add(name)
    links = [link for link in chain.links.values() if link.named and "integration" in link.raw]
    if not links:
        return None
    if len(names) > 1:
        raise ConfigError(
            f"{links[0].name} compiles earlier runs, and cannot be run with other profiles", hint="run it by itself"
        )
    try:
        return IntegrationEntry.model_validate(links[0].raw["integration"], context=FROM_FILE)
    except ValidationError:
        return None
