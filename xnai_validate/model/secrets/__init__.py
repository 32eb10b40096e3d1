"""Secrets: the names that hold them, and keeping them out of events."""
