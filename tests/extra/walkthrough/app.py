"""The application of the bookshop: a login, books, orders that a worker packs, and an assistant that streams."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import Cookie, FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from redis.asyncio import Redis

QUEUE = "jobs"
SESSIONS: set[str] = set()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Connect to the database and the queue while the application runs."""
    app.state.db = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=4)
    app.state.queue = Redis.from_url(os.environ["REDIS_URL"])
    await app.state.db.execute("create table if not exists orders (id text primary key, state text not null)")
    yield
    await app.state.db.close()
    await app.state.queue.aclose()


app = FastAPI(lifespan=lifespan)


def customer(sid: str | None) -> None:
    """Refuse a request without a session."""
    if sid not in SESSIONS:
        raise HTTPException(401, "log in first")


@app.get("/health")
async def health(request: Request) -> dict[str, str]:
    """Whether the database and the queue answer."""
    await request.app.state.db.fetchval("select 1")
    await request.app.state.queue.ping()
    return {"status": "healthy"}


@app.post("/login")
async def login(request: Request, response: Response) -> dict[str, str]:
    """Open a session."""
    account = await request.json()
    if account != {"user": "ada", "password": os.environ["SHOP_PASSWORD"]}:
        raise HTTPException(401, "wrong user or password")
    sid = secrets.token_hex(8)
    SESSIONS.add(sid)
    response.set_cookie("sid", sid, httponly=True, secure=True, samesite="lax", max_age=3600)
    return {"user": "ada"}


@app.post("/logout")
async def logout(sid: str | None = Cookie(None)) -> dict[str, str]:
    """Close the session."""
    customer(sid)
    SESSIONS.discard(sid or "")
    return {"user": "none"}


@app.get("/books")
async def books(sid: str | None = Cookie(None)) -> list[dict[str, object]]:
    """The books, for customers."""
    customer(sid)
    return [{"title": "Notes on the Analytical Engine", "price": 18.43}]


@app.put("/orders/{order}")
async def order_book(request: Request, order: str, sid: str | None = Cookie(None)) -> dict[str, str]:
    """Take an order, which the worker packs."""
    customer(sid)
    await request.app.state.db.execute("insert into orders values ($1, 'new')", order)
    await request.app.state.queue.lpush(QUEUE, order)
    return {"id": order, "state": "new"}


@app.get("/orders/{order}")
async def order_state(request: Request, order: str, sid: str | None = Cookie(None)) -> dict[str, str | None]:
    """The state of an order."""
    customer(sid)
    return {"state": await request.app.state.db.fetchval("select state from orders where id = $1", order)}


@app.post("/v1/chat/completions")
async def assistant(sid: str | None = Cookie(None)) -> StreamingResponse:
    """An answer as OpenAI streams it."""
    customer(sid)

    async def events() -> AsyncIterator[str]:
        for text in ("Try ", "the ", "notes ", "by ", "Ada."):
            yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]})}\n\n"
            await asyncio.sleep(0.02)
        yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': {}, 'finish_reason': 'stop'}]})}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
