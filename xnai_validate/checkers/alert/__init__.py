"""Alerts: whether what people must be told reaches them, once and in time."""
