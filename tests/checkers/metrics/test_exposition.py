"""Names of counters as the text has them, whatever the parser makes of them."""

from __future__ import annotations

import pytest

from xnai_validate.checkers.metrics._exposition import parse

NGINX = b"# HELP nginx_connections_accepted Accepted\n# TYPE nginx_connections_accepted counter\n"


@pytest.mark.parametrize(
    ("text", "families", "sums"),
    [
        (NGINX + b"nginx_connections_accepted 7\n", {"nginx_connections_accepted"}, {"nginx_connections_accepted": 7}),
        (b"# TYPE a_total counter\na_total 1\n", {"a_total"}, {"a_total": 1}),
        (b"# TYPE a counter\na 1\n# TYPE a_total counter\na_total 2\n", {"a", "a_total"}, {"a": 1, "a_total": 2}),
        (b"# TYPE a_total counter\na_total 2\n# TYPE a counter\na 1\n", {"a", "a_total"}, {"a": 1, "a_total": 2}),
        (b'# TYPE a counter\na{x="1"} 1\na{x="2"} 2\n', {"a"}, {"a": 3}),
        (b"#  TYPE  a  counter \n# HELP a A\n# TYPE a counter\na 1\n", {"a"}, {"a": 1}),
        (b"# TYPE a counter\n", {"a"}, {}),
        (b"# TYPE a_total counter\n", {"a_total"}, {}),
        (b'# TYPE "http.server" counter\n{"http.server",x="1"} 4\n', {"http.server"}, {"http.server": 4}),
        (b"# TYPE a gauge\na 1\nb_total 2\n", {"a", "b_total"}, {"a": 1, "b_total": 2}),
    ],
)
def test_counters_keep_the_name_that_is_exposed(text: bytes, families: set[str], sums: dict[str, float]) -> None:
    """With or without `_total`, labels, quotes or samples: what is read is what is there."""
    found, problem = parse(text, openmetrics=False)
    assert problem is None
    assert (set(found.families), dict(found.sums)) == (families, sums)


def test_single_samples_have_the_name_that_is_exposed() -> None:
    """The key of a sample with labels has the name of the text, too; the name without labels is found as it is."""
    found, _ = parse(b'# TYPE nginx counter\nnginx{a="b"} 3\n', openmetrics=False)
    assert found.single == {'nginx{a="b"}': 3}
    assert (found.value("nginx"), found.value("nginx_total")) == (3, None)


def test_openmetrics_has_families_without_total() -> None:
    """In OpenMetrics the family of `a_total` is `a`: there the names differ in the text itself."""
    found, problem = parse(b"# TYPE a counter\na_total 1\n# EOF\n", openmetrics=True)
    assert (problem, found.families, dict(found.sums)) == (None, {"a": "counter"}, {"a_total": 1})
