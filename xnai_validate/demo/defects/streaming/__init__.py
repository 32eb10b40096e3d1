"""Defects of token streams."""
