"""Logs: which lines were written since the run or the check began."""
