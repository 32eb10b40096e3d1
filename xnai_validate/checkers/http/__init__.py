"""Checks of HTTP services: requests, and the OpenAPI document with what it promises."""

from xnai_validate.checkers.http.openapi import openapi
from xnai_validate.checkers.http.request import request

__all__ = ["openapi", "request"]
