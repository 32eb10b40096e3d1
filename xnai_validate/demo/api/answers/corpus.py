"""The documents that the embedded stack answers from, and questions that they answer."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

CANARIES: list[dict[str, str]] = [
    {"question": "What is Xoe-NovAi?", "expect": "local-first assistant", "source": "xoe-novai.md"},
    {
        "question": "Which services does the XNAi Foundation stack consist of?",
        "expect": "curation worker",
        "source": "foundation-stack.md",
    },
    {
        "question": "How many dimensions do the vectors of retrieval have?",
        "expect": "384 dimensions",
        "source": "retrieval.md",
    },
    {
        "question": "After how many failures does the circuit breaker of the RAG API open?",
        "expect": "three failures",
        "source": "circuit-breakers.md",
    },
    {"question": "Which port does the Caddy gateway listen on?", "expect": "port 8000", "source": "gateway.md"},
    {
        "question": "At what percent of memory does degradation tier two begin?",
        "expect": "85 percent",
        "source": "degradation.md",
    },
    {
        "question": "Which Redis database does Vikunja use?",
        "expect": "database five",
        "source": "vikunja.md",
    },
    {"question": "How large may a voice recording be?", "expect": "ten megabytes", "source": "voice.md"},
]
"""Questions with a phrase that the answer must contain and the document that it must cite."""


@dataclass(frozen=True, slots=True)
class Document:
    """One bundled document; `source` is the name under which answers cite it."""

    source: str
    title: str
    text: str

    def passages(self) -> list[str]:
        """The paragraphs of the text, each on one line."""
        return [" ".join(part.split()) for part in self.text.split("\n\n") if part.strip()]


def canaries() -> list[dict[str, str]]:
    """The canary questions, each with the text of its document."""
    texts = {document.source: document.text for document in documents()}
    return [{**canary, "document": texts[canary["source"]]} for canary in CANARIES]


def documents() -> list[Document]:
    """All bundled documents, by name."""
    folder = resources.files("xnai_validate.demo.api") / "documents"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".md")), key=lambda file: file.name)
    return [_read(file.name, file.read_text(encoding="utf-8")) for file in files]


def _read(name: str, content: str) -> Document:
    """The first line of a document is its title, after `# `."""
    title, _, text = content.partition("\n")
    return Document(name, title.removeprefix("# ").strip(), text.strip())
