"""Defects of the worker behind the Redis streams."""
