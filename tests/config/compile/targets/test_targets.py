"""Targets come from profiles, the environment, a stack file and the command line; their vars come with them."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.certificates import authority
from tests.config.home import Home, error_lines
from xnai_validate.model.json import JsonObject
from xnai_validate.model.target import Choice, Tls
from xnai_validate.plan import Plan

CHOICE = """
title: Two places
suites: [case/*]
vars: {layout: none, prefix: none, budget: {ms: 1, s: 1}}
targets:
  api:
    url:
      - {url: "${API:-http://127.0.0.1:1}", vars: {layout: A, budget: {ms: 5}}}
      - {url: "${API:-http://127.0.0.1:1}/b/", vars: {layout: B, prefix: "${layout}!"}}
    root: http://127.0.0.1:1
    probe: {kind: toy.ask, with: {path: /health}, expect: {text: well}}
  store:
    url: ["redis://:p%40ss@127.0.0.1:2/0", "redis://127.0.0.1:3/0"]
    password_env: STORE_PASSWORD
"""


def vars_of(plan: Plan) -> JsonObject:
    """The vars of a plan, without those that are different in every run."""
    return {name: value for name, value in plan.vars.items() if name != "run"}


def given(home: Home, profile: str) -> None:
    """A profile with one suite."""
    home.profile(profile)
    home.suite("title: S\nchecks: [{id: a, title: A, kind: toy.load, expect: {load: 1}}]\n")


def test_the_chosen_candidate_brings_its_vars(home: Home) -> None:
    """Before it is known, the first candidate's vars hold; once one was found to answer, its own."""
    given(home, CHOICE)
    home.suite("title: S\nchecks: [{id: a, title: A, kind: toy.ask, target: api, with: {path: '${layout}'}}]\n")
    before = home.load()
    assert vars_of(before) == {"layout": "A", "prefix": "none", "budget": {"ms": 5, "s": 1}}
    assert before.targets["api"].target.url == "http://127.0.0.1:1"
    assert before.targets["api"].choice is None
    after = home.load(options=home.options(choices={"api": Choice(1, 2, True)}))
    assert vars_of(after) == {"layout": "B", "prefix": "B!", "budget": {"ms": 1, "s": 1}}
    assert after.targets["api"].target.url == "http://127.0.0.1:1/b"
    assert after.checks[0].measurement.params.model_dump()["path"] == "B"


def test_a_probe_decides_among_candidates(home: Home) -> None:
    """It is the written one, else any answer by HTTP, else a connection; a single candidate needs none."""
    given(home, CHOICE)
    targets = home.load().targets
    api, store = targets["api"].probe, targets["store"].probe
    assert api is not None
    assert store is not None
    assert [(rule.fact, rule.operand) for rule in api.rules] == [("error", None), ("status", 200), ("text", "well")]
    assert store.checker.kind == "tcp.connect"
    assert home.load(options=home.options(targets={"api": "http://127.0.0.1:9"})).targets["api"].probe is None
    home.profile("title: P\ntargets: {web: {url: ['http://127.0.0.1:1', 'http://127.0.0.1:2']}}\n", "web")
    web = home.load("web").targets["web"].probe
    assert web is not None
    assert [(r.fact, r.name, r.operand) for r in web.rules if r.fact == "status"] == [("status", "min", 100)]


def test_the_path_of_a_url_on_the_command_line_gives_the_layout(home: Home) -> None:
    """--target replaces the place whole, and the candidate with the same path decides which vars hold there."""
    given(home, CHOICE)
    plan = home.load(options=home.options(targets={"api": "http://127.0.0.1:9/b"}))
    assert plan.vars["layout"] == "B"
    assert (plan.targets["api"].target.url, plan.targets["api"].target.root) == ("http://127.0.0.1:9/b", None)
    assert home.load(options=home.options(targets={"api": "http://127.0.0.1:9/c"})).vars["layout"] == "none"


def test_a_stack_file_is_the_whole_stack(home: Home) -> None:
    """Its targets replace all others, what it lacks is not configured, and its vars lie over those of its layout."""
    given(home, CHOICE)
    stack: JsonObject = {
        "layout": "B",
        "targets": {"api": {"url": "http://127.0.0.1:7/x", "pid": 12, "tls": {"ca": "/ca.pem", "verify": False}}},
        "vars": {"budget": {"ms": 9}},
    }
    plan = home.load(options=home.options(stack=stack))
    api = plan.targets["api"].target
    assert (api.url, api.pid, api.tls.ca, api.tls.verify) == ("http://127.0.0.1:7/x", 12, "/ca.pem", False)
    assert plan.targets["store"].target.url is None
    assert vars_of(plan) == {"layout": "B", "prefix": "B!", "budget": {"ms": 9, "s": 1}}
    over = replace(home.options(stack=stack, vars={"budget.ms": "11"}), targets={"store": "redis://127.0.0.1:5"})
    assert home.load(options=over).vars["budget"] == {"ms": 11, "s": 1}
    assert home.load(options=over).targets["store"].target.url == "redis://127.0.0.1:5"


def test_a_malformed_stack_file_is_an_error(home: Home) -> None:
    """Another program's error is reported as such."""
    given(home, CHOICE)
    problems = home.problems(options=home.options(stack={"targets": {"api": {"pid": "many"}}}))
    assert error_lines(problems) == ['-: the stack file: targets.api.pid takes a whole number, not "many"']


def test_an_error_of_a_stack_file_has_its_place(home: Home, tmp_path: Path) -> None:
    """Unknown keys are refused with file, line and the nearest name; the line of a password is not shown."""
    given(home, CHOICE)
    file = tmp_path / "stack.yaml"
    file.write_text("layout: B\ntargets:\n  api:\n    rooot: x\n  store:\n    password: [secret]\n")
    stack: JsonObject = {"layout": "B", "targets": {"api": {"rooot": "x"}, "store": {"password": ["secret"]}}}
    problems = home.problems(options=replace(home.options(stack=stack), stack_file=file))
    assert [str(problem.place) for problem in problems] == ["None", f"{file}:4"]
    assert problems[1].hint == 'did you mean "root"?'
    assert "secret" not in str([problem.excerpt for problem in problems])


def test_passwords_are_secrets_wherever_they_come_from(home: Home) -> None:
    """From urls, the environment, a stack file, headers and vars: all are masked in what the run reports."""
    given(home, CHOICE.replace("budget: {ms: 1, s: 1}", "budget: {}, app_token: '${APP_TOKEN}'"))
    home.suite(
        """
        title: S
        checks:
          - id: a
            title: A
            kind: toy.ask
            target: api
            with: {path: "/${app_token}", headers: {Authorization: Bearer abcdefgh123, X-Other: open}}
        """
    )
    environ = {"STORE_PASSWORD": "hunter22", "APP_TOKEN": "12345678", "API": "http://me:basic99@127.0.0.1:1"}
    plan = home.load(options=home.options(environ=environ))
    assert {"p@ss", "p%40ss", "hunter22", "12345678", "basic99", "abcdefgh123"} <= plan.secrets
    assert "open" not in plan.secrets
    assert plan.targets["store"].target.password == "hunter22"
    assert plan.targets["store"].target.url == "redis://127.0.0.1:2/0"
    assert home.load(options=home.options(environ={"APP_TOKEN": "x"})).targets["store"].target.password == "p@ss"
    handed = home.options(environ=environ, stack={"targets": {"api": {"url": "http://a", "password": "handed-over"}}})
    assert "handed-over" in home.load(options=handed).secrets


def test_numbers_from_the_environment_are_text_where_text_is_expected(home: Home) -> None:
    """A password or header of digits is not mistaken for a number; a number of params stays one."""
    environ = {"KEY": "0012345", "TIMES": "+3"}
    headers = "headers: {X-Key: '${KEY}', X-N: '${TIMES}'}"
    text = f"kind: toy.ask\ntarget: api\nwith: {{path: '${{TIMES}}', times: '${{TIMES}}', {headers}}}"
    (check,) = home.plan_of_check(text, options=home.options(environ=environ)).checks
    params = check.measurement.params.model_dump()
    assert (params["path"], params["times"], params["headers"]) == ("+3", 3, {"X-Key": "0012345", "X-N": "+3"})


@pytest.mark.parametrize(
    ("targets", "vars_", "message"),
    [
        ({"apy": "http://127.0.0.1:1"}, {}, '-: --target apy: unknown target "apy"; did you mean "api"?'),
        ({}, {"budget.sec": "1"}, '-: --var budget.sec: unknown var "budget.sec"; did you mean "budget.s"?'),
        ({"api": "127.0.0.1:1"}, {}, '-: "127.0.0.1:1" is not a url for the target api; '
         "write scheme://host:port, such as http://127.0.0.1:8000"),
    ],
)  # fmt: skip
def test_errors_of_the_command_line(home: Home, targets: dict[str, str], vars_: dict[str, str], message: str) -> None:
    """What nothing knows and nothing uses is an error, with the nearest name."""
    given(home, CHOICE)
    assert error_lines(home.problems(options=home.options(targets=targets, vars=vars_))) == [message]


def test_what_checks_use_may_be_given_on_the_command_line_alone(home: Home) -> None:
    """A suite of one's own may rest on a target and a var that no profile knows."""
    text = "kind: toy.ask\ntarget: mine\nwith: {path: '${mine.path}'}"
    options = home.options(targets={"mine": "http://127.0.0.1:4"}, vars={"mine.path": "/p"})
    assert home.plan_of_check(text, options=options).checks[0].measurement.params.model_dump()["path"] == "/p"


def test_one_part_of_a_list_may_be_set_and_the_rest_stays(home: Home) -> None:
    """`--var canaries.0.question=..` replaces that part alone, for this run alone: profiles are read once."""
    given(home, "title: P\nsuites: [case/*]\nvars: {canaries: [{ask: a, expect: b}, {ask: c}]}\n")
    for value in ("x", "y"):
        plan = home.load(options=home.options(vars={"canaries.0.ask": value}))
        assert plan.vars["canaries"] == [{"ask": value, "expect": "b"}, {"ask": "c"}]
    assert home.load().vars["canaries"] == [{"ask": "a", "expect": "b"}, {"ask": "c"}]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("seconds", "abc", '-: --var seconds: "abc" is not a number; the profile has 30'),
        ("seconds", "30s", '-: --var seconds: "30s" is not a number; the profile has 30'),
        ("seconds", "true", '-: --var seconds: "true" is not a number; the profile has 30'),
        ("probe", "yes", '-: --var probe: "yes" is neither true nor false'),
        ("asks", "1", "-: --var asks: it has parts, which are set one by one: .0"),
        ("asks.x", "1", '-: --var asks.x: unknown var "asks.x"; did you mean "asks"?'),
        ("seconds.x", "1", '-: --var seconds.x: unknown var "seconds.x"; did you mean "seconds"?'),
    ],
)
def test_a_var_that_does_not_fit_is_reported_once(home: Home, name: str, value: str, message: str) -> None:
    """A var of the command line is of the type that the profile's has; the checks that use it draw no errors."""
    home.profile(
        "title: P\nsuites: [case/*]\ntargets: {api: {url: 'http://127.0.0.1:1'}}\n"
        "vars: {seconds: 30, probe: false, asks: [{path: /a}]}\n"
    )
    with_ = "{path: '${asks.0.path}?${seconds}&${probe}'}"
    home.suite(f"title: S\nchecks: [{{id: a, title: A, kind: toy.ask, target: api, with: {with_}}}]\n")
    assert error_lines(home.problems(options=home.options(vars={name: value}))) == [message]


@pytest.mark.parametrize(("name", "value"), [("seconds", "2.5"), ("probe", "true"), ("text", "3"), ("nothing", "x")])
def test_a_var_that_fits_is_taken(home: Home, name: str, value: str) -> None:
    """Numbers for numbers, truth for truth, anything for a text or for nothing."""
    given(home, "title: P\nsuites: [case/*]\nvars: {seconds: 30, probe: false, text: t, nothing: null}\n")
    assert str(home.load(options=home.options(vars={name: value})).vars[name]).lower() == value


@pytest.mark.parametrize(
    ("name", "url", "message"),
    [
        ("api", "redis://127.0.0.1:1", "-: --target api: redis is not what is spoken there; write http://HOST:PORT"),
        ("api", "ftp://127.0.0.1:1", "-: --target api: ftp is not what is spoken there; write http://HOST:PORT"),
        ("store", "http://127.0.0.1:1", "-: --target store: http is not what is spoken there; write redis://HOST:PORT"),
    ],
)
def test_a_target_keeps_its_protocol(home: Home, name: str, url: str, message: str) -> None:
    """A url of another protocol than the profile's is an error, not a dozen checks that could not be measured."""
    given(home, CHOICE)
    assert error_lines(home.problems(options=home.options(targets={name: url}))) == [message]


def test_a_target_may_be_moved_to_tls(home: Home) -> None:
    """https stands for http, rediss for redis."""
    given(home, CHOICE)
    moved = {"api": "https://127.0.0.1:1", "store": "rediss://127.0.0.1:1"}
    assert home.problems(options=home.options(targets=moved)) == ()


def test_a_stack_file_gives_urls_and_pids_later(home: Home) -> None:
    """A target of a stack file remembers the file; one whose url is from the command line does not follow it."""
    home.profile()
    home.suite("title: One\nchecks: [{id: it, title: It, kind: toy.load, expect: {load: 1}}]\n")
    stack: JsonObject = {"targets": {"api": {"url": "http://127.0.0.1:1", "pid": 7}, "store": {"url": "redis://h:1"}}}
    moved = {"store": "redis://127.0.0.1:2"}
    options = replace(home.options(stack=stack, targets=moved), stack_file=home.path / "stack.json")
    targets = {name: planned.target for name, planned in home.load(options=options).targets.items()}
    assert targets["api"].state_file == str(home.path / "stack.json")
    assert targets["store"].state_file is None
    assert home.load(options=home.options(stack=stack)).targets["api"].target.state_file is None


def test_a_password_remembers_where_it_is_from(home: Home) -> None:
    """One from the environment can be named instead of written down; one in the profile cannot."""
    home.profile(
        "title: Base\nsuites: [case/*]\ntargets:\n"
        "  a: {url: 'redis://127.0.0.1:1', password_env: SECRET_A}\n"
        "  b: {url: 'redis://127.0.0.1:1', password_env: UNSET, password: written}\n"
    )
    home.suite("title: One\nchecks: [{id: it, title: It, kind: toy.load, expect: {load: 1}}]\n")
    plan = home.load(options=home.options(environ={"SECRET_A": "from-outside"}))
    a, b = plan.targets["a"].target, plan.targets["b"].target
    assert (a.password, a.password_env) == ("from-outside", "SECRET_A")
    assert (b.password, b.password_env) == ("written", None)


@pytest.mark.parametrize(
    ("url", "kept", "tls"),
    [
        ("redis://h:1?db=3", "redis://h:1/3", {}),
        ("rediss://:word@h:1/0?ssl_cert_reqs=none", "rediss://h:1/0", {"verify": False}),
        ("rediss://h:1?ssl_ca_certs={ca}", "rediss://h:1", {"ca": "{ca}"}),
    ],
)
def test_options_in_a_url_of_redis_are_followed(
    home: Home, tmp_path: Path, url: str, kept: str, tls: dict[str, object]
) -> None:
    """The database and the options of TLS that clients take in a url are those of the target."""
    ca = authority(tmp_path).ca
    url = url.replace("{ca}", ca)
    tls = {name: ca if value == "{ca}" else value for name, value in tls.items()}
    home.profile(f"title: P\nsuites: [case/one]\ntargets: {{store: {{url: '{url}', tls: {{server_name: name}}}}}}\n")
    home.suite("title: S\nchecks: [{id: a, title: A, kind: toy.ask, target: store, with: {path: a}}]\n")
    target = home.load().targets["store"].target
    assert target.url == kept
    assert asdict(target.tls) == asdict(Tls(server_name="name")) | tls


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://h:1?socket_timeout=5", "the option socket_timeout is not followed"),
        ("redis://h:1?ssl_cert_reqs=none", "write rediss://"),
        ("redis://h:1/name", "the database 'name' is not a number"),
    ],
)
def test_what_is_not_followed_in_a_url_of_redis_is_refused(home: Home, url: str, words: str) -> None:
    """An option that would be passed over in silence is an error of the profile, at its place."""
    home.profile(f"title: P\nsuites: [case/one]\ntargets:\n  store:\n    url: '{url}'\n")
    home.suite("title: S\nchecks: [{id: a, title: A, kind: toy.ask, target: store, with: {path: a}}]\n")
    [problem] = home.problems()
    assert words in problem.message
    assert problem.place is not None
    assert problem.place.line == 5


@pytest.mark.parametrize(
    ("url", "verify", "warned"),
    [
        ("https://h:1", False, True),
        ("https://h:1", True, False),
        ("rediss://h:1", False, True),
        ("http://h:1", False, False),
    ],
)
def test_a_certificate_that_is_not_verified_is_a_warning(home: Home, url: str, verify: bool, warned: bool) -> None:
    """Any server could answer for such a target, so every report of the run shows it; without TLS it does not apply."""
    given(
        home,
        f"title: T\nsuites: [case/*]\ntargets: {{api: {{url: '{url}', tls: {{verify: {str(verify).lower()}}}}}}}\n",
    )
    warnings = home.load().warnings
    assert [warning.partition(" (")[0] for warning in warnings] == ["the certificate of api is not verified"] * warned
