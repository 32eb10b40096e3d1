"""Baselines: what earlier runs measured, kept in files, and the judgement of whether a later run differs."""
