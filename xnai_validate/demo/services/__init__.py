"""The small services around the API, and the gateway in front of them."""
