"""A voice service: whether it really speaks, and really hears what was spoken."""
