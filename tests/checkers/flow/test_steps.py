"""Several steps as one check: loaded from YAML, run by the engine, against a real server that keeps tasks."""

from __future__ import annotations

import asyncio
import json
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.config.home import Home, error_lines
from tests.context import observe
from tests.engine.plans import collect, engine_of, finished
from tests.scripted import Line, ReceivedRequest, Scripted, scripted
from xnai_validate.model.results.events import CheckFinished
from xnai_validate.model.results.status import Status

TOKEN = "s3cret-0f-the-session"
EVENTS = b'data: {"type": "token", "content": "a"}\n\ndata: {"type": "token", "content": "b"}\n\ndata: [DONE]\n\n'


class Tasks:
    """Keeps tasks by id; counts what is left, and the most requests under way at once."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.most = self.now = self.polls = 0
        self.hanging = threading.Event()

    async def script(self, request: ReceivedRequest, line: Line) -> bool:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            status, body, *headers = await self._answer(request)
        finally:
            self.now -= 1
        head = "".join(f"{header}\r\n" for header in headers)
        await line.send(f"HTTP/1.1 {status} OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    async def _answer(self, request: ReceivedRequest) -> tuple[Any, ...]:
        name = request.path.rpartition("/")[2]
        if request.path == "/tasks" and request.method == "POST":
            id_ = f"t{len(self.kept) + 1}"
            self.kept[id_] = json.loads(request.body)
            body = json.dumps({"id": id_, "n": 7, "token": TOKEN}).encode()
            return 201, body, f"Location: /tasks/{id_}", f"X-Session: {TOKEN}"
        if request.method == "DELETE":
            return (204 if self.kept.pop(name, None) is not None else 404), b""
        if request.path == "/slow":
            await asyncio.sleep(0.2)
        if request.path == "/hangs":
            self.hanging.set()
            await asyncio.sleep(60)
        if request.path == "/later":
            self.polls += 1
            return (200 if self.polls > 2 else 503), b"{}"
        if request.path == "/events":
            return 200, EVENTS, "Content-Type: text/event-stream"
        if name in self.kept:
            return 200, json.dumps(self.kept[name] | {"id": name, "n": 7}).encode()
        return (404 if request.path.startswith("/tasks") else 200), json.dumps(
            {"asked": request.body.decode()}
        ).encode()


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


@pytest.fixture
def server(tasks: Tasks) -> Iterator[Scripted]:
    with scripted(tasks.script) as running:
        yield running


CREATE = """
- name: create
  kind: http.request
  with: {method: POST, path: /tasks, json: {title: "probe {{no name}}"}}
  expect: {status: 201}
  capture: {id: {json: $.id}, n: {json: $.n}, place: {header: location}, number: {regex: '"id": "t([0-9]+)"'}}
"""
HEAD = """
title: Case
checks:
  - id: it
    title: It
    kind: flow.steps
    target: api
    with:
      steps:
"""
CLEANUP = """
- {name: remove, kind: http.request, with: {method: DELETE, path: "/tasks/{{id}}"}, expect: {status: 204}}
"""


def written(steps: str, cleanup: str = "", more: str = "") -> str:
    parts = [(HEAD, 0), (steps, 8), ("cleanup:" if cleanup else "", 6), (cleanup, 8), (more, 4)]
    texts = (textwrap.indent(textwrap.dedent(text).strip("\n"), " " * margin) for text, margin in parts if text)
    return "\n".join(texts) + "\n"


def home_of(tmp_path: Path, suite: str, url: str = "http://127.0.0.1:1") -> Home:
    home = Home(tmp_path)
    home.profile(f'title: Base\nsuites: [case/*]\ntargets:\n  api: {{url: "{url}"}}\n  absent: {{}}\n')
    home.suite(suite)
    return home


def run(tmp_path: Path, server: Scripted, steps: str, cleanup: str = "", more: str = "") -> CheckFinished:
    home = home_of(tmp_path, written(steps, cleanup, more), server.url())
    (end,) = finished(asyncio.run(collect(engine_of(home.load(), tmp_path / "run")))).values()
    return end


def names(end: CheckFinished, *, held: bool | None) -> list[str]:
    line = end.facts["steps"]
    assert isinstance(line, list)
    return [str(step["name"]) for step in line if isinstance(step, dict) and step["held"] is held]


def test_what_is_captured_is_used_in_requests_and_in_rules(tmp_path: Path, server: Scripted, tasks: Tasks) -> None:
    """Values keep their type where they stand alone, are written out within a text, and are judged by later rules."""
    read = """
    - name: read
      kind: http.request
      with: {path: "{{place}}"}
      expect: {json: {"$.id": "t{{number}}", "$.n": "{{n}}", "$[?@ == '{{id}}']": {length: 1}}}
    - name: echo
      kind: http.request
      with:
        method: POST
        path: /echo
        json: {id: "{{id}}", n: "{{n}}", text: "no {{n}} of {{ id }}", raw: "\\\\{{id}}"}
      expect: {text: {contains: "no 7 of t1"}}
      capture: {said: {fact: json, path: $.asked}}
    """
    end = run(tmp_path, server, CREATE + textwrap.dedent(read), CLEANUP)
    assert (end.status, end.reason) == (Status.PASS, None)
    captured = end.facts["captured"]
    assert isinstance(captured, dict)
    assert json.loads(str(captured["said"])) == {"id": "t1", "n": 7, "text": "no 7 of t1", "raw": "{{id}}"}
    assert (captured["place"], captured["number"]) == ("/tasks/t1", "1")
    assert json.loads(next(request.body for request in server.requests))["title"] == "probe {{no name}}"
    assert (end.facts["reached"], end.facts["first_broken"], end.facts["step_count"]) == ("echo", None, 3)
    assert names(end, held=True) == ["create", "read", "echo", "remove"]
    assert tasks.kept == {}


def test_a_captured_number_may_be_a_header_or_a_cookie(tmp_path: Path, server: Scripted) -> None:
    """There it is sent as text, as it stands in a path."""
    use = '- {name: use, kind: http.request, with: {path: /x, headers: {If-Match: "{{n}}"}, cookies: {n: "{{n}}"}}}'
    end = run(tmp_path, server, CREATE + use)
    assert end.status is Status.PASS, end.reason
    sent = server.requests[-1].headers
    assert (sent["if-match"], sent["cookie"]) == ("7", "n=7")


def test_a_step_may_be_a_flow_that_is_taken_until_it_holds(tmp_path: Path, server: Scripted) -> None:
    """The steps of an inner flow are made again together, as one step of the outer one; their times are its own."""
    end = run(
        tmp_path,
        server,
        """
        - name: ready
          kind: flow.steps
          within: 20s
          every: 10ms
          with:
            steps:
              - {name: events, kind: sse.stream, target: api, with: {path: /events}}
              - {name: later, kind: http.request, target: api, with: {path: /later}, expect: {status: 200}}
        """,
    )
    assert (end.status, end.facts["first_token_ms"]) == (Status.PASS, {})
    assert [request.path for request in server.requests] == 3 * ["/events", "/later"]


def test_a_step_that_does_not_hold_ends_the_flow_and_is_cleaned_up(
    tmp_path: Path, server: Scripted, tasks: Tasks
) -> None:
    """The step is named with what it measured; those after it are not made; what was created is removed."""
    more = """
    - {name: wrong, kind: http.request, with: {path: "/tasks/{{id}}"}, expect: {json: {"$.n": 8}}}
    - {name: never, kind: http.request, with: {path: /never}}
    """
    end = run(tmp_path, server, CREATE + textwrap.dedent(more), CLEANUP)
    assert end.status is Status.FAIL
    assert end.facts["failed_steps"] == ["wrong: http.request: json $.n expected 8, got 7"]
    assert (end.facts["reached"], end.facts["first_broken"]) == ("create", "wrong")
    assert (names(end, held=False), names(end, held=None)) == (["wrong"], ["never"])
    assert [request.path for request in server.requests] == ["/tasks", "/tasks/t1", "/tasks/t1"]
    assert tasks.kept == {}


def test_a_step_may_fail_and_let_the_flow_go_on(tmp_path: Path, server: Scripted) -> None:
    """With `go_on` later steps are made; those that need what it did not capture are not."""
    steps = """
    - {name: a, kind: http.request, with: {path: /a}, go_on: true, capture: {id: {json: $.none}}}
    - {name: b, kind: http.request, with: {path: /b}}
    - {name: c, kind: http.request, with: {path: "/{{id}}"}}
    """
    end = run(tmp_path, server, steps, CLEANUP)
    assert end.facts["failed_steps"] == ["a: id was not captured: no value exists at json $.none"]
    assert (names(end, held=True), names(end, held=None)) == (["b"], ["c", "remove"])


@pytest.mark.parametrize("how", ["the time of the check", "an interruption"])
def test_the_clean_up_is_done_in_any_case(tmp_path: Path, server: Scripted, tasks: Tasks, how: str) -> None:
    """What was created is removed also where a step never ends: the flow reports where it was, or is interrupted."""
    hangs = "- {name: hangs, kind: http.request, with: {path: /hangs, timeout: 50s}}\n"
    limit = "1500ms" if how == "the time of the check" else "50s"
    home = home_of(tmp_path, written(CREATE + hangs, CLEANUP, f"timeout: {limit}"), server.url())
    engine = engine_of(home.load(), tmp_path / "run")

    async def interrupted() -> None:
        task = asyncio.create_task(collect(engine))
        assert await asyncio.to_thread(tasks.hanging.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    if how == "an interruption":
        asyncio.run(interrupted())
    else:
        (end,) = finished(asyncio.run(collect(engine))).values()
        assert end.status is Status.ERROR
        assert end.reason == "hangs: not at its end when the flow had taken 1.35 s, of the check's time limit"
        assert names(end, held=True) == ["create", "remove"]
    assert (len(server.requests), tasks.kept) == (3, {})


def test_a_clean_up_that_fails_or_hangs_is_reported_and_bounded(tmp_path: Path, server: Scripted) -> None:
    """Each step of the clean-up is tried though another failed; all of it ends in its time; the check fails."""
    cleanup = """
    - {name: gone, kind: http.request, with: {method: DELETE, path: /tasks/none}, expect: {status: 204}}
    - {name: hangs, kind: http.request, with: {path: /hangs, timeout: 50s}}
    - {name: last, kind: http.request, with: {path: /last}}
    """
    suite = written("- {name: a, kind: http.request, with: {path: /a}}", cleanup).replace(
        "      cleanup:", "      cleanup_timeout: 500ms\n      cleanup:"
    )
    home = home_of(tmp_path, suite, server.url())
    begun = time.monotonic()
    (end,) = finished(asyncio.run(collect(engine_of(home.load(), tmp_path / "run")))).values()
    assert end.status is Status.FAIL
    assert end.facts["cleanup_failed"] == [
        "gone: http.request: status expected 204, got 404",
        "hangs: not done within 0.5 s",
    ]
    assert names(end, held=None) == ["last"]
    assert time.monotonic() - begun < 20


def test_steps_may_be_made_together(tmp_path: Path, server: Scripted, tasks: Tasks) -> None:
    """Three steps that each take a while are under way at the same time."""
    steps = "\n".join(
        f"- {{name: s{n}, kind: http.request, with: {{path: /slow}}, together: {str(n < 3).lower()}}}"
        for n in (1, 2, 3)
    )
    end = run(tmp_path, server, steps)
    assert (end.status, tasks.most) == (Status.PASS, 3)
    assert names(end, held=True) == ["s1", "s2", "s3"]


def test_a_step_is_made_again_until_it_holds(tmp_path: Path, server: Scripted, tasks: Tasks) -> None:
    """`within` waits for what becomes true by itself."""
    end = run(tmp_path, server, "- {name: a, kind: http.request, with: {path: /later}, within: 20s, every: 10ms}")
    assert (end.status, tasks.polls) == (Status.PASS, 3)


def test_an_event_of_a_stream_is_captured(tmp_path: Path, server: Scripted) -> None:
    """By its type and its place among those, from the front or from the end; what is not JSON is text."""
    steps = """
    - name: ask
      kind: sse.stream
      with: {method: GET, path: /events, keep_events: 10, terminal_data: "[DONE]"}
      capture:
        first: {sse: {path: $.content}}
        last: {sse: {type: token, index: -1, path: $.content}}
        end: {sse: {index: -1}}
    - {name: echo, kind: http.request, with: {method: POST, path: /echo, json: ["{{first}}", "{{last}}"]}}
    """
    end = run(tmp_path, server, steps)
    assert (end.status, end.facts["captured"]) == (Status.PASS, {"first": "a", "last": "b", "end": "[DONE]"})
    assert json.loads(server.requests[-1].body) == ["a", "b"]


def test_what_this_stack_has_not_is_passed_over_or_skips_the_flow(tmp_path: Path, server: Scripted) -> None:
    """An optional step on a target that is not configured is passed over; any other makes the check a skip."""
    optional = "- {name: a, kind: http.request, target: absent, optional: true}\n- {name: b, kind: http.request}"
    end = run(tmp_path, server, optional)
    assert (end.status, names(end, held=None), end.facts["step_count"]) == (Status.PASS, ["a"], 1)
    end = run(tmp_path, server, optional.replace(", optional: true", ""))
    assert (end.status, end.reason) == (Status.SKIP, "target absent is not configured")


def test_a_captured_secret_appears_nowhere(tmp_path: Path, server: Scripted) -> None:
    """Under a name that looks secret a value is used, and masked in the facts and in the reason of a failure."""
    create = CREATE.replace("{id: {json: $.id},", "{id: {json: $.id}, token: {json: $.token},")
    more = """
    - name: use
      kind: http.request
      with: {method: POST, path: /echo, headers: {X-Token: "{{token}}"}, body: "say {{token}}"}
      expect: {text: nothing}
    """
    end = run(tmp_path, server, create + textwrap.dedent(more))
    assert server.requests[-1].headers["x-token"] == TOKEN
    assert end.status is Status.FAIL
    assert TOKEN not in json.dumps(end.facts) + repr(end.findings)
    journal = next((tmp_path / "run").rglob("*.jsonl"))
    assert "***" in journal.read_text()
    assert TOKEN not in journal.read_text()


def test_what_a_reference_makes_wrong_is_an_error_that_names_the_step(tmp_path: Path, server: Scripted) -> None:
    """Params and rules that only the captured value makes wrong cannot be measured; the message names the place."""
    wrong = '- {name: use, kind: http.request, with: {path: /x, repeat: "{{id}}"}}'
    end = run(tmp_path, server, CREATE + wrong)
    assert end.status is Status.ERROR
    assert end.reason is not None
    assert end.reason.startswith("step use: http.request: repeat: Input should be a valid integer")
    wrong = '- {name: use, kind: http.request, with: {path: /x}, expect: {json: {"$[{{place}}]": 1}}}'
    end = run(tmp_path, server, CREATE + wrong)
    assert end.status is Status.ERROR
    assert end.reason is not None
    assert end.reason.startswith("step use: http.request: ")


CONFIG_ERRORS = {
    '- {name: a, kind: http.request, with: {path: "/{{id}}"}}': (
        "step a refers to {{id}}, which no earlier step captures; write \\{{id}} for the text itself"
    ),
    "- {name: a, kind: http.request, capture: {idx: {json: $.id}}}\n"
    '- {name: b, kind: http.request, with: {path: "/{{id}}"}}': (
        'step b refers to {{id}}, which no earlier step captures; did you mean "idx"?'
    ),
    "- {name: a, kind: http.request, together: true, capture: {id: {json: $.id}}}\n"
    '- {name: b, kind: http.request, with: {path: "/{{id}}"}}': (
        "step b refers to {{id}}, which is captured at the same time, not before it"
    ),
    "- {name: a, kind: http.request}\n- {name: a, kind: http.request}": "two steps are named a",
    "- {name: a, kind: http.request, capture: {id: {fact: stats}}}": 'unknown fact "stats" of http.request',
    "- {name: a, kind: tcp.connect, capture: {id: {json: $.id}}}": 'unknown fact "json" of tcp.connect',
    "- {name: a, kind: http.request, capture: {id: {}}}": (
        "a capture needs exactly one of json, header, cookie, regex, sse, fact"
    ),
    "- {name: a, kind: http.request, capture: {id: {json: '$.['}}}": "is not a JSONPath",
    "- {name: a, kind: http.request, capture: {id: {regex: '('}}}": "is not a regular expression",
    "- {name: a, kind: sse.stream, capture: {id: {sse: {type: token}}}}": "keep some: with: {keep_events: 100}",
    CREATE + '- {name: b, kind: http.request, with: {pth: "/{{id}}"}}': 'unknown key "pth" of http.request',
    CREATE + '- {name: b, kind: http.request, with: {path: "/{{id}}", repeat: 0}}': "repeat takes at least 1",
    CREATE + '- {name: b, kind: http.request, with: {path: "/{{id}}"}, expect: {statuss: 200}}': "unknown fact",
    CREATE + '- {name: b, kind: http.request, with: {path: "/{{id}}"}, expect: {status: many}}': "status",
    CREATE
    + '- {name: b, kind: flow.delta, with: {watch: {}, during: [], settle: "{{n}}"}}': "made of other measurements",
    CREATE + '- {name: b, kind: http.request, target: nowhere, with: {path: "/{{id}}"}}': 'unknown target "nowhere"',
}


@pytest.mark.parametrize("steps", CONFIG_ERRORS, ids=range(len(CONFIG_ERRORS)))
def test_what_can_be_verified_is_verified_when_the_file_is_loaded(tmp_path: Path, steps: str) -> None:
    """References that lead nowhere, and every error that no captured value could mend, are refused at load."""
    found = error_lines(home_of(tmp_path, written(steps)).problems())
    assert len(found) == 1, found
    assert CONFIG_ERRORS[steps] in found[0]


def test_references_are_none_outside_of_steps(tmp_path: Path) -> None:
    """A rule that may be right within a flow is an error in a plain check, also where the flow was read first."""
    step = '- {name: b, kind: http.request, expect: {status: "{{n}}"}}'
    suite = written(CREATE + step) + "  - {id: plain, title: Plain, kind: http.request, target: api, expect: "
    found = error_lines(home_of(tmp_path, suite + '{status: "{{n}}"}}\n').problems())
    assert len(found) == 1
    assert "status" in found[0]


def test_what_a_captured_value_may_make_right_is_left_until_then(tmp_path: Path) -> None:
    """A number, a duration or a rule that is a reference is not an error."""
    steps = CREATE + (
        '- {name: b, kind: http.request, with: {path: /, repeat: "{{n}}", timeout: "{{place}}", json: "{{id}}"}, '
        'expect: {status: "{{n}}", total_ms: {max: "{{n}}"}, json: {"$[{{n}}]": {length: "{{n}}"}}}}'
    )
    assert home_of(tmp_path, written(steps)).problems() == ()


def test_a_generated_uuid_is_the_same_in_all_steps_and_new_in_each_flow() -> None:
    """`{{uuid}}` needs no capture; a flow that does not refer to it does not report one."""
    echo = {"kind": "command.run", "with": {"command": ["echo", "{{uuid}}"]}, "expect": {"stdout": "{{uuid}}"}}
    steps = [{"name": "first", **echo}, {"name": "second", **echo}]
    taken = [observe("flow.steps", steps=steps) for _ in range(2)]
    assert all(observed.held for observed in taken)
    one, other = (observed.facts["captured"]["uuid"] for observed in taken)
    assert str(UUID(one)) == one
    assert one != other
    plain = observe("flow.steps", steps=[{"name": "only", "kind": "command.run", "with": {"command": ["true"]}}])
    assert plain.facts["captured"] == {}


def test_a_session_of_mcp_is_followed(tmp_path: Path) -> None:
    """Its id comes in a header of the first response, and its results in events (MCP, "Streamable HTTP")."""

    async def mcp(request: ReceivedRequest, line: Line) -> bool:
        call = json.loads(request.body)
        known = request.headers.get("mcp-session-id") == "s-4711"
        result = {"tools": [{"name": "search"}]} if known else {"protocolVersion": "2025-06-18"}
        event = json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result})
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nMcp-Session-Id: s-4711\r\nConnection: close\r\n\r\n"
        )
        await line.send(f"{head}event: message\ndata: {event}\n\n".encode())
        return False

    steps = """
    - name: initialize
      kind: sse.stream
      with: {path: /mcp, keep_events: 1, json: {jsonrpc: "2.0", id: 1, method: initialize}}
      expect: {terminated: true}
      capture: {session: {header: mcp-session-id}}
    - name: list
      kind: sse.stream
      with:
        path: /mcp
        keep_events: 1
        headers: {Mcp-Session-Id: "{{session}}"}
        json: {jsonrpc: "2.0", id: 2, method: tools/list}
      expect: {terminated: true, events: {"$[0].data.result.tools[0].name": search}}
    """
    with scripted(mcp) as server:
        end = run(tmp_path, server, steps)
    assert end.status is Status.PASS, end.reason
