"""Defects of the model server, and of the way in which the API uses it."""
