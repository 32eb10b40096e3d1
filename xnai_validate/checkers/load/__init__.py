"""Load: send many requests, on a schedule or one after the other, and measure how the stack performs."""
