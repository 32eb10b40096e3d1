"""Faults of the machine that everything runs on."""
