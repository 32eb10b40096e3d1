"""Streams of events: the request, what events mean by their dialect, and how one stream is read and measured."""
