"""Seams: the functions of the stack that an active defect may wrap.

A healthy module marks a function or method with `@seam` and knows no more of defects. A defect names the seam and the
function that runs instead of it; `activate` and `activated` put its wrappers in force.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

AnyFunction = Callable[..., Any]
Wrapper = Callable[Concatenate[Callable[P, R], P], R]
"""What runs instead of a seam: gets the wrapped function first, then the arguments of the call."""

SEAMS: set[AnyFunction] = set()
"""Every function that was marked so far."""

# A context variable, not a global: tests run stacks with different defects side by side in one process. Tasks,
# `asyncio.to_thread` and forked processes inherit it from their parent.
_ACTIVE: ContextVar[Mapping[AnyFunction, tuple[AnyFunction, ...]]] = ContextVar("active wrappers")
_NONE: Mapping[AnyFunction, tuple[AnyFunction, ...]] = {}


def seam(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function or method that defects may wrap. Without an active defect it behaves as written."""

    def current() -> AnyFunction:
        called: AnyFunction = function
        for wrapper in _ACTIVE.get(_NONE).get(marked, ()):
            called = partial(wrapper, called)
        return called

    if inspect.iscoroutinefunction(function):  # Starlette must still recognise it as one

        @wraps(function)
        async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            return await current()(*args, **kwargs)

        marked: AnyFunction = call_async
    else:

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return current()(*args, **kwargs)

        marked = call
    SEAMS.add(marked)
    return cast("Callable[P, R]", marked)


def activate(wrappers: Iterable[tuple[AnyFunction, AnyFunction]]) -> None:
    """Put pairs of a seam and its wrapper in force, for this process and all that it forks from now on.

    Of several wrappers of one seam, the first is the innermost.
    """
    _ACTIVE.set(_by_seam(wrappers))


@contextmanager
def activated(wrappers: Iterable[tuple[AnyFunction, AnyFunction]]) -> Iterator[None]:
    """Activate wrappers as `activate` does, for the duration of the block and the tasks that are started in it."""
    token = _ACTIVE.set(_by_seam(wrappers))
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def _by_seam(wrappers: Iterable[tuple[AnyFunction, AnyFunction]]) -> dict[AnyFunction, tuple[AnyFunction, ...]]:
    """Group wrappers by the seam that they wrap, in their order."""
    by_seam: dict[AnyFunction, tuple[AnyFunction, ...]] = {}
    for wrapped, wrapper in wrappers:
        by_seam[wrapped] = (*by_seam.get(wrapped, ()), wrapper)
    return by_seam
