"""Checks of HTTP services: requests, the OpenAPI document, and whether what it promises is kept."""

from xnai_validate.checkers.http.contract import contract
from xnai_validate.checkers.http.openapi import openapi
from xnai_validate.checkers.http.request import request

__all__ = ["contract", "openapi", "request"]
