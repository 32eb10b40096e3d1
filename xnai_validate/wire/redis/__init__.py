"""Redis for checkers and faults: connections, replies within bounds, clusters."""
