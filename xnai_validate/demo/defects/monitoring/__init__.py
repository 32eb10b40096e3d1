"""Defects of the health monitor, of its alerts, and of how it recovers a service."""
