"""The formats that a report can be written in: one file a format, which declares `FORMAT`."""
