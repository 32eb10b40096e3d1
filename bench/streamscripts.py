"""Scripts of other tools' users that load a model server with streams: what is written by hand where no tool fits.

Each prints one JSON document: `first_ms`, `gaps_ms` and `longest_ms` of the streams that ended well, the number of
them, and the number of those that did not. A stream ends well where HTTP ends its body and `[DONE]` was its last event.
"""

from __future__ import annotations

BODY = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": "write a word"}]}
"""What every script asks."""

HTTPX = """
import asyncio, json, sys, time
import httpx

url, body, rate, users, seconds = sys.argv[1], json.loads(sys.argv[2]), *map(float, sys.argv[3:6])
first_ms, gaps_ms, longest_ms, errors = [], [], [], 0


async def stream(client):
    global errors
    begun, times, done = time.perf_counter(), [], False
    try:
        async with client.stream("POST", url, json=body) as response:
            async for line in response.aiter_lines():
                if line == "data: [DONE]":
                    done = True
                elif line.startswith("data: "):
                    choices = json.loads(line[6:])["choices"]
                    if choices and choices[0]["delta"].get("content"):
                        times.append(time.perf_counter())
    except (httpx.HTTPError, KeyError):
        errors += 1
        return
    if not done:
        errors += 1
        return
    gaps = [(after - before) * 1000 for before, after in zip(times, times[1:])]
    first_ms.append((times[0] - begun) * 1000)
    gaps_ms.extend(gaps)
    longest_ms.append(max(gaps))


async def user(client, until):
    while time.perf_counter() < until:
        await stream(client)


async def main():
    begun = time.perf_counter()
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=1000)) as client:
        async with asyncio.TaskGroup() as tasks:
            if users:
                for _ in range(int(users)):
                    tasks.create_task(user(client, begun + seconds))
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0, begun + number / rate - time.perf_counter()))
                tasks.create_task(stream(client))


asyncio.run(main())
print(json.dumps({"first_ms": first_ms, "gaps_ms": gaps_ms, "longest_ms": longest_ms, "errors": errors}))
"""
"""Arguments: url, body, rate (0 for users), users (0 for a rate), seconds."""

LOCUST = """
import json, os, time
from locust import HttpUser, constant, constant_throughput, events, task

body, users, rate = json.loads(os.environ["BODY"]), float(os.environ["USERS"]), float(os.environ["RATE"])
found = {"first_ms": [], "gaps_ms": [], "longest_ms": [], "errors": 0}


class Reader(HttpUser):
    wait_time = constant_throughput(rate / users) if rate else constant(0)

    @task
    def read(self):
        begun, times, done = time.perf_counter(), [], False
        try:
            with self.client.post("/v1/chat/completions", json=body, stream=True, catch_response=True) as response:
                for line in response.iter_lines(chunk_size=None):
                    if line == b"data: [DONE]":
                        done = True
                    elif line.startswith(b"data: "):
                        choices = json.loads(line[6:])["choices"]
                        if choices and choices[0]["delta"].get("content"):
                            times.append(time.perf_counter())
        except Exception:
            done = False
        if not done:
            found["errors"] += 1
            return
        gaps = [(after - before) * 1000 for before, after in zip(times, times[1:])]
        found["first_ms"].append((times[0] - begun) * 1000)
        found["gaps_ms"] += gaps
        found["longest_ms"].append(max(gaps))


@events.quitting.add_listener
def write(**_):
    with open(os.environ["RESULT"], "w") as file:
        json.dump(found, file)
"""
"""A locustfile; locust itself reports one time a request, so the times of tokens are taken by hand. Environment: BODY,
USERS, RATE (0 for a closed loop), RESULT (the file that gets the result)."""
