"""Messages about runs to other systems: notifications of changes, and pings to a dead man's switch."""
