"""The processes of the embedded stack: how they are started, watched, restarted and ended."""
