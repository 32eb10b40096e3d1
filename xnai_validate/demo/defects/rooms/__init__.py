"""Defects of the WebSocket rooms (layout B)."""
