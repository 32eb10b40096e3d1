"""Defects of the API documentation."""
