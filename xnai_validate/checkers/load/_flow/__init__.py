"""Conversations as the requests of a load."""
