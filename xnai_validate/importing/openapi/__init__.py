"""OpenAPI documents: reading them, and the checks of the operations that change no state."""
