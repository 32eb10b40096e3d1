"""Sockets: name look-up, connections and TLS contexts."""
