"""What stands in the README is so: its commands run, its YAML is sound, its Python is read, its report is real."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tests.cli.process import finish, start
from xnai_validate.cli.app import app
from xnai_validate.cli.commands import run
from xnai_validate.model.results.report import RunReport

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
INLINE = re.findall(r"`(xnai-validate [^`\n]*)`", TEXT)
SUITE = "title: A part of the README\nchecks:\n"
CHANGING = re.compile(r"\d+(\.\d+)? (ms|s)$|(?<=127\.0\.0\.1:)\d+|(?<=checks in )[\d.]+ m?s", re.MULTILINE)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [text for name, text in BLOCKS if name == language]


def commands() -> Iterator[list[str]]:
    """Every command of ours that a reader may copy, as its words."""
    for text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["xnai-validate"]:
                yield words[1:]


def files() -> dict[str, str]:
    """Path -> content of every block of YAML: the path stands at its head; a bare list of checks becomes a suite."""
    found: dict[str, str] = {}
    for number, text in enumerate(blocks("yaml")):
        head = re.match(r"# ((?:checks|contracts|profiles)/\S+\.yaml)\n", text)
        if head:
            found[head[1].replace("checks/streaming/stream", "checks/readme/stream")] = text
        else:
            found[f"checks/readme/part-{number}.yaml"] = SUITE + text
    return found


def invoke(*words: str) -> tuple[int, str, str]:
    """Run a command in this process, which has imported everything; return its exit code, stdout and stderr."""
    result = CliRunner().invoke(app, words, env={"COLUMNS": "80"})
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README shows, and the stack file that `init` would have written."""
    for name, text in files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "stack.yaml").write_text("targets: {api: {url: 'http://127.0.0.1:9'}}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path / "state"))
    return tmp_path


def test_every_block_describes_itself() -> None:
    """No block is left out of these tests for want of a language, and there are some of each."""
    assert {name for name, _ in BLOCKS} == {"console", "sh", "yaml", "python"}


def test_the_yaml_is_sound(folder: Path) -> None:
    """Every profile, suite and check that is shown is linted without an error."""
    code, out, err = invoke("lint", "checks", "profiles")
    assert code == 0, err
    assert out.startswith(f"{sum(text.count('- id: ') for text in files().values())} checks in ")


@pytest.mark.parametrize("words", [words for words in commands() if words[0] == "run"], ids=" ".join)
def test_the_runs_that_are_shown_can_be_planned(words: list[str], folder: Path) -> None:
    """Everything about them is right but that nothing is touched here."""
    if "--baseline" in words:
        # What it is compared with is recorded by the command before it, on a stack that is well.
        at = words.index("--baseline")
        words = [*words[:at], *words[at + 2 :]]
    code, out, err = invoke(*words, "--dry-run")
    assert code == 0, err
    assert "would run" in out


@pytest.mark.parametrize(
    "words", [words for words in commands() if words[0] in ("lint", "explain", "list", "demo")], ids=" ".join
)
def test_the_commands_that_look_things_up_answer(words: list[str], folder: Path) -> None:
    """They run as they stand."""
    code, out, err = invoke(*words)
    assert (code, err) == (0, "")
    assert out


def test_the_commands_within_sentences_exist() -> None:
    """Their commands and options are those of the help."""
    helps: dict[str, str] = {}
    assert len(INLINE) >= 8
    for text in (*INLINE, *(f"xnai-validate {' '.join(words)}" for words in commands())):
        words = shlex.split(text.partition(" > ")[0])[1:]
        command = [] if words[0].startswith("-") else words[:1]
        name = "".join(command)
        if name not in helps:
            helps[name] = invoke(*command, "--help")[1]
        for word in words[len(command) :]:
            if word.startswith("-"):
                assert re.search(rf"(?<![\w-]){re.escape(word.partition('=')[0])}(?![\w-])", helps[name]), text
        assert helps[name].startswith("Usage:"), text


def test_the_options_of_run_in_the_table_exist() -> None:
    """The options that the table lists are options of run."""
    table = TEXT.partition("The options of `run`")[2].partition("An environment variable")[0]
    known = {spelling for option in get_command(run.app).params for spelling in option.opts}
    listed = set(re.findall(r"(?<=`)--?[a-z-]+", table))
    assert len(listed) >= 20
    assert listed <= known


def test_the_targets_of_make_exist() -> None:
    """Those of the blocks and those within sentences."""
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", TEXT, re.MULTILINE))
    assert named
    assert [name for name in named if not re.search(rf"^{name}:", made, re.MULTILINE)] == []


API = [text for text in blocks("python") if "xnai_validate.api" in text]
KINDS = [text for text in blocks("python") if text not in API]


@pytest.mark.parametrize("text", API, ids=lambda text: text.partition("\n")[0])
def test_the_api_is_as_the_example_has_it(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example runs as it stands, against the embedded stack."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path / "state"))
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(text, "README.md", "exec", dont_inherit=True), names)
    report = names["report"]
    assert isinstance(report, RunReport)
    assert report.run.profiles == ("preflight",)


@pytest.mark.parametrize("text", KINDS, ids=lambda text: text.partition("\n")[0])
def test_the_python_is_taken(text: str) -> None:
    """What is imported is there, and what is declared is accepted, as when a family is loaded."""
    names: dict[str, object] = {"__name__": "oracle", "__doc__": "Checks of an oracle."}
    exec(compile(text, "README.md", "exec", dont_inherit=True), names)
    assert {"Ask", "Silence"} & set(names)


def test_the_report_that_is_shown_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command at its head writes these lines, but for ports and times; `...` stands for others."""
    monkeypatch.chdir(tmp_path)
    (shown,) = blocks("console")
    command, _, expected = shown.partition("\n")
    _, out, _ = finish(start(*shlex.split(command)[2:], COLUMNS="80", XNAI_VALIDATE_STATE=str(tmp_path / "state")))
    written = _unchanging(out)
    for part in _unchanging(expected).split("...\n"):
        assert part in written


def _unchanging(text: str) -> str:
    """The text without ports and times, and the blanks before a time."""
    return re.sub(r" +(?=#)", " ", CHANGING.sub("#", text))
