"""Faults of what a target answers: a reverse proxy of our own, in a child process, stands in front of it."""

from xnai_validate.faults.http.fault import HttpFault

__all__ = ["HttpFault"]
