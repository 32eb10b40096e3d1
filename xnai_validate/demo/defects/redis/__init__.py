"""Defects of Redis, of its neighbours, and of the TLS in front of it."""
