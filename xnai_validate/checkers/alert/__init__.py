"""Alerts: whether they reach their recipients, once and in time."""
