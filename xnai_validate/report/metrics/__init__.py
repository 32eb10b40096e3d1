"""A run as gauges of Prometheus."""
