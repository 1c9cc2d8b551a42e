"""IAM's policy language, evaluated: what a set of policies says to an action on a resource in a context.

An explicit Deny wins, then an Allow, and nothing said is an implicit Deny. What cannot be read says nothing.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
import json
import re
from dataclasses import dataclass, field
from typing import Any

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"
_VARIABLE = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True)
class Asked:
    """One question. The names in `context` are in lower case; a value is a list, because some keys have several."""

    action: str
    resource: str
    context: dict[str, list[str]] = field(default_factory=dict)
    #: For policies of resources: the ARNs and account by which a statement may name who asks. None: it is nobody.
    principals: frozenset[str] = frozenset()


def decide(documents: list[str], asked: Asked) -> tuple[str, list[int]]:
    """What the documents say together, and the numbers of those that decided."""
    hits: dict[str, list[int]] = {"Allow": [], "Deny": []}
    for number, document in enumerate(documents):
        for statement in statements(document):
            if applies(statement, asked):
                hits.setdefault(statement.get("Effect", ""), []).append(number)
    if hits["Deny"]:
        return EXPLICIT_DENY, sorted(set(hits["Deny"]))
    if hits["Allow"]:
        return ALLOWED, sorted(set(hits["Allow"]))
    return IMPLICIT_DENY, []


@functools.lru_cache(maxsize=4096)
def statements(document: str) -> list[dict[str, Any]]:
    """The statements of a document; none when it is no policy."""
    try:
        found = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError):
        return []
    return [s for s in listed(found) if isinstance(s, dict)]


def has_deny(document: str) -> bool:
    return any(statement.get("Effect") == "Deny" for statement in statements(document))


def applies(statement: dict[str, Any], asked: Asked) -> bool:
    """Whether a statement speaks of what is asked."""
    return (
        _acts(statement, asked)
        and _reaches(statement, asked)
        and _names(statement, asked)
        and all(_holds(operator, tests, asked) for operator, tests in (statement.get("Condition") or {}).items())
    )


def matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: `*` is anything, `?` is one character, and nothing else is special."""
    return _compiled(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=16_384)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.DOTALL)


def _acts(statement: dict[str, Any], asked: Asked) -> bool:
    action = asked.action.lower()
    if "NotAction" in statement:
        return not any(matches(str(a).lower(), action) for a in listed(statement["NotAction"]))
    return any(matches(str(a).lower(), action) for a in listed(statement.get("Action", [])))


def _reaches(statement: dict[str, Any], asked: Asked) -> bool:
    def hit(pattern: Any) -> bool:
        return matches(_filled(str(pattern), asked), asked.resource)

    if "NotResource" in statement:
        return not any(map(hit, listed(statement["NotResource"])))
    # A trust policy has no resource: it is one.
    return "Resource" not in statement or any(map(hit, listed(statement["Resource"])))


def _names(statement: dict[str, Any], asked: Asked) -> bool:
    if "Principal" not in statement and "NotPrincipal" not in statement:
        return True
    key = "Principal" if "Principal" in statement else "NotPrincipal"
    hit = any(p == "*" or p in asked.principals for p in named(statement[key]))
    return hit == (key == "Principal")


def named(principal: Any) -> list[str]:
    """Whom a Principal names, of whatever kind."""
    if isinstance(principal, dict):
        return [str(p) for kind, of_kind in principal.items() if kind != "Service" for p in listed(of_kind)]
    return [str(p) for p in listed(principal)]


def _filled(text: str, asked: Asked) -> str:
    return _VARIABLE.sub(lambda found: next(iter(asked.context.get(found.group(1).lower(), [])), found.group(0)), text)


def _holds(operator: str, tests: dict[str, Any], asked: Asked) -> bool:
    return all(_test(operator, key, [_text(value) for value in listed(wanted)], asked) for key, wanted in tests.items())


def _test(operator: str, key: str, wanted: list[str], asked: Asked) -> bool:
    given = asked.context.get(key.lower())
    quantifier, _, plain = operator.rpartition(":")
    if plain == "Null":
        return (given is None) == (wanted[:1] == ["true"])
    if_exists = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    positive = plain.replace("Not", "")
    negated = positive != plain
    if given is None:
        return if_exists or negated or quantifier == "ForAllValues"

    def one(value: str) -> bool:
        return any(_compare(positive, _filled(want, asked), value) for want in wanted) != negated

    return any(map(one, given)) if quantifier == "ForAnyValue" else all(map(one, given))


def _compare(operator: str, want: str, value: str) -> bool:
    if operator in ("StringLike", "ArnLike", "ArnEquals"):
        return matches(want, value)
    if operator in ("StringEqualsIgnoreCase", "Bool"):
        return want.lower() == value.lower()
    if operator == "IpAddress":
        try:
            return ipaddress.ip_address(value) in ipaddress.ip_network(want, strict=False)
        except ValueError:
            return False
    for kind, read in (("Date", _moment), ("Numeric", float)):
        if operator.startswith(kind):
            try:
                return _ordered(operator.removeprefix(kind), read(value), read(want))
            except (ValueError, TypeError):
                return False
    return operator in ("StringEquals", "BinaryEquals") and want == value


def _ordered(relation: str, value: Any, want: Any) -> bool:
    return {
        "Equals": value == want,
        "LessThan": value < want,
        "LessThanEquals": value <= want,
        "GreaterThan": value > want,
        "GreaterThanEquals": value >= want,
    }.get(relation, False)


def _moment(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    made = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (made if made.tzinfo else made.replace(tzinfo=datetime.UTC)).timestamp()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
