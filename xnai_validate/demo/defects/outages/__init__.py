"""Defects that show when another part fails: how far a failure spreads, and whether it ends."""
