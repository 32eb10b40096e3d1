"""Profiles and suites in YAML, verified and resolved to a plan."""
