"""Defects of the metrics."""
