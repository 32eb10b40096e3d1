"""Each extra is enough for what it is for, at its lowest declared and at its newest versions, and nothing else is.

`tests/packaging/test_wheel.py` tries the extras `all` and `demo`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.packaging.installation import Environment, Versions, build_wheel, declared, install, lower_bound
from tests.packaging.interpreters import ROOT, RUNNING, interpreters
from tests.packaging.test_wheel import EVERY
from tests.packaging.trials import Trial, trials

BESIDE = {"all", "demo", "docs", "dev"}
"""Extras that are others together, that are tried elsewhere, or that only build and test the project."""
TOGETHER = {"fast": ("fast", "load"), "distributed": ("distributed", "load")}
"""Extra -> what is installed, where it serves another extra."""
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"])
NAMES = sorted(EXTRAS - BESIDE)
Trials = dict[str, Callable[[], AbstractContextManager[Trial]]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", name="all_trials")
def _all_trials(tmp_path_factory: pytest.TempPathFactory) -> Trials:
    return trials(tmp_path_factory.mktemp("trials"))


def test_each_extra_has_a_trial(all_trials: Trials) -> None:
    """Each extra is installed and tried against a real server, also one that is added later."""
    assert set(all_trials) == set(NAMES)


@pytest.mark.extra
@pytest.mark.parametrize(("python", "versions"), EVERY)
@pytest.mark.parametrize("extra", NAMES)
def test_an_extra_is_enough(
    wheel: Path, all_trials: Trials, extra: str, python: str, versions: Versions, tmp_path: Path
) -> None:
    """In an environment of nothing but the package and the extra, what needs it works with a real server."""
    extras = TOGETHER.get(extra, (extra,))
    install(wheel, interpreters()[python], tmp_path / "environment", versions, extras)
    environment = Environment(tmp_path / "environment", python)
    if versions == "lowest":
        found = environment.versions()
        differing = {
            str(requirement): str(found[canonicalize_name(requirement.name)])
            for requirement in declared(wheel, python, extras)
            if found[canonicalize_name(requirement.name)] != lower_bound(requirement)
        }
        assert differing == {}
    with all_trials[extra]() as trial:
        done = trial.make(environment, tmp_path)
    assert done.code == trial.code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    if trial.reached is not None:
        got, expected = trial.reached
        assert expected in got


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment of the package without an extra, for the running Python."""
    folder = tmp_path_factory.mktemp("plain")
    install(wheel, interpreters()[RUNNING], folder, "newest", ())
    return Environment(folder, RUNNING)


@pytest.mark.extra
@pytest.mark.parametrize("extra", [name for name in NAMES if name not in {"fast", "pytest"}])
def test_without_the_extra_it_is_named(plain: Environment, all_trials: Trials, extra: str, tmp_path: Path) -> None:
    """What needs an extra does not work without it, so its trial is about it, and the command to install it is shown.

    Without `fast` a load works too, and without pytest there is no program to show anything.
    """
    with all_trials[extra]() as trial:
        done = trial.make(plain, tmp_path)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.code not in (0, trial.code), output
    assert f"pip install 'xnai-validate[{extra}]'" in output
    assert "Traceback" not in output
