"""xnai-validate: checks that the parts of a RAG stack work together."""

__version__ = "0.1.0"
