"""Answers that a Prometheus 2.42 gave to these requests, and a server that gives them again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.serving import Quiet, serving
from xnai_validate.kit import Target

UP = '{"__name__":"up","instance":"127.0.0.1:19191","job":"self"}'
DOWN = '{"__name__":"up","instance":"127.0.0.1:19999","job":"dead"}'
QUERIES = {
    "up": (
        200,
        '{"status":"success","data":{"resultType":"vector","result":['
        f'{{"metric":{UP},"value":[1796004881.116,"1"]}},{{"metric":{DOWN},"value":[1796004881.116,"0"]}}]}}}}',
    ),
    "sum(up)": (
        200,
        '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1796004881.220,"1"]}]}}',
    ),
    "up[3s]": (
        200,
        '{"status":"success","data":{"resultType":"matrix","result":['
        f'{{"metric":{UP},"values":[[1796004878.971,"1"],[1796004879.971,"1"]]}},'
        f'{{"metric":{DOWN},"values":[[1796004879.156,"0"],[1796004880.156,"0"]]}}]}}}}',
    ),
    '"text"': (200, '{"status":"success","data":{"resultType":"string","result":[1796004860.228,"text"]}}'),
    "nothing_here": (200, '{"status":"success","data":{"resultType":"vector","result":[]}}'),
    "scalar(nothing_here)": (
        200,
        '{"status":"success","data":{"resultType":"scalar","result":[1796004860.154,"NaN"]}}',
    ),
    "sum(up) / 0": (
        200,
        '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1796004881.2,"+Inf"]}]}}',
    ),
    "0 * sum(up) / 0": (
        200,
        '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1796004881.2,"NaN"]}]}}',
    ),
    "sum(": (
        400,
        '{"status":"error","errorType":"bad_data",'
        '"error":"invalid parameter \\"query\\": 1:5: parse error: unclosed left parenthesis"}',
    ),
}  # fmt: skip
"""Expression -> status and body."""


def target_answer(job: str, port: int, health: str, error: str = "") -> dict[str, object]:
    """An active target as the API lists it."""
    instance = f"127.0.0.1:{port}"
    return {
        "discoveredLabels": {"__address__": instance, "__metrics_path__": "/metrics", "job": job},
        "labels": {"instance": instance, "job": job},
        "scrapePool": job,
        "scrapeUrl": f"http://{instance}/metrics",
        "globalUrl": f"http://vm:{port}/metrics",
        "lastError": error,
        "lastScrape": "2026-11-30T02:14:41.180400483Z",
        "lastScrapeDuration": 0.000490931,
        "health": health,
        "scrapeInterval": "1s",
        "scrapeTimeout": "1s",
    }


REFUSED = 'Get "http://127.0.0.1:19999/metrics": dial tcp 127.0.0.1:19999: connect: connection refused'


@contextmanager
def prometheus(targets: list[dict[str, object]] | None = None, body: bytes | None = None) -> Iterator[Target]:
    """A server that gives the recorded answers, or `body` to everything."""

    class Api(Quiet, BaseHTTPRequestHandler):
        requests: ClassVar[list[str]] = []

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            status, answer = 404, "404 page not found"
            if url.path == "/api/v1/query":
                status, answer = QUERIES[parse_qs(url.query)["query"][0]]
            elif url.path == "/api/v1/targets":
                data = {"activeTargets": targets or [], "droppedTargets": []}
                status, answer = 200, json.dumps({"status": "success", "data": data})
            sent = answer.encode() if body is None else body
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    with serving(Api) as url:
        yield Target("prometheus", url)
