"""Defects of error responses and request ids."""
