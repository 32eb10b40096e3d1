"""What `list` prints: a module for each source of the lists."""
