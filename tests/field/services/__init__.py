"""The other parts: gateway, user interface, documentation, tasks, and TLS in front of Redis."""
