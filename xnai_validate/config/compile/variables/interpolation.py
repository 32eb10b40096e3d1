"""`${...}` in files: `${NAME}` is the environment, `${dotted.path}` a var, `${=...}` an expression of vars.

As in a shell and in Compose, `${NAME:-text}` gives a default for a variable that is unset or empty, `${NAME:?text}` an
error and `${NAME:+text}` another value where it is set; without the colon an empty variable counts as set. `$${` is the
text `${`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from xnai_validate.config.compile.variables.arithmetic import evaluate
from xnai_validate.config.compile.variables.space import VarSpace
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.scalars import environment_scalar, scalar
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.secrets.names import looks_secret
from xnai_validate.model.suggestions import nearest

TEXT_CAP = 16 * 2**20
"""Characters of all texts of a run that are made from references."""
DEPTH_CAP = 50
"""References that stand within one another, in defaults and by way of vars."""
ITEMS_CAP = 1_000_000
"""Keys, items and scalars in the value of one var."""
_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_OPERATION = re.compile(r"([A-Z_][A-Z0-9_]*)(:?[-?+])(.*)", re.ASCII | re.DOTALL)
_VAR = re.compile(r"[a-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${...}`."""

    name: str
    default: str | None
    """The text after the operator; None without one."""
    operator: str = ":-"
    """`-`, `?` or `+`; with a colon before it, an empty variable counts as unset."""

    @property
    def is_environment(self) -> bool:
        """Whether it names an environment variable instead of a var."""
        return _ENVIRONMENT.fullmatch(self.name) is not None


@dataclass(frozen=True, slots=True)
class Expression:
    """One `${=...}`."""

    text: str


Part = str | Reference | Expression


@lru_cache(maxsize=8192)
def parts(text: str) -> tuple[Part, ...]:
    """A text cut into plain pieces, references and expressions.

    Raises ValueError, with a message for the user, if it is malformed.
    """
    pieces: list[Part] = []
    plain, at = "", 0
    while (start := text.find("${", at)) >= 0:
        if start > at and text[start - 1] == "$":
            plain, at = plain + text[at : start - 1] + "${", start + 2
            continue
        plain += text[at:start]
        end = _end(text, start)
        if plain:
            pieces.append(plain)
        pieces.append(_parse_reference(text[start + 2 : end]))
        plain, at = "", end + 1
    plain += text[at:]
    return (*pieces, plain) if plain else tuple(pieces)


def _end(text: str, start: int) -> int:
    """The index of the brace that closes the one at `start + 1`."""
    depth, at = 1, start + 2
    while at < len(text):
        if text.startswith("${", at):
            depth, at = depth + 1, at + 2
            continue
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise ValueError("a ${ without its }; write $${ for the two characters themselves")


def _parse_reference(inner: str) -> Reference | Expression:
    """Parse what stands within `${...}`. Raises ValueError if it is neither a variable, a var nor an expression."""
    if inner.startswith("="):
        return Expression(inner[1:])
    operation = _OPERATION.fullmatch(inner)
    if operation is not None:
        return Reference(operation[1], operation[3], operation[2])
    name, colon, default = inner.partition(":-")
    if not _ENVIRONMENT.fullmatch(name) and not _VAR.fullmatch(name):
        raise ValueError(f"${{{name}}} is neither an environment variable (${{NAME}}) nor a var (${{dotted.path}})")
    return Reference(name, default if colon else None)


class _NoValue(Exception):
    """A var of an expression has no value on this stack; where it is unknown, that is noted already."""


@dataclass(slots=True)
class Interpolator:
    """Replaces references in JSON values; collects the secrets among them, and the vars that were referred to."""

    environ: Mapping[str, str]
    vars: VarSpace
    problems: Problems
    secrets: set[str] = field(default_factory=set)
    referenced: set[str] = field(default_factory=set)
    """The dotted paths of vars that were referred to."""
    missing_values: int = 0
    """The number of references whose value is null."""
    without_environment: bool = False
    """Whether a variable that is not set has its own name as its value instead of being an error: nothing is run."""
    unset: set[str] = field(default_factory=set)
    """The names of such variables."""
    _text_size: int = 0
    _depth: int = 0
    """The texts that are being filled in, each for a reference of the one before."""
    _known: dict[str, JsonValue] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def value(self, raw: JsonValue, where: Where) -> JsonValue:
        """`raw` with every reference replaced; errors are noted at their place."""
        if isinstance(raw, str):
            return self._template(raw, where) if "${" in raw else raw
        if isinstance(raw, dict):
            return {key: self.value(item, where.at(key)) if _has_reference(item) else item for key, item in raw.items()}
        if isinstance(raw, list):
            return [self.value(item, where.at(index)) for index, item in enumerate(raw)]
        return raw

    def with_values(self, name: str, values: JsonObject, where: Where) -> Interpolator:
        """An interpolator that also knows `values` as the var `name`, and shares secrets and references with this."""
        space = VarSpace({**self.vars.tree, name: values}, {**self.vars.origins, (name,): where})
        return Interpolator(
            self.environ,
            space,
            self.problems,
            self.secrets,
            self.referenced,
            without_environment=self.without_environment,
            unset=self.unset,
        )

    def all_vars(self) -> dict[str, JsonValue]:
        """Every var with its value."""
        return {key: self.lookup(key, Where(None)) for key in self.vars.tree}

    def lookup(self, path: str, where: Where) -> JsonValue:
        """Return the value of a var; an undefined one is noted as an error, and is None."""
        if path in self._known:
            return self._known[path]
        if path in self._open:
            chain = " -> ".join([*self._open[self._open.index(path) :], path])
            self.problems.unresolved(where, f"vars refer to each other: {chain}")
            return None
        raw, origin, found = self.vars.find(path)
        if not found:
            known = self.vars.paths()
            guess = nearest(path, known)
            hint = f'did you mean "{guess}"?' if guess else "define it under vars of a profile, or with --var"
            self.problems.unresolved(where, f'unknown var "{path}"', hint)
            return None
        self._open.append(path)
        value = self.value(raw, origin)
        self._open.pop()
        if _is_larger(value, ITEMS_CAP):
            self.problems.unresolved(origin, f"the var {path} expands to more than {ITEMS_CAP} values")
            value = None
        if looks_secret(path.rpartition(".")[2]) and isinstance(value, str | int) and not isinstance(value, bool):
            self.secrets.add(str(value))
        self._known[path] = value
        return value

    def _template(self, text: str, where: Where) -> JsonValue:
        """Replace the references in a text; a text that is one reference becomes its value, of any type."""
        if self._depth >= DEPTH_CAP:
            self.problems.unresolved(where, f"references stand within one another more than {DEPTH_CAP} levels deep")
            return None
        self._depth += 1
        try:
            return self._filled(text, where)
        except ValueError as error:
            self.problems.unresolved(where, str(error))
            return text
        finally:
            self._depth -= 1

    def _filled(self, text: str, where: Where) -> JsonValue:
        """Replace the references in a text as `_template`. Raises ValueError if one is malformed."""
        pieces = parts(text)
        if len(pieces) == 1 and not isinstance(pieces[0], str):
            return self._resolve(pieces[0], where)
        texts: list[str] = []
        for piece in pieces:
            filled = piece if isinstance(piece, str) else self._resolve_to_text(piece, where)
            if filled in self.unset and texts and texts[-1].endswith(":"):
                filled = "1"  # where a port stands, so that the rest of the url is verified
            texts.append(filled)
            self._text_size += len(texts[-1])
            if self._text_size > TEXT_CAP:
                message = f"references expand to more than {TEXT_CAP // 2**20} MiB of text"
                self.problems.unresolved(where, message, "does a var repeat another many times?")
                return None
        return "".join(texts)

    def _resolve_to_text(self, reference: Reference | Expression, where: Where) -> str:
        """Resolve a reference that stands within a longer text; a list or mapping there is an error."""
        value = self._resolve(reference, where)
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, dict | list) and isinstance(reference, Reference):
            self.problems.unresolved(where, f"${{{reference.name}}} is not a single value and cannot stand within text")
            return ""
        return str(value)

    def _resolve(self, reference: Reference | Expression, where: Where) -> JsonValue:
        """Return the value of a reference or an expression, and count values that are missing."""
        if isinstance(reference, Expression):
            return self._evaluate(reference, where)
        value = (
            self._read_environment(reference, where)
            if reference.is_environment
            else self._resolve_var(reference, where)
        )
        if value is None or value == "":
            self.missing_values += 1
        return value

    def _evaluate(self, expression: Expression, where: Where) -> JsonValue:
        """Evaluate an expression; None if a var in it has no value, or if it has errors, which are noted."""

        def lookup(path: str) -> JsonValue:
            """Return the value of a var that the expression names. Raises _NoValue if it has none."""
            self.referenced.add(path)
            value = self.lookup(path, where)
            if value is None:
                raise _NoValue
            return value

        try:
            return evaluate(expression.text, lookup, where.steps)
        except _NoValue:
            self.missing_values += 1
        except ValueError as error:
            self.problems.unresolved(where, str(error), "see the times in profiles/stack.yaml")
        return None

    def _read_environment(self, reference: Reference, where: Where) -> JsonValue:
        """Return the value of an environment variable, or the default of the reference."""
        text = self.environ.get(reference.name)
        operator = reference.operator[-1]
        is_set = bool(text) if reference.operator.startswith(":") else text is not None
        if operator == "+" and reference.default is not None:
            return self._resolve_default(reference.default, where) if is_set else None
        if is_set or (text is not None and reference.default is None):
            if looks_secret(reference.name) and text:
                self.secrets.add(text)
            return environment_scalar(text or "")
        if operator == "-" and reference.default is not None:
            return self._resolve_default(reference.default, where)
        return self._resolve_unset(reference, where)

    def _resolve_unset(self, reference: Reference, where: Where) -> JsonValue:
        """Note that an environment variable is not set, and return what stands in for it, usually None."""
        if self.without_environment:
            self.unset.add(reference.name)
            self.problems.suspect(where)
            return reference.name
        message = f"the environment variable {reference.name} is not set"
        if reference.default is not None:
            required = self._resolve_default(reference.default, where)
            self.problems.unresolved(where, f"{message}: {required}" if required else message)
            return None
        guess = nearest(reference.name, self.environ)
        hint = f'did you mean "{guess}"?' if guess else f"set it, or give a default: ${{{reference.name}:-...}}"
        self.problems.unresolved(where, message, hint)
        return None

    def _resolve_var(self, reference: Reference, where: Where) -> JsonValue:
        """Return the value of a var; its default if it is not defined."""
        self.referenced.add(reference.name)
        if reference.default is not None and not self.vars.find(reference.name)[2]:
            return self._resolve_default(reference.default, where)
        return self.lookup(reference.name, where)

    def _resolve_default(self, text: str, where: Where) -> JsonValue:
        """Return the value of a default, in which references may stand."""
        return self._template(text, where) if "${" in text else scalar(text)


def _is_larger(value: JsonValue, most: int) -> bool:
    """Whether a value has more than `most` keys, items and scalars; shared parts count each time."""
    count = 0
    pending = [value]
    while pending and count <= most:
        item = pending.pop()
        count += 1
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return count > most


def _has_reference(value: JsonValue) -> bool:
    """Whether a text in the value, its keys excepted, has a reference; most values have none."""
    if isinstance(value, str):
        return "${" in value
    if isinstance(value, dict):
        return any(map(_has_reference, value.values()))
    return isinstance(value, list) and any(map(_has_reference, value))
