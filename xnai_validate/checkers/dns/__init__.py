"""Checks of name resolution: by the machine's resolver, or by asking one name server."""
