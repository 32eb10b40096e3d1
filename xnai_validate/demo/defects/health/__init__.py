"""Defects of the health report."""
