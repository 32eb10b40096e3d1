"""Streams of newline-delimited JSON, as Ollama's own API sends them."""
