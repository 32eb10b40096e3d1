"""Loads of Redis commands: one connection as a line of the generator."""
