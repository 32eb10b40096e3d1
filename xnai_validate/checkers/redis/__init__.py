"""Redis: whether it answers, how it is configured, what its keys and streams hold."""
