"""The model server of the embedded stack: extractive answers, token by token, in a process of its own."""
