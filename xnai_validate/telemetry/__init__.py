"""A run as a trace of OpenTelemetry (extra `otel`)."""
