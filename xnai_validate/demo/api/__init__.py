"""The application of the embedded stack: retrieval, token streams, breakers, health and their interfaces."""
