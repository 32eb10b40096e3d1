"""The usual commands of health checks, as kinds of checks: curl, wget, pg_isready, redis-cli, nc, python and others."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, urlsplit

from xnai_validate.importing.project import HealthCommand, Probe, Variable
from xnai_validate.model.json import JsonObject
from xnai_validate.model.secrets.names import looks_secret

_URL = re.compile(r"https?://[^\s'\"|;)]+")
_LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "::1", "")
_BARE = re.compile(r"(?<![\w/.:=-])(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::\d+)?(?:/[^\s'\"|;)]*)?")
_NO_PROXY = re.compile(r"\s--noproxy[ =]\S+")
_GREP = re.compile(r"\|\s*grep\s+(?:-[qsF]+\s+)*(?:'([^']+)'|\"([^\"]+)\"|(\w[\w-]*))")
_PLAIN = re.compile(r"[\w \":,/-]+")
"""A text that means itself as an expression of grep."""
_OF_HEAD = re.compile(r"\s(?:-\w*[iIw]\b|--head|--include|--write-out|--server-response|-S\b)")
"""Options with which curl and wget write the status or the headers, not the body alone."""
_METHOD = r"[ =:'\"]*(?!GET|HEAD)[A-Z]+\b"
_SPECIAL = {
    "curl": re.compile(
        r"\s(?:-[a-zA-Z]*[udFbET](?=[\s'\"])|--(?:user|data\S*|json|form\S*|cookie|upload-file|cert|cacert|unix-socket"
        rf"|oauth2-bearer)(?![\w-])|(?:-X|--request){_METHOD})"
    ),
    "wget": re.compile(
        r"\s--(?:user|password|http-\w+|post-\w+|body-\w+|load-cookies|ca-certificate|certificate|private-key)(?![\w-])"
        rf"|\s--method{_METHOD}"
    ),
}
"""Options of requests that need a credential, a body or a file of the container, or may change something."""
_SPECIAL_ANYWHERE = re.compile(rf"(?i:authorization|bearer\s)|\bmethod{_METHOD}")
_UNVERIFIED = re.compile(r"\s(?:-\w*k\w*|--insecure|--no-check-certificate)(?=\s)")
_HEADER = re.compile(r"\s(?:-H|--header)[ =]?(?:'([\w-]+):\s*([^']*)'|\"([\w-]+):\s*([^\"]*)\")")
_SOCKET = re.compile(r"/dev/tcp/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|::1)/(\d+)")
"""A connection that the shell itself opens."""
_CODE_SOCKET = re.compile(r"['\"]+(?:localhost|127\.0\.0\.1|0\.0\.0\.0)['\"]+\s*,\s*(\d+)")
"""The same in the code of a language, such as `fsockopen('localhost', 8090)`."""
_WITH_URLS = ("curl", "wget", "python", "python3", "node", "nodejs", "bun", "deno", "ruby", "php", "perl", "timeout")
"""Programs whose command may have the url that they ask."""
_REQUEST_LINE = re.compile(r"\b(GET|HEAD) (/\S*) HTTP/1")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?-(?P<default>[^{}$]*))?\}|(?P<plain>\w+))")
_HELD: JsonObject = {"hold": "300ms"}
"""A port that the engine forwards accepts every connection, and closes it at once where no server listens behind it."""
_PORT = re.compile(r"(?:-p|--port)[ =]?(\d+)")
_SHELL = re.compile(r"\s*(?:\|\||&&|;|\||>|2>)\s*")


@dataclass(frozen=True, slots=True)
class NativeCheck:
    """A check that measures what a command in the container measures, from outside."""

    kind: str
    port: int
    """The port in the container."""
    scheme: str = "http"
    params: JsonObject = field(default_factory=dict)
    expect: JsonObject = field(default_factory=dict)
    sentence: str = "is healthy, by its own health check"


def native_check(command: HealthCommand, environment: Mapping[str, Variable] | None = None) -> NativeCheck | None:
    """The check that measures the same; None for a command whose measurement only its container can make.

    `environment` is that of the service: its shell fills in the variables of the command.
    """
    text = command.words[0] if command.in_shell else shlex.join(command.words)
    is_shell = not command.in_shell and command.words[0].rpartition("/")[2] in ("sh", "bash", "ash")
    if is_shell and len(command.words) >= 3:
        text = command.words[2]
    text = _fill_in(text.replace("$$", "$"), environment or {})
    if socket := _SOCKET.search(text):
        return _check_of_socket(text, int(socket[1]))
    first = _SHELL.split(text.strip())[0]
    program = re.split(r"\s", first.removeprefix("exec "))[0].rpartition("/")[2]
    if program in ("pg_isready", "psql"):
        return NativeCheck("tcp.connect", _port_in(text, 5432), "tcp", _HELD, {"held": True})
    if program in ("redis-cli", "valkey-cli", "keydb-cli"):
        return NativeCheck("redis.ping", _port_in(text, 6379), "redis", {"without_password": False})
    if program in ("mysqladmin", "mysql", "mariadb-admin", "mariadb", "healthcheck.sh"):
        return NativeCheck(
            "tcp.connect", _port_in(text, 3306), "tcp", {"banner": "2s"}, {"banner": {"length": {"min": 1}}}
        )
    if program == "nc":
        numbers = [word for word in first.split() if word.isdecimal() and 0 < int(word) <= 65535]
        return NativeCheck("tcp.connect", int(numbers[-1]), "tcp", _HELD, {"held": True}) if numbers else None
    if program in ("mongosh", "mongo"):
        return NativeCheck("tcp.connect", _port_in(text, 27017), "tcp", _HELD, {"held": True})
    if program not in _WITH_URLS or any(map(looks_secret, command.names)):
        return None  # a value that may be secret is not written down
    socket = _CODE_SOCKET.search(text) if program not in ("curl", "wget") and _find_url(text, program) is None else None
    return _check_of_socket(text, int(socket[1])) if socket else _check_of_url(text, program)


def probe_check(probe: Probe) -> NativeCheck:
    """The check that measures what a probe of Kubernetes does: any status from 200 to 399 is right."""
    sentence = "is ready, by its own probe"
    if probe.path is None:
        return NativeCheck("tcp.connect", probe.port, "tcp", {}, {"connected": True}, sentence)
    expect: JsonObject = {"status": {"min": 200, "max": 399}}
    return NativeCheck("http.request", probe.port, probe.scheme, {"path": probe.path}, expect, sentence)


def _fill_in(text: str, environment: Mapping[str, Variable]) -> str:
    """Return a command with the variables that the environment of its service has; what may be secret stays a name."""

    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        variable = environment.get(name)
        if looks_secret(name):
            return match[0]
        return (variable.value if variable else None) or match["default"] or match[0]

    return _VARIABLE.sub(value, text)


def _check_of_socket(text: str, port: int) -> NativeCheck | None:
    """Return the check for a connection that a command opens itself, with the HTTP request that it sends, if any.

    None for an invalid port.
    """
    if not 0 < port <= 65535:
        return None
    request = _REQUEST_LINE.search(text)
    if request is None:
        return NativeCheck("tcp.connect", port, "tcp", _HELD, {"held": True})
    params: JsonObject = {"path": request[2]}
    if request[1] == "HEAD":
        params["method"] = "HEAD"
    expect: JsonObject = {"status": 200} if re.search(r"\b200\b", text) else {"status": {"max": 599}}
    return NativeCheck("http.request", port, "http", params, expect)


def _check_of_url(text: str, program: str) -> NativeCheck | None:
    """Return the check for the url in a command to the container itself.

    None without one, for another host, or if the request needs a credential, a special option, an unverified
    certificate, or an answer that no check can express.
    """
    url = _find_url(text, program)
    if url is None or _is_special(text, program) or (url.scheme == "https" and _UNVERIFIED.search(text)):
        return None
    expect = _expected_response(text, program)
    if expect is None:
        return None
    params: JsonObject = {"path": (url.path or "/") + (f"?{url.query}" if url.query else "")}
    if re.search(r"(?:^|\s)(?:-I|--head|--spider)(?:\s|$)", text) and program == "curl":
        params["method"] = "HEAD"
    if re.search(r"(?:^|\s)-\w*L|--location", text) or program in ("wget", "python", "python3", "node"):
        params["redirects"] = 5
    headers = {match[1] or match[3]: match[2] or match[4] or "" for match in _HEADER.finditer(text)}
    if any(looks_secret(name) or "$" in value for name, value in (*headers.items(), *parse_qsl(url.query))):
        return None
    if headers:
        params["headers"] = dict(headers)
    port = url.port or (443 if url.scheme == "https" else 80)
    return NativeCheck("http.request", port, url.scheme, params, expect)


def _is_special(text: str, program: str) -> bool:
    """Whether a request needs more than its url: from outside it would be answered in another way."""
    options = _SPECIAL.get(program)
    return (options is not None and options.search(text) is not None) or _SPECIAL_ANYWHERE.search(text) is not None


def _find_url(text: str, program: str) -> SplitResult | None:
    """Return the first url of a command, if it is one of the container itself and has no variable."""
    urls = _URL.findall(text)
    if not urls and program in ("curl", "wget"):
        bare = _BARE.search(_NO_PROXY.sub(" ", text))
        urls = [f"http://{bare[0]}"] if bare else []
    if not urls or "$" in urls[0]:
        return None
    try:
        url = urlsplit(urls[0])
        _ = url.port  # raises ValueError for a port that is not one
    except ValueError:
        return None
    return url if (url.hostname or "") in _LOCAL else None


def _expected_response(text: str, program: str) -> JsonObject | None:
    """Return the rules of the response that a command accepts; None for a `grep` whose pattern is not plain text."""
    fails_on_errors = program != "curl" or re.search(r"\s-\w*f|--fail", text) is not None
    expect: JsonObject = {"status": {"max": 399 if fails_on_errors else 599}}
    grep = _GREP.search(text)
    words = next((group for group in grep.groups() if group), "") if grep else ""
    if words and _OF_HEAD.search(text):
        return {"status": 200} if re.search(r"\b200\b", words) else expect
    if words:
        if not _PLAIN.fullmatch(words):
            return None
        expect["text"] = {"contains": words}
    return expect


def _port_in(text: str, default: int) -> int:
    """Return the port in a text."""
    match = _PORT.search(text)
    return int(match[1]) if match and 0 < int(match[1]) <= 65535 else default
