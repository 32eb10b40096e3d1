"""WebSocket sessions: the handshake, messages and their answers, and how the connection ends."""
