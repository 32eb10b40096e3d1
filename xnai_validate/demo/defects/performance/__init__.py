"""Defects that show when many clients ask at once, or for long."""
