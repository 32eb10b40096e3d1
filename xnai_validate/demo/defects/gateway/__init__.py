"""Defects of the gateway."""
