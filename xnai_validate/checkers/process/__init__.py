"""The process behind a target: its state, and whether work makes it grow."""
