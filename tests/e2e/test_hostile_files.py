"""Files that would hang, flood or break a tool that trusts them: each is exit 2 with its place, in bounds."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.tool import start

CPU_S, RSS_MIB, WALL_S = 2.0, 200, 120
"""What refusing a file may take of the processor, the start of Python aside, and of memory. The worst takes 0.6 s."""

PROFILE = b"title: Lab\ntargets: {api: {url: 'http://127.0.0.1:1'}}\nsuites: [lab/lab]\n"
SUITE = b"title: Lab\ndefaults: {target: api}\nchecks:\n  - {id: a, title: A, kind: http.request}\n"
CHECK = "title: Lab\ndefaults: {{target: api}}\nchecks:\n  - id: a\n    title: A\n    kind: {kind}\n    {rest}\n"
PROFILE_FILE, SUITE_FILE = "profiles/lab.yaml", "checks/lab/lab.yaml"


@dataclass(frozen=True, slots=True)
class Refused:
    """How the tool ended, and what it took."""

    code: int
    stderr: str
    cpu_s: float
    rss_mib: float


def refused(home: Path, *words: str) -> Refused:
    """Run the tool as a process of its own and measure it."""
    program = start(home, *words)
    _, stderr = program.communicate(WALL_S)
    assert len(stderr.encode()) < 100_000
    return Refused(program.wait(), stderr, program.cpu_s, program.rss_mib)


def project(home: Path, files: dict[str, bytes]) -> None:
    """A profile with one suite, in which these files replace the sound ones."""
    for name, data in {PROFILE_FILE: PROFILE, SUITE_FILE: SUITE, **files}.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def tenfold(levels: int) -> bytes:
    """Vars of which each repeats the one before ten times."""
    lines = [f"  v{level}: '{f'${{v{level - 1}}}' * 10}'" for level in range(1, levels + 1)]
    return PROFILE + "\n".join(["vars:", "  v0: xxxxxxxxxx", *lines, ""]).encode()


def multiplied(line: bytes, first: bytes, alias: bytes) -> bytes:
    """Eleven lines of which each names the one before ten times."""
    return first + b"".join(line % (n, n, b",".join([alias % (n - 1)] * 10)) for n in range(1, 12))


def check(rest: str, kind: str = "http.request") -> dict[str, bytes]:
    """A suite with one check of which this is a part."""
    return {SUITE_FILE: CHECK.format(kind=kind, rest=rest).encode()}


def profile(line: str) -> dict[str, bytes]:
    """The profile with one line more."""
    return {PROFILE_FILE: PROFILE + f"{line}\n".encode()}


def target(url: str, more: str = "") -> dict[str, bytes]:
    """A profile whose target has this url."""
    return {PROFILE_FILE: f'title: Lab\ntargets: {{api: {{url: "{url}"{more}}}}}\nsuites: [lab/lab]\n'.encode()}


CONTENTS: dict[str, tuple[dict[str, bytes], str]] = {
    "nul": ({SUITE_FILE: b"title: a\0b\n"}, SUITE_FILE + ":1"),
    "no-utf8": ({SUITE_FILE: b"title: Lab\nchecks: \xff\xfe\n"}, SUITE_FILE + ":2"),
    "a-program": ({SUITE_FILE: Path("/bin/true").read_bytes()}, SUITE_FILE),
    "empty": ({SUITE_FILE: b""}, SUITE_FILE),
    "comments-alone": ({SUITE_FILE: b"# nothing\n" * 10_000}, SUITE_FILE),
    "nested-100000": ({SUITE_FILE: b"title: " + b"[" * 100_000}, SUITE_FILE + ":1"),
    "nested-blocks": ({SUITE_FILE: b"\n".join(b" " * n + b"a:" for n in range(2_000))}, SUITE_FILE),
    "aliases-multiply": ({SUITE_FILE: multiplied(b"a%d: &a%d [%s]\n", b"a0: &a0 [x]\n", b"*a%d")}, SUITE_FILE),
    "alias-of-itself": ({SUITE_FILE: b"title: &a [*a]\n"}, SUITE_FILE + ":1"),
    "merges-multiply": ({SUITE_FILE: multiplied(b"m%d: &m%d {<<: [%s]}\n", b"m0: &m0 {a: 1}\n", b"*m%d")}, SUITE_FILE),
    "tag-of-python": ({SUITE_FILE: b"title: !!python/object/apply:os.system [true]\n"}, SUITE_FILE + ":1"),
    "two-documents": ({SUITE_FILE: SUITE + b"---\n" + SUITE}, SUITE_FILE),
    "unclosed-quote-of-1-mb": ({SUITE_FILE: b'title: "' + b"x" * 1_000_000}, SUITE_FILE + ":1"),
    "line-of-1-mb": ({SUITE_FILE: b"title: [" + b"x, " * 300_000 + b"}\n"}, SUITE_FILE + ":1"),
    "200000-unknown-keys": (
        {SUITE_FILE: SUITE + b"".join(b"k%d: 1\n" % n for n in range(200_000))},
        SUITE_FILE + ":10002",
    ),
    "200000-equal-keys": ({SUITE_FILE: b"k: 1\n" * 200_000}, SUITE_FILE + ":10002"),
    "1000000-lines-of-text": ({SUITE_FILE: b"a\n" * 1_000_000}, SUITE_FILE + ":1"),
    "4000000-values": ({SUITE_FILE: b"title: [" + b"1," * 4_000_000 + b"1]\n"}, SUITE_FILE + ":1"),
    "300000-wrong-checks": ({SUITE_FILE: SUITE + b"  - {id: B, kind: a.b}\n" * 300_000}, SUITE_FILE + ":"),
    "10000-wrong-checks": ({SUITE_FILE: SUITE + b"  - {id: B, kind: no.kind}\n" * 10_000}, SUITE_FILE + ":5"),
    "number-of-5000-digits": (check(f"with: {{repeat: {'7' * 5000}}}"), SUITE_FILE + ":7"),
    "half-a-surrogate-pair": ({SUITE_FILE: b'title: "\\ud800"\n'}, SUITE_FILE + ":1"),
    "pattern-without-end": (check(f"expect: {{text: {{matches: '{'(' * 5000}'}}}}"), SUITE_FILE + ":7"),
    "pattern-that-repeats-repeats": (check("expect: {text: {matches: 'a{99999}{99999}{99999}'}}"), SUITE_FILE + ":7"),
    "path-of-100000-steps": (check(f"expect: {{json: {{'$.{'.' * 100_000}': 1}}}}"), SUITE_FILE + ":7"),
    "duration-that-is-a-flag": (check("timeout: true"), SUITE_FILE + ":7"),
    "size-that-is-a-flag": (check("with: {body_cap: true}"), SUITE_FILE + ":7"),
    "count-that-is-a-flag": (check("with: {repeat: true}"), SUITE_FILE + ":7"),
    "body-of-100-gib": (check("with: {body_cap: 100GiB}"), SUITE_FILE + ":7"),
    "line-break-in-a-header": (check('with: {headers: {X-A: "a\\r\\nX-B: b"}}'), SUITE_FILE + ":7"),
    "line-break-in-the-name-of-a-header": (check('with: {headers: {"X-A\\r\\nX-B": b}}'), SUITE_FILE + ":7"),
    "path-of-a-file": (check("with: {path: 'file:///etc/passwd'}"), SUITE_FILE + ":7"),
    "path-of-ftp": (check("with: {path: 'ftp://127.0.0.1/'}"), SUITE_FILE + ":7"),
    "path-with-a-bad-port": (check("with: {path: 'http://127.0.0.1:99999/'}"), SUITE_FILE + ":7"),
    "path-without-a-host": (check("with: {path: 'http://'}"), SUITE_FILE + ":7"),
    "header-of-a-stream-with-a-line-break": (
        check('with: {headers: {X-A: "a\\r\\nb"}}', "sse.stream"),
        SUITE_FILE + ":7",
    ),
    "header-of-metrics-with-a-line-break": (
        check('with: {headers: {X-A: "a\\nb"}}', "metrics.samples"),
        SUITE_FILE + ":7",
    ),
    "header-of-a-websocket-with-a-line-break": (
        check('with: {headers: {X-A: "a\\nb"}}', "websocket.session"),
        SUITE_FILE + ":7",
    ),
    "method-with-a-line-break": (check('with: {method: "GET\\r\\n"}', "sse.stream"), SUITE_FILE + ":7"),
    "metrics-of-a-file": (check("with: {path: 'file:///etc/passwd'}", "metrics.samples"), SUITE_FILE + ":7"),
    "path-with-nul": (check('with: {path: "/a\\0b"}'), SUITE_FILE + ":7"),
    "http-of-gopher": (target("gopher://127.0.0.1/"), SUITE_FILE + ":4"),
    "http-of-ftp": (target("ftp://127.0.0.1:21/"), SUITE_FILE + ":4"),
    "http-of-redis": (target("redis://127.0.0.1:6379/"), SUITE_FILE + ":4"),
    "redis-of-http": (check("expect: {error: null}", "redis.ping"), SUITE_FILE + ":4"),
    "target-with-port-0": (target("http://127.0.0.1:0/"), PROFILE_FILE + ":2"),
    "target-without-a-host": (target("http://"), PROFILE_FILE + ":2"),
    "limits-that-are-flags": (profile("limits: {deadline: true, concurrency: true}"), PROFILE_FILE + ":4"),
    "header-of-a-target-with-a-line-break": (
        target("http://127.0.0.1/", ', headers: {X-A: "a\\nb"}'),
        PROFILE_FILE + ":2",
    ),
    "vars-that-multiply": ({**check("with: {path: '/${v9}'}"), PROFILE_FILE: tenfold(9)}, PROFILE_FILE),
    "vars-of-themselves": (
        {**check("with: {path: '/${a}'}"), **profile("vars: {a: '${b}', b: '${a}'}")},
        PROFILE_FILE + ":4",
    ),
    "extends-itself": (profile("extends: lab"), PROFILE_FILE + ":4"),
    "extends-etc-passwd": (profile("extends: /etc/passwd"), "passwd"),
    "suite-outside": ({PROFILE_FILE: PROFILE.replace(b"lab/lab", b"../../../../etc/passwd")}, PROFILE_FILE + ":3"),
}  # fmt: skip
"""Name -> the files, and the place that is named."""


@pytest.mark.parametrize("case", CONTENTS)
def test_a_hostile_file_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    """What a file holds costs neither time nor memory, and the error stands where it is written."""
    files, place = CONTENTS[case]
    project(tmp_path, files)
    verify(refused(tmp_path, "run", "lab"), place)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(6 * 1024**3)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


@pytest.mark.parametrize("command", ["run", "lint", "list", "explain"])
@pytest.mark.parametrize("name", [PROFILE_FILE, SUITE_FILE])
@pytest.mark.parametrize("make", [pipe, device, sparse, folder, circle])
def test_what_is_no_regular_file_is_refused(
    make: Callable[[Path], None], name: str, command: str, tmp_path: Path
) -> None:
    """No command waits for a pipe, reads a device or a file of gigabytes, or follows a link to itself."""
    project(tmp_path, {})
    make(tmp_path / name)
    words = {"explain": "lab/lab:a"}.get(command, "lab")
    verify(refused(tmp_path, command, words), name.rpartition("/")[2].partition(".")[0])


OPTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "name-of-a-report-with-300-letters": (("run", "lab", "-o", f"{'x' * 300}.json"), "x.json"),
    "var-of-5000-parts": (("run", "lab", "--var", f"a{'.b' * 5000}=1"), "--var"),
    "var-beyond-any-length": (("run", "lab", "--var", f"a={'x' * 100_000}"), "--var"),
    "target-with-a-line-break": (("run", "lab", "--target", "api=http://a\r\nb"), "target api"),
    "compare-of-a-report-without-urls": (("compare", "report.json", "report.json"), "report.json"),
    "report-that-is-a-device": (("report", "/dev/zero"), "/dev/zero"),
    "stack-file-of-aliases": (("run", "lab", "--stack", "stack.yaml"), "stack.yaml"),
    "stack-file-that-is-a-pipe": (("run", "lab", "--stack", "pipe"), "pipe"),
    "stack-file-that-is-a-device": (("run", "lab", "--stack", "/dev/zero"), "/dev/zero"),
    "stack-file-that-is-a-folder": (("run", "lab", "--stack", "checks"), "checks"),
    "stack-file-of-the-kernel": (("run", "lab", "--stack", "/proc/self/mem"), "/proc/self/mem"),
    "stack-file-of-1-gib-of-holes": (("run", "lab", "--stack", "holes.json"), "holes.json"),
    "report-that-is-a-pipe": (("report", "pipe"), 'no run "pipe" is stored'),
    "report-of-a-pipe": (("report", "./pipe"), "pipe"),
    "journal-that-is-a-pipe": (("report", "last"), "20260101T000000-aaaaaaaa"),
    "journal-that-is-a-pipe-with-its-events": (("report", "last", "--format", "jsonl"), "20260101T000000-aaaaaaaa"),
    "compare-of-pipes": (("compare", "./pipe", "./pipe"), "pipe"),
    "times-of-a-pipe": (("run", "lab", "--shard", "1/2", "--shard-times", "pipe"), "pipe"),
    "receiver-without-a-host": (("run", "lab", "--notify", "http://[::1"), "--notify"),
    "receiver-with-a-bad-port": (("run", "lab", "--notify", "http://a:99999/"), "--notify"),
    "service-with-a-bad-port": (("run", "lab", "--notify", "slack://[::1"), "--notify"),
    "collector-with-a-bad-port": (("run", "lab", "--otlp", "http://a:99999/"), "--otlp"),
    "ping-with-a-bad-port": (("run", "lab", "--ping", "http://a:99999/"), "--ping"),
    "report-of-1-gib-of-holes": (("report", "holes.json"), "holes.json"),
    "compare-of-a-folder": (("compare", "checks", "checks"), "checks"),
    "variables-of-a-device": (("run", "lab", "--env-file", "/dev/zero"), "/dev/zero"),
    "variables-of-a-folder": (("run", "lab", "--env-file", "checks"), "checks"),
    "output-to-a-pipe-that-is-not-read": (("run", "lab", "-o", "pipe"), "pipe"),
    "output-to-a-folder": (("run", "lab", "-o", "checks"), "checks"),
    "output-below-no-folder": (("run", "lab", "-o", "no/such/report.json"), "no/such"),
    "profile-of-the-kernel": (("run", "/proc/self/mem"), "/proc/self/mem"),
}
"""Name -> the command line, and what the error names."""


@pytest.mark.parametrize("case", OPTIONS)
def test_a_hostile_option_is_refused(case: str, tmp_path: Path) -> None:
    """What the command line holds or names is bounded in the same way."""
    words, named = OPTIONS[case]
    stack = multiplied(b"a%d: &a%d [%s]\n", b"a0: &a0 [x]\n", b"*a%d")
    report = b'{"format": 1, "run": {}, "checks": [{"target": "http://[::1"}]}'
    project(tmp_path, {"stack.yaml": stack, "report.json": report})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "runs").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "runs" / "20260101T000000-aaaaaaaa.jsonl")
    with (tmp_path / "holes.json").open("wb") as file:
        file.truncate(1024**3)
    verify(refused(tmp_path, *words), named)


def verify(ended: Refused, place: str) -> None:
    """Exit 2 with the place, no traceback, within the bounds."""
    assert ended.code == 2, ended.stderr[:2000]
    assert place in ended.stderr, ended.stderr[:2000]
    assert "Traceback" not in ended.stderr
    assert "itself broke" not in ended.stderr
    assert ended.cpu_s <= CPU_S, ended
    assert ended.rss_mib <= RSS_MIB, ended
