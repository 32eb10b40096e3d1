"""One defect: its name, its description, the checks that must catch it, and the functions that cause it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from xnai_validate.demo.seams import SEAMS, AnyFunction, P, R, Wrapper
from xnai_validate.demo.settings import Layout


@dataclass(frozen=True, slots=True)
class Defect:
    """One way in which a stack is really broken, for the embedded stack to have on demand."""

    name: str
    """What `--defect` takes; lower case, words joined by hyphens."""
    description: str
    """One line: how such a stack is broken, as its users meet it."""
    checks: tuple[str, ...] = ()
    """Full ids of the bundled checks that must catch it."""
    layout: Layout | None = None
    """The only layout that can have it; None: both."""
    wrappers: list[tuple[AnyFunction, AnyFunction]] = field(default_factory=list, repr=False, compare=False)
    """Each seam that it wraps, with the function that runs instead."""

    def wraps(self, seam: Callable[P, R]) -> Callable[[Wrapper[P, R]], Wrapper[P, R]]:
        """Decorate the function that runs instead of `seam`. Raises TypeError for a function that is not a seam."""
        if seam not in SEAMS:
            name = getattr(seam, "__qualname__", seam)
            raise TypeError(f"defect {self.name}: {name} is not a seam; mark it with @seam")

        def add(wrapper: Wrapper[P, R]) -> Wrapper[P, R]:
            self.wrappers.append((seam, wrapper))
            return wrapper

        return add

    def changes(self, seam: Callable[P, R], change: Callable[[R], R]) -> Self:
        """Replace what `seam`, which is not a coroutine function, returns by `change` of it. Raises TypeError."""
        if inspect.iscoroutinefunction(seam):
            raise TypeError(f"defect {self.name}: {seam.__qualname__} is a coroutine function; wrap it")

        @self.wraps(seam)
        def changed(original: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
            return change(original(*args, **kwargs))

        return self
