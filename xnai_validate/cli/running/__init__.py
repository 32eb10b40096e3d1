"""The command `run`: its options, the plan, the event loop, the reports while it runs and at its end."""
