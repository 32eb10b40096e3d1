"""Redis: whether it answers, how it is configured, what its keys and streams hold."""

KINDS = ("command", "info", "key", "keys", "ping", "pubsub", "roundtrip", "stream")
