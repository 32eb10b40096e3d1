"""Defects of the machine under the stack, and of its processes there."""
