"""Streams of newline-delimited JSON, from real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkers.stream_cases import case_files, run_case, verify_case


@pytest.mark.parametrize("path", case_files(__file__), ids=lambda path: path.stem)
def test_a_stream_of_ollama(path: Path) -> None:
    """Each stream of lines is read, and fails where its file's name says so."""
    verify_case(path, *run_case(path, "ndjson.stream", "application/x-ndjson"))


def test_a_stream_of_events_is_not_taken_for_lines() -> None:
    """Another content type fails by name."""
    path = Path(__file__).with_name("cases") / "ollama-chat.pass.yaml"
    _, observed = run_case(path, "ndjson.stream", "text/event-stream")
    assert [finding.fact for finding in observed.findings if not finding.held] == ["content_type"]
