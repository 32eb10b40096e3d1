"""xnai-validate: tells whether a RAG stack works together."""

__version__ = "0.1.0"
