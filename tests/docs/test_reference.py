"""The generated reference holds everything that there is, out of the code itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from manual import outcomes
from manual.markdown import cell, code, escape, prose, table
from manual.pages import reference
from xnai_validate import registry
from xnai_validate.cli.app import COMMANDS, app
from xnai_validate.cli.commands import run
from xnai_validate.model.judging.rules import parse_rules
from xnai_validate.model.results.verdict import Exit

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Path below docs/ -> text of each generated page."""
    return dict(reference())


URLS = {"amqp": "amqp://127.0.0.1:9", "kafka": "kafka://127.0.0.1:9", "sql": "postgres://me@127.0.0.1:9/shop"}
"""Family of kinds -> the url of a target in its examples, where that is not HTTP."""


def examples() -> dict[str, list[dict[str, Any]]]:
    """Kind -> the examples in its documentation, each as a check; those with `...` in them are not whole."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in registry.CHECKERS.names():
        checker = registry.CHECKERS.get(kind)
        for block in re.findall(r"```yaml\n(.*?)```", prose(checker.doc), re.DOTALL):
            for text in re.split(r"(?m)^(?=kind: )", block):
                if text.startswith("kind: ") and "..." not in text:
                    check = yaml.safe_load(text)
                    check.pop("after", None)  # checks of a stack that is not here
                    if checker.needs_target:
                        check.setdefault("target", "redis" if checker.family == "redis" else "api")
                    found.setdefault(kind, []).append(check)
    return found


def test_the_examples_of_kinds_are_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the documentation of a kind shows is linted, against the vars of the XNAi stack, without an error."""
    profile: dict[str, Any] = {"title": "Examples", "extends": "stack", "targets": {}, "suites": ["examples/*"]}
    (tmp_path / "checks" / "examples").mkdir(parents=True)
    (tmp_path / "profiles").mkdir()
    shown = examples()
    assert sum(map(len, shown.values())) >= 50
    for kind, checks in shown.items():
        family = kind.partition(".")[0]
        for name in re.findall(r'"(?:target|in)": "([\w-]+)"', json.dumps(checks)):
            url = URLS.get(family, "redis://127.0.0.1:9" if name == "redis" else "http://127.0.0.1:9")
            profile["targets"].setdefault(name, {"url": url, "container": name})
        suite = {"title": kind, "checks": [{"id": f"e{n}", "title": kind, **check} for n, check in enumerate(checks)]}
        path = tmp_path / "checks" / "examples" / f"{kind.replace('.', '-')}.yaml"
        path.write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
    (tmp_path / "profiles" / "examples.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["lint", "examples"])
    assert result.exit_code == 0, result.stderr


def test_every_kind_has_its_parameters_and_facts(pages: dict[str, str]) -> None:
    """Each kind stands on the page of its family and in the index, with every parameter and every fact."""
    for kind in registry.CHECKERS.names():
        checker = registry.CHECKERS.get(kind)
        text = pages[f"reference/kinds/{checker.family}.md"].partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
        names = [field.alias or name for name, field in checker.params.model_fields.items()]
        assert [name for name in [*names, *checker.types] if f"`{name}`" not in text] == [], kind
        assert f"[`{kind}`]({checker.family}.md#" in pages["reference/kinds/index.md"]


def test_every_fault_has_its_parameters(pages: dict[str, str]) -> None:
    """Each fault has a section with its title and its parameters."""
    for name in registry.FAULTS.names():
        fault = registry.FAULTS.get(name)
        text = pages["reference/faults.md"].partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        names = [field.alias or each for each, field in fault.params.model_fields.items()]
        assert [each for each in names if f"`{each}`" not in text] == [], name


def test_every_command_and_option_is_listed(pages: dict[str, str]) -> None:
    """Each command has a section; that of `run` has every option with its help."""
    text = pages["reference/commands.md"]
    for name in COMMANDS:
        assert f"\n## {name}\n" in text
    section = text.partition("\n## run\n")[2].partition("\n## ")[0]
    for option in get_command(run.app).params:
        assert option.param_type_name == "argument" or option.opts[0] in section


def test_every_key_of_a_check_and_a_target_is_listed(pages: dict[str, str]) -> None:
    """The objects of profiles and suites have tables of their keys."""
    text = pages["reference/files.md"]
    for name in ("CheckEntry", "TargetEntry", "AuthEntry", "LimitsEntry", "SteadyEntry"):
        assert f"\n### {name}\n" in text
    for key in (
        "`needs`",
        "`until`",
        "`under`",
        "`matrix`",
        "`password_env`",
        "`secret_env`",
        "`criteria`",
        "`waivers`",
    ):
        assert f"| {key} |" in text


def test_every_recipe_is_listed(pages: dict[str, str]) -> None:
    """Each bundled recipe has a section with its parameters."""
    for path in (ROOT / "checks" / "recipes").glob("*.yaml"):
        text = pages["reference/recipes.md"].partition(f"\n## {path.stem}\n")[2].partition("\n## ")[0]
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert all(f"`{name}`" in text for name in recipe.get("params") or {})
        assert all(f"`{check['id']}`" in text for check in recipe["checks"])


def test_the_operators_of_rules_are_those_of_the_schema(pages: dict[str, str]) -> None:
    """The page refuses an operator without a description, and its example is a rule."""
    text = pages["reference/rules.md"]
    (example,) = re.findall(r"```yaml\nexpect:\n(.*?)```", text, re.DOTALL)
    checker = registry.CHECKERS.get("http.request")
    rules, problems = parse_rules(yaml.safe_load(example), checker.types, kind=checker.kind)
    assert len(rules) == 3
    assert not problems


def test_every_exit_code_has_its_meaning(pages: dict[str, str]) -> None:
    """The code, its name and the text under it; the tables written by hand list the same codes."""
    text = pages["reference/exit-codes.md"]
    meanings = outcomes.meanings()
    assert set(meanings) == {each.name for each in Exit}
    for each in Exit:
        assert f"| {int(each)} | `{each.name}` | {meanings[each.name]} |" in text
    for document in ("README.md", "docs/commands.md"):
        table_by_hand = (ROOT / document).read_text(encoding="utf-8").partition("| exit code |")[2]
        assert re.findall(r"(?m)^\| (\d+) \|", table_by_hand) == [str(int(each)) for each in Exit]


def test_every_environment_variable_that_is_read_is_listed(pages: dict[str, str]) -> None:
    """What the sources read by name, and the options of `run`, stand on the page."""
    text = pages["reference/environment.md"]
    read: set[str] = set()
    for path in (ROOT / "xnai_validate").rglob("*.py"):
        if "demo" not in path.parts:
            source = path.read_text(encoding="utf-8")
            read |= set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', source))
            read |= set(re.findall(r'envvar="([A-Z_]+)"', source))
    assert read >= {"CI", "TERM", "COLUMNS"}
    assert [name for name in read if f"`{name}`" not in text] == []
    assert "`XNAI_VALIDATE_FAIL_ON`" in text
    assert set(outcomes.VARIABLES) <= set(re.findall(r"`([A-Z_]+)`", text))


def test_markdown_keeps_what_is_written() -> None:
    """A `|` ends no cell, markup in prose stays text, an indented example becomes a block."""
    assert cell("a | b\n  `c|d`") == "a \\| b `c|d`"
    assert code("a`b") == "`` a`b ``"
    assert escape("<a> `<b>` *c*") == "\\<a> `<b>` \\*c\\*"
    assert table(("x",), []) == "None.\n"
    assert prose("First\nline::\n\n    a: 1\n\nLast.") == "First line:\n\n```yaml\na: 1\n```\n\nLast.\n"
