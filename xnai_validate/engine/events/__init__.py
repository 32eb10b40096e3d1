"""The events of a run: made, written to its journal, handed on; and the first of them."""
