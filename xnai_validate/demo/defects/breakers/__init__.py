"""Defects of the circuit breakers."""
