"""README.md and the pages of docs/, as what they show: commands, files, Python, reports."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TRANSCRIPT = "walkthrough.md"
"""The page whose commands are run, with the stack that it describes, by tests/extra/test_walkthrough.py."""
_SUITE = "title: A part of a document\nchecks:\n"
_PATH = re.compile(r"# ([\w.-]+(?:/[\w.-]+)*\.ya?ml)(?:[,:].*)?\n")
_OURS = ("profiles/", "checks/", "contracts/", "compose.yaml", "compose.override.yaml", "manifests/", "stack.yaml")


@dataclass(frozen=True, slots=True)
class Document:
    """One document."""

    path: Path

    @property
    def name(self) -> str:
        """Its path from the root of the project."""
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        """Its content."""
        return self.path.read_text(encoding="utf-8")

    def fences(self) -> list[tuple[str, str]]:
        """Language and content of each fenced block, in order."""
        return re.findall(r"^```(\w*)\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [text for name, text in self.fences() if name == language]

    def included(self) -> list[str]:
        """The files that it includes by MkDocs' snippets."""
        return re.findall(r'^--8<-- "(.+)"$', self.text, re.MULTILINE)

    def shell_lines(self) -> Iterator[list[str]]:
        """Every command line that a reader may copy, as its words; variables have their values."""
        for text in self.blocks("sh"):
            for line in text.replace("\\\n", " ").splitlines():
                words = shlex.split(line.partition(" > ")[0], comments=True)
                if words:
                    yield [os.path.expandvars(word) for word in words]

    def commands(self) -> list[list[str]]:
        """The words of every command of ours, without its name."""
        return [words[1:] for words in self.shell_lines() if words[0] == "xnai-validate"]

    def inline_commands(self) -> list[list[str]]:
        """The words of every command of ours within a sentence, or in an indented block."""
        quoted = re.findall(r"`(xnai-validate [^`\n]*)`|^    (xnai-validate .*)$", self.text, re.MULTILINE)
        lines = [inline or indented for inline, indented in quoted]
        return [shlex.split(line.partition(" > ")[0], comments=True)[1:] for line in lines]

    def files(self) -> dict[str, str]:
        """Path -> content of the blocks of YAML that are files of ours; a bare list of checks becomes a suite."""
        found: dict[str, str] = {}
        for number, text in enumerate(self.blocks("yaml")):
            head = _PATH.match(text)
            if head and head[1].startswith(_OURS):
                found[head[1]] = text
            elif re.match(r"\s*- id: ", text):
                found[f"checks/document/part-{number}.yaml"] = _SUITE + text
        return found

    def lay_out(self, folder: Path) -> None:
        """Write its files into a folder, on top of the shop of examples/ unless `init` is to write a profile."""
        files = self.files()
        if "compose.yaml" not in files:
            shutil.copytree(ROOT / "examples" / "profiles", folder / "profiles")
            shutil.copytree(ROOT / "examples" / "checks", folder / "checks")
        (folder / "stack.yaml").write_text("targets: {api: {url: 'http://127.0.0.1:9'}}\n", encoding="utf-8")
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def documents() -> list[Document]:
    """README.md and every page of docs/ that is written by hand."""
    return [Document(ROOT / "README.md"), *map(Document, sorted(DOCS.rglob("*.md")))]
