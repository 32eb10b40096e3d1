"""Container engines, and the processes behind targets."""
