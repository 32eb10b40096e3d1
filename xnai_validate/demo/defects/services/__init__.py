"""Defects of the user interface, the documentation, Vikunja and the voice service."""
