"""Compiling profiles and suites to a plan."""
