"""Defects of whole processes: parts that are down, hang, crash or are not restarted."""
