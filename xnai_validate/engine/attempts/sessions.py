"""Logins of a run: one for each target that needs it, again after a 401, with a log-out at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from xnai_validate.engine.attempts.attempt import judge_facts, measure
from xnai_validate.engine.attempts.context import CheckContext, Scope
from xnai_validate.errors import Unmeasurable, XnaiError
from xnai_validate.kit import Facts
from xnai_validate.model.judging.findings import main_reason
from xnai_validate.model.judging.references import fill
from xnai_validate.model.target import Credentials
from xnai_validate.plan import CompiledMeasurement, Plan, PlannedLogin
from xnai_validate.wire.http.request import verified_cookie_value, verify_headers

LOGIN_S = 30.0
"""Seconds that a login may take."""
LOGOUT_S = 5.0
"""Seconds that all log-outs of a run may take together."""
AGAIN_S = 2.0
"""Seconds after a login that failed before another is tried: checks meanwhile get its error."""


class TargetSession:
    """The login of one target."""

    def __init__(self, name: str, planned: PlannedLogin, scope: Scope) -> None:
        """`scope`: that of the run, without sessions; the requests of a login have no credentials."""
        self._name = name
        self._planned = planned
        self._scope = scope
        self._login: asyncio.Task[Credentials] | None = None
        self._failed_at = 0.0
        self._still_refused: set[str] = set()
        self._values = Facts().kept
        self.logins = 0
        """How often the run has logged in."""

    async def credentials(self) -> Credentials:
        """Return the headers of the session; logs in first if need be. Raises Unmeasurable if the login fails.

        The login has a task of its own: a check that is cancelled meanwhile does not end it for the others.
        """
        task = self._login
        failed = task is not None and task.done() and (task.cancelled() or task.exception() is not None)
        if task is None or (failed and self._scope.clock.monotonic() - self._failed_at >= AGAIN_S):
            task = self._login = asyncio.create_task(self._log_in(), name=f"login of {self._name}")
        return await asyncio.shield(task)

    async def renewed(self, refused: Credentials, request: str) -> Credentials | None:
        """Return other credentials than the refused ones: those of a login meanwhile, or of a new one."""
        current = await self.credentials()
        if current != refused:
            return current
        if request in self._still_refused:
            return None
        if self._login is not None and self._login.done():
            self._login = None
        return await self.credentials()

    def still_refused(self, request: str) -> None:
        """Note that new credentials did not help a request: its 401 is no sign of a session that has ended."""
        self._still_refused.add(request)

    async def _log_in(self) -> Credentials:
        """Log in and return the headers that prove it. Raises Unmeasurable if the login fails."""
        self.logins += 1
        try:
            facts = await self._made(self._planned.login, self._scope, "login")
        except XnaiError as error:
            self._failed_at = self._scope.clock.monotonic()
            raise Unmeasurable(f"the login of {self._name} failed: {error.message}", hint=error.hint) from None
        self._values = facts.kept
        return self._make_headers()

    def _make_headers(self) -> Credentials:
        """Fill the captured values into the headers and cookies of the login.

        Raises Unmeasurable where a captured value cannot stand there, such as one with a line break.
        """
        headers = {name: str(fill(text, self._values)) for name, text in self._planned.headers.items()}
        cookies = {name: str(fill(text, self._values)) for name, text in self._planned.cookies.items()}
        try:
            pairs = [f"{name}={verified_cookie_value(value)}" for name, value in cookies.items()]
            verify_headers("GET", headers)
        except ValueError as error:
            raise Unmeasurable(f"what the login of {self._name} captured cannot be sent: {error}") from None
        return (*headers.items(), *([("Cookie", "; ".join(pairs))] if pairs else []))

    async def _made(self, flow: CompiledMeasurement, scope: Scope, name: str) -> Facts:
        """Make a flow and return its facts. Raises XnaiError if a step of it does not hold or time is over."""
        ctx = CheckContext(scope, flow, f"{name} of {self._name}", LOGIN_S)
        try:
            async with asyncio.timeout(LOGIN_S):
                facts = await measure(flow, ctx)
        except TimeoutError:
            raise Unmeasurable(f"it took more than {LOGIN_S:g} s") from None
        judged = judge_facts(flow.rules, facts, scope.clock.time())
        if judged.not_reached is not None or not all(finding.held for finding in judged.findings):
            failed = judged.values.get("failed_steps")
            reason = "; ".join(map(str, failed)) if failed else main_reason(judged.findings, judged.values)
            raise Unmeasurable(judged.not_reached or reason or "it did not hold")
        return facts

    async def close(self) -> str | None:
        """Log out, if the run has logged in; return why that failed, if it did."""
        if self._login is None:
            return None
        try:
            credentials = await self._login
        except (XnaiError, asyncio.CancelledError):
            return None  # there is no session
        logout = self._planned.logout
        if logout is None:
            return None
        target = self._scope.targets[self._name]
        own = replace(target, headers=(*target.headers, *credentials))
        scope = replace(self._scope, targets={**self._scope.targets, self._name: own})
        flow = replace(logout, params=logout.params.model_copy(update={"values": self._values}))
        try:
            await self._made(flow, scope, "logout")
        except XnaiError as error:
            return error.message
        return None


class Sessions:
    """The logins of all targets of a run."""

    def __init__(self, plan: Plan, scope: Scope, warn: Callable[[str], None]) -> None:
        """`warn` is called with a sentence for each log-out that fails."""
        self.by_target: Mapping[str, TargetSession] = {
            name: TargetSession(name, planned.login, scope)
            for name, planned in plan.targets.items()
            if planned.login is not None
        }
        self._warn = warn
        self._closing: asyncio.Task[None] | None = None

    def cut_grace_short(self) -> None:
        """End the log-outs that are under way instead of waiting for them."""
        if self._closing is not None:
            self._closing.cancel()

    async def close(self) -> None:
        """Log out of every target that the run has logged in to."""
        self._closing = asyncio.create_task(self._log_out())
        await asyncio.wait((self._closing,), timeout=LOGOUT_S)
        if not self._closing.done() or self._closing.cancelled():
            self._closing.cancel()
            self._warn("not every log-out has ended in time; sessions may be left on the stack")

    async def _log_out(self) -> None:
        """Log out of all targets; a log-out that fails becomes a warning."""
        for name, session in self.by_target.items():
            why = await session.close()
            if why is not None:
                self._warn(f"the log-out of {name} failed: {why}")
