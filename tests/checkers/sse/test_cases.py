"""Streams of server-sent events as OpenAI-like, Anthropic's, MCP and other servers of the field send them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkers.stream_cases import case_files, run_case, verify_case


@pytest.mark.parametrize("path", case_files(__file__), ids=lambda path: path.stem)
def test_a_stream_of_the_field(path: Path) -> None:
    """Each stream is read by its dialect without being described, and fails where its file's name says so."""
    verify_case(path, *run_case(path, "sse.stream", "text/event-stream"))
