"""WebSocket sessions: the handshake, messages and their answers, and how the connection ends."""

from xnai_validate.checkers.websocket.session import session

__all__ = ["session"]
