"""Load: many requests, at the times of a schedule or one after the other, and how the stack bears them."""
