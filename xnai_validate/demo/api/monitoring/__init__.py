"""Health report, health monitor, alerts, metrics and audit records."""
