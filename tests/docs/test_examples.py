"""What README.md and docs/ show is so: commands run, YAML is sound, Python is accepted, reports are real."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from tests.certificates import authority
from tests.cli.process import finish, start
from tests.docs.documents import ROOT, TRANSCRIPT, Document, documents
from xnai_validate.cli.app import app
from xnai_validate.cli.commands import run, serve
from xnai_validate.cli.running.options import PREFIX
from xnai_validate.model.results.report import RunReport

DOCUMENTS = documents()
README = DOCUMENTS[0]
LANGUAGES = {"console", "sh", "yaml", "python", "json", "toml", "text", "dockerfile"}
LOOK_UP = ("lint", "explain", "list", "demo", "schema")
"""Commands that end by themselves and need no stack."""
OTHERS = {"docker", "kubectl", "make", "pipx", "pytest", "python"}
"""Commands of others that a document may show."""
CHANGING = re.compile(r"\d+(\.\d+)? (ms|s)$|(?<=127\.0\.0\.1:)\d+|(?<=checks in )[\d.]+ m?s", re.MULTILINE)

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def invoke(*words: str) -> tuple[int, str, str]:
    """Run a command in this process, which has imported everything; return its exit code, stdout and stderr."""
    result = CliRunner().invoke(app, words, env={"COLUMNS": "80"})
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with the files that the document shows."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path / "state"))
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    document.lay_out(project)
    return project


@each_document
def test_every_block_names_its_language(document: Document) -> None:
    """No block is left out of these tests for want of a language, and all YAML can be read."""
    assert {name for name, _ in document.fences()} <= LANGUAGES
    for text in document.blocks("yaml"):
        if not text.startswith("--8<--"):
            assert list(yaml.safe_load_all(text))


def test_there_is_something_of_each_language() -> None:
    """The patterns of these tests still match."""
    shown = {name for document in DOCUMENTS for name, _ in document.fences()}
    assert shown >= {"console", "sh", "yaml", "python"}
    assert sum(len(document.commands()) for document in DOCUMENTS) >= 30
    assert sum(len(document.inline_commands()) for document in DOCUMENTS) >= 15
    assert sum(len(document.files()) for document in DOCUMENTS) >= 12


@each_document
def test_the_yaml_is_sound(document: Document, folder: Path) -> None:
    """Every profile, suite, contract and check that is shown is linted without an error, with what `init` writes."""
    if document.path.name == TRANSCRIPT:
        (folder / "certs").mkdir()
        authority(folder / "certs")
    elif (folder / "compose.yaml").is_file():
        assert invoke("init")[0] == 0
    folders = [name for name in ("checks", "profiles") if (folder / name).is_dir()]
    code, _, err = invoke("lint", *folders)
    assert code == 0, err


@each_document
def test_the_commands_run_in_their_order(document: Document, folder: Path) -> None:
    """Those that look things up and `init` as they stand; a run is planned, and sends nothing."""
    if document.path.name == TRANSCRIPT:
        return
    if ["init"] in document.commands():
        (folder / ".env").write_text("", encoding="utf-8")
    for words in document.commands():
        if words == ["init"] or words[0] in LOOK_UP:
            code, out, err = invoke(*words)
            assert code == 0, err
            assert out + err
        elif words[0] == "run":
            code, out, err = invoke(*planned(words))
            assert code == 0, f"{words}: {err}"
            assert "would run" in out


def planned(words: list[str]) -> list[str]:
    """A run that is only planned; the baseline, run or file that it refers to is made by commands before it."""
    for option in ("--baseline", "--rerun", "--shard-times"):
        if option in words:
            at = words.index(option)
            words = [*words[:at], *words[at + 2 :]]
    return words if "--dry-run" in words else [*words, "--dry-run"]


@each_document
def test_the_commands_and_their_options_exist(document: Document) -> None:
    """Commands of ours, also within sentences, are those of the help; other programs are known ones."""
    helps: dict[str, str] = {}
    for words in (*document.commands(), *document.inline_commands()):
        command = [] if words[0].startswith("-") else words[:1]
        name = "".join(command)
        if name not in helps:
            helps[name] = invoke(*command, "--help")[1]
        assert helps[name].startswith("Usage:"), words
        for word in words[len(command) :]:
            if word.startswith("-"):
                assert re.search(rf"(?<![\w-]){re.escape(word.partition('=')[0])}(?![\w-])", helps[name]), words
    assert {words[0] for words in document.shell_lines()} <= OTHERS | {"xnai-validate"}


@each_document
def test_the_targets_of_make_exist(document: Document) -> None:
    """Those of the blocks and those within sentences."""
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", document.text, re.MULTILINE))
    assert [name for name in named if not re.search(rf"^{name}:", made, re.MULTILINE)] == []


def test_the_readme_is_short_and_names_the_set_up() -> None:
    """It fits on three screens; two commands do all the set-up; its links lead to files."""
    assert len(README.text.splitlines()) <= 130
    assert [words for words in README.shell_lines() if words[0] == "make"] == [["make", "demo"], ["make", "test"]]
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README.text)
    assert len(links) >= 20
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_included_files_exist_and_are_tested_elsewhere() -> None:
    """A page includes only the image's recipe and files of examples/, which tests/packaging runs."""
    included = [name for document in DOCUMENTS for name in document.included()]
    assert len(included) >= 6
    assert all((ROOT / name).is_file() and re.match(r"examples/|Dockerfile$", name) for name in included)


def test_the_options_of_run_in_the_table_exist() -> None:
    """The options that the table of commands.md lists are options of run."""
    (text,) = [document.text for document in DOCUMENTS if document.path.name == "commands.md"]
    table = text.partition("## Options of run")[2].partition("An environment variable")[0]
    known = {spelling for option in get_command(run.app).params for spelling in option.opts}
    listed = set(re.findall(r"(?<=`)--?[a-z-]+", table))
    assert len(listed) >= 20
    assert listed <= known


def test_the_environment_variables_exist() -> None:
    """A variable of ours that a document names sets an option of run or of serve, or is read by name."""
    known = {f"{PREFIX}{(option.name or '').upper()}" for option in get_command(run.app).params}
    known |= {str(option.envvar) for option in get_command(serve.app).params if option.envvar}
    known |= {PREFIX, f"{PREFIX}STATE", f"{PREFIX}PATH"}
    named = {name for document in DOCUMENTS for name in re.findall(r"XNAI_VALIDATE_[A-Z_]*", document.text)}
    assert named
    assert named <= known


PYTHON = [(document, text) for document in DOCUMENTS for text in document.blocks("python")]
API = [text for _, text in PYTHON if "xnai_validate.api" in text]
EXTENSIONS = [text for _, text in PYTHON if text not in API]


def head(text: str) -> str:
    """The first line of an example, which names its test."""
    return text.partition("\n")[0]


@pytest.mark.parametrize("text", API, ids=head)
def test_the_api_is_as_the_example_has_it(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example runs as it stands, against the embedded stack."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path / "state"))
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(text, "example.py", "exec", dont_inherit=True), names)
    report = names["report"]
    assert isinstance(report, RunReport)
    assert report.run.profiles == ("preflight",)


@pytest.mark.parametrize("text", EXTENSIONS, ids=head)
def test_the_python_is_accepted(text: str) -> None:
    """What is imported is there, and what is declared is accepted, as when a family is loaded."""
    names: dict[str, object] = {"__name__": "oracle", "__doc__": "Checks of an oracle."}
    exec(compile(text, "example.py", "exec", dont_inherit=True), names)
    assert {"Ask", "Silence", "FORMAT"} & set(names)


REPORTS = [
    pytest.param(document, text, id=f"{document.name}: {head(text)}")
    for document in DOCUMENTS
    if document.path.name != TRANSCRIPT
    for text in document.blocks("console")
]


@pytest.mark.parametrize(("document", "shown"), REPORTS)
def test_the_report_that_is_shown_is_real(document: Document, shown: str, folder: Path) -> None:
    """The command at its head writes these lines, but for ports and times; `...` stands for others."""
    command, _, expected = shown.partition("\n")
    _, out, _ = finish(start(*shlex.split(command)[2:], COLUMNS="80"))
    written = _unchanging(out)
    for part in _unchanging(expected).split("...\n"):
        assert part in written


def _unchanging(text: str) -> str:
    """The text without ports and times, and the blanks before a time."""
    return re.sub(r" +(?=#)", " ", CHANGING.sub("#", text))
