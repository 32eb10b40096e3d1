"""WebSocket rooms in which agents meet (layout B)."""
