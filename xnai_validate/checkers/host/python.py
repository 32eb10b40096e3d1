"""A Python of this machine: its version, whether it is isolated, its packages."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from xnai_validate.checkers.host import _probe as probe
from xnai_validate.kit import (
    AfterValidator,
    Context,
    Duration,
    Facts,
    Field,
    FrozenModel,
    Needs,
    NotApplicable,
    Params,
    checker,
)
from xnai_validate.wire.containers.isolation import in_image

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OUTPUT_CAP = 4 * 2**20


def _verify_requirement(text: str) -> str:
    """Return the text. Raises ValueError if it is not a requirement (PEP 508)."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"{text!r} is not a requirement (PEP 508): {str(error).splitlines()[0]}") from None
    return text


class PythonParams(Params):
    """Which Python, and what it should have."""

    interpreter: str | None = None
    """The path of a Python; by default the one this tool runs on."""
    packages: list[Annotated[str, AfterValidator(_verify_requirement)]] = Field(default_factory=list)
    """Requirements as in a requirements file (PEP 508): `httpx`, `httpx>=0.27`, `tomli; python_version < '3.11'`."""
    check_conflicts: bool = False
    """Whether what every installed package requires is checked, as `pip check` does; reads all their metadata."""
    timeout: Duration = 10.0
    """How long another interpreter may take to answer."""


class PythonFacts(Facts):
    """A Python and its packages; all but `runs` and `detail` are null where it does not run."""

    runs: bool
    """Whether the interpreter could be asked."""
    detail: str | None = None
    """Why not, in words."""
    version: str | None = None
    """The version of Python, such as `3.11.7`."""
    implementation: str | None = None
    """cpython, pypy ..."""
    executable: str | None = None
    """The name of its file, without folders."""
    in_venv: bool | None = None
    """Whether it is that of a virtual environment."""
    isolated: bool | None = None
    """Whether it is that of a virtual environment that sees neither the system's packages nor the user's."""
    packages: dict[str, str] | None = None
    """Required package -> the version that is installed."""
    missing: list[str] | None = None
    """Requirements that are not met, each with what is installed instead."""
    conflicts: Annotated[list[str] | None, Needs("check_conflicts")] = None
    """Installed packages whose own requirements are not met; null where it was not checked."""


class _Package(FrozenModel, extra="ignore"):
    """An installed package, as the probe reports it."""

    version: str
    requires: list[str]


class _Report(FrozenModel, extra="ignore"):
    """What the probe reports about an interpreter."""

    version: str
    implementation: str
    executable: str
    in_venv: bool
    user_site: bool
    packages: dict[str, _Package]
    environment: dict[str, str]


@checker("host.python", expect={"runs": True, "missing": []}, target=False)
async def measure_python(params: PythonParams, ctx: Context) -> PythonFacts:
    """Look at a Python of this machine: version, isolation, required packages, conflicts between packages.

    Source: importlib.metadata of that interpreter; requirements are judged by PEP 508 and PEP 440.

        kind: host.python
        with: {interpreter: /opt/xnai/.venv/bin/python, packages: ["fastapi>=0.110", "redis"]}
        expect: {version: {matches: "^3[.]1[12]"}, isolated: true}
    """
    from packaging.requirements import Requirement

    if params.interpreter is not None and in_image():
        raise NotApplicable(
            f"the Python of the host at {params.interpreter} cannot be asked from within this container",
            hint="run the tool on the host for this check",
        )
    requirements = [Requirement(text) for text in params.packages]
    names = [requirement.name for requirement in requirements]
    try:
        if params.interpreter is None:
            answer = json.dumps(await asyncio.to_thread(probe.report, names, params.check_conflicts)).encode()
        else:
            answer = await _probe_interpreter(params.interpreter, names, params)
        seen = _Report.model_validate_json(answer)
    except TimeoutError:
        return PythonFacts(runs=False, detail=f"no answer within {params.timeout:g} s")
    except OSError as error:
        return PythonFacts(runs=False, detail=f"{params.interpreter}: {error.strerror or error}"[:300])
    except ValueError:
        return PythonFacts(runs=False, detail=f"{params.interpreter} does not answer as a Python does")
    installed = {_canonical_name(name): package for name, package in seen.packages.items()}
    return PythonFacts(
        runs=True,
        version=seen.version,
        implementation=seen.implementation,
        executable=seen.executable,
        in_venv=seen.in_venv,
        isolated=seen.in_venv and not seen.user_site,
        packages={
            each.name: installed[key].version
            for each in requirements
            if (key := _canonical_name(each.name)) in installed
        },
        missing=[text for each in requirements if (text := _unmet(each, installed, seen.environment)) is not None],
        conflicts=_conflicts(seen) if params.check_conflicts else None,
    )


async def _probe_interpreter(interpreter: str, names: list[str], params: PythonParams) -> bytes:
    """Run the probe in another interpreter and return its JSON.

    Raises OSError if the interpreter does not start, fails or prints too much; TimeoutError if it is too slow.
    """
    question = json.dumps({"names": names, "everything": params.check_conflicts})
    # Our PYTHONPATH would make it report our packages.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    process = await asyncio.create_subprocess_exec(
        interpreter, "-c", _probe_source(), question, cwd="/", env=environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(params.timeout):
            output = bytearray()
            while chunk := await process.stdout.read(65_536):
                output += chunk
                if len(output) > OUTPUT_CAP:
                    raise OSError(f"more than {OUTPUT_CAP} bytes of output")
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise OSError(f"ended with exit code {code}")
    return bytes(output)


def _probe_source() -> str:
    """Return the source of the program that the other Python runs."""
    return Path(probe.__file__).read_text(encoding="utf-8")


def _canonical_name(name: str) -> str:
    """Return the name of a package in its canonical form (PEP 503)."""
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def _unmet(requirement: Requirement, installed: Mapping[str, _Package], environment: Mapping[str, str]) -> str | None:
    """Why a requirement is not met, or None where it is or does not apply to this interpreter."""
    if requirement.marker is not None and not requirement.marker.evaluate({**environment, "extra": ""}):
        return None
    found = installed.get(_canonical_name(requirement.name))
    if found is None:
        return f"{requirement.name}{requirement.specifier}: not installed"
    if not requirement.specifier.contains(found.version, prereleases=True):
        return f"{requirement.name}{requirement.specifier}: {found.version} is installed"
    return None


def _conflicts(seen: _Report) -> list[str]:
    """Return each requirement of an installed package that is not met, in words."""
    from packaging.requirements import InvalidRequirement, Requirement

    installed = {_canonical_name(name): package for name, package in seen.packages.items()}
    conflicts: list[str] = []
    for name, package in sorted(seen.packages.items()):
        for text in package.requires:
            try:
                unmet = _unmet(Requirement(text), installed, seen.environment)
            except InvalidRequirement:
                continue  # some old packages carry what today's rules refuse; pip passes over it too
            if unmet is not None:
                conflicts.append(f"{name} {package.version} requires {unmet}")
    return conflicts
