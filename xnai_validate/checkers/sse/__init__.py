"""Streams of server-sent events: what a client sees of one, and of many at once."""
