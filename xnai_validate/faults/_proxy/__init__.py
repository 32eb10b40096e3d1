"""A proxy of our own in front of a target, in a child process that lives no longer than its parent."""
