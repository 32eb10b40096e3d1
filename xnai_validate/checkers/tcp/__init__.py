"""Checks of plain TCP: is the port open, does the connection last, what does the server send first."""
