"""The events of a run: how they are made, written to its journal, passed on, and read to resume a run."""
