"""Loads of streams: parameters, facts, one stream as a line of the generator, and what is counted of it."""
