"""A plugin for pytest: the checks of a profile as test items, behind which one run measures all of them.

`pytest --xnai-profile preflight --xnai-demo`. Without the option nothing but these few lines is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

OPTIONS = (
    ("--xnai-profile", "PROFILE", "Run the checks of this profile as tests (repeatable)."),
    ("--xnai-target", "NAME=URL", "URL of a target (repeatable)."),
    ("--xnai-var", "KEY=VALUE", "Set a variable of the profile (repeatable)."),
    ("--xnai-allow", "WHAT", "Allow checks that are 'disruptive'."),
    ("--xnai-path", "DIR", "Search this folder first for profiles and suites (repeatable)."),
)
"""Option, the name of its value, help; each may be given several times."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("xnai-validate", "checks of a running stack")
    for name, metavar, text in OPTIONS:
        group.addoption(name, action="append", metavar=metavar, default=[], help=text)
    group.addoption("--xnai-demo", action="store_true", help="Start the embedded stack, run against it, stop it.")
    group.addoption("--xnai-stack", metavar="FILE", help="Stack file of a running stack (JSON or YAML).")
    group.addoption("--xnai-shard", metavar="K/N", help="Take part K of N of the checks, for the jobs of a CI matrix.")


def pytest_configure(config: pytest.Config) -> None:
    """Register what collects the checks, if a profile is named."""
    if config.getoption("--xnai-profile"):
        from xnai_validate.pytest_plugin.collecting import Checks

        config.pluginmanager.register(Checks(config), "xnai-validate-checks")
