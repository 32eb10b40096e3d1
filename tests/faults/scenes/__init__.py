"""A scene for each fault: a target, params, and how the fault shows."""
