"""The hook of MkDocs that adds the generated pages of the reference to those of `docs/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from manual.pages import reference
from xnai_validate import registry

KINDS = "reference/kinds"


def on_config(config: MkDocsConfig) -> None:
    """List the page of each family of kinds under "Kinds", and pages that mkdocs.yml does not name under "More"."""
    text = Path(config.config_file_path).read_text(encoding="utf-8")
    pages = sorted(str(path.relative_to(config.docs_dir)) for path in Path(config.docs_dir).rglob("*.md"))
    more = [page for page in pages if page not in text]
    config.nav = [*_filled(config.nav), *([{"More": more}] if more else [])]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; nothing is written to `docs/`."""
    for path, text in reference():
        files.append(File.generated(config, path, content=text))
    return files


def _filled(nav: Any) -> Any:
    if isinstance(nav, list):
        return [_filled(item) for item in nav]
    if isinstance(nav, dict):
        return {title: _filled(inner) for title, inner in nav.items()}
    return [f"{KINDS}/{name}.md" for name in ("index", *registry.CHECKERS.families())] if nav == f"{KINDS}/" else nav
