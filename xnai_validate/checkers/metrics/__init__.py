"""Checks of metrics in Prometheus' text format or OpenMetrics."""
