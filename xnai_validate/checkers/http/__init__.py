"""Checks of HTTP services: requests, the OpenAPI document, and whether what it promises is kept."""
