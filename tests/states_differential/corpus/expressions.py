"""JSONata: what playbooks use of it, and what Step Functions adds."""

from __future__ import annotations

from ..case import Case, Json, jsonata, one_jsonata

GIVEN = {
    "rules": [
        {"id": "r1", "port": 22, "cidr": "0.0.0.0/0", "tags": {"env": "prod"}},
        {"id": "r2", "port": 443, "cidr": "10.0.0.0/8", "tags": {"env": "dev"}},
        {"id": "r3", "port": 3389, "cidr": "::/0", "tags": {"env": "prod"}},
    ],
    "text": "Hello, World",
    "numbers": [3, 1, 2],
    "nothing": None,
    "one": [7],
}


def made(name: str, given: Json = None, **texts: str) -> Case:
    """A Pass that makes one value of each expression."""
    return Case(f"jsonata-{name}", one_jsonata({"Type": "Pass", "Output": {key: f"{{% {text} %}}" for key, text in texts.items()}}), given or GIVEN)


CASES = [
    made("paths", a="$states.input.rules.id", b="$states.input.rules[0].port", c="$states.input.rules[-1].id", d="$states.input.rules[port=443].id", e="$states.input.rules.tags.env"),
    made("filters", a="$states.input.rules[cidr in ['0.0.0.0/0', '::/0']].id", b="$count($states.input.rules[port > 100])", c="$states.input.rules[tags.env='prod'][0].id", d="[$states.input.rules[port=22].id]"),
    made("operators", a="1 + 2 * 3 - 4 / 2", b="7 % 3", c="'a' & 1 & true", d="1 = 1 and 2 != 3 or false", e="3 >= 2", f="-(4)"),
    made("conditions", a="$states.input.rules[0].port = 22 ? 'ssh' : 'other'", b="false ? 1 : 2", c="$states.input.text ? 'there' : 'not'"),
    made("objects", a="{'n': $count($states.input.rules), 'ids': $states.input.rules.id}", b="$states.input.rules{tags.env: id}", c="$merge([{'a': 1}, {'b': 2}])", d="$keys($states.input.rules[0])"),
    made("arrays", a="[1..4]", b="$append([1], [2, 3])", c="$reverse($states.input.numbers)", d="$sort($states.input.numbers)", e="$distinct([1, 1, 2])", f="$zip([1, 2], ['a', 'b'])"),
    made("singletons", a="$states.input.one", b="$states.input.one[0]", c="[$states.input.one]", d="$states.input.rules[port=22].[id]"),
    made("sort", a="$states.input.rules^(>port).id", b="$sort($states.input.rules, function($l, $r) { $l.cidr > $r.cidr }).id"),
    made("higher-order", a="$map($states.input.numbers, function($v, $i) { $v * $i })", b="$filter($states.input.numbers, function($v) { $v > 1 })", c="$reduce($states.input.numbers, function($a, $v) { $a + $v }, 10)", d="$single($states.input.numbers, function($v) { $v = 1 })", e="$each({'a': 1, 'b': 2}, function($v, $k) { $k & $v })", f="$sift({'a': 1, 'b': 2}, function($v) { $v > 1 })"),
    made("numbers", a="$sum($states.input.numbers)", b="$max($states.input.numbers)", c="$average($states.input.numbers)", d="$round(2.5)", e="$floor(-1.5)", f="$power(2, 10)", g="$sqrt(16)", h="$abs(-3)", i="$formatNumber(1234.5, '#,##0.00')", j="$number('12')", k="$formatBase(255, 16)"),
    made("texts", a="$uppercase($states.input.text)", b="$substring($states.input.text, 7)", c="$substringBefore($states.input.text, ',')", d="$split($states.input.text, ', ')", e="$join(['a', 'b'], '-')", f="$replace($states.input.text, 'l', 'L')", g="$contains($states.input.text, /w/i)", h="$trim('  a ')", i="$pad('a', -3, '0')", j="$length($states.input.text)", k="$string({'a': [1, true]})"),
    made("regexes", a="$match('ab12', /([a-z]+)([0-9]+)/).groups", b="$replace('2026-11-21', /(\\d+)-(\\d+)-(\\d+)/, '$3.$2.$1')", c="$split('a1b2', /\\d/)"),
    made("functions", a="($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(6))", b="($x := 3; $y := 4; $x * $y)", c="[1..3] ~> $sum()", d="$states.input.text ~> $substringAfter(' ') ~> $uppercase()"),
    made("times", a="$fromMillis(0)", b="$toMillis('2026-11-21T10:00:00.000Z')", c="$fromMillis(1763719200000, '[Y0001]/[M01]/[D01]')"),
    made("types", a="$type(1)", b="$type('a')", c="$type([])", d="$type({})", e="$type(null)", f="$boolean([0])", g="$not(true)", h="$exists($states.input.none)"),
    made("encodings", a="$base64encode('a')", b="$base64decode('YQ==')", c="$encodeUrlComponent('a b&c')", d="$decodeUrlComponent('a%20b')"),
    made("nulls", a="$states.input.nothing", b="[null]", c="{'a': null}"),
    made("transform", a="$states.input.rules[0] ~> |$|{'port': 23}, ['tags']|"),
    made("partition", a="$partition([1..5], 2)", b="$range(0, 10, 5)"),
    made("parse", a="$parse('[1, {\"a\": 2}]')"),
    made("context", a="$states.context.Execution.Name", b="$states.context.State.Name", c="$states.context.StateMachine.Name", d="$states.context.Execution.Input.text"),
    made("undefined", a="$states.input.none"),
    made("error", a="1 + 'a'"),
    made("error-function", a="$nosuch(1)"),
    made("quotes", {"said": "she said \"hi\" \\ 'there'"}, a="$states.input.said"),
    Case("jsonata-literals", one_jsonata({"Type": "Pass", "Output": {"a": "no expression", "b": "{ % x % }", "c": [1, None, {"d": "{% 1 %}"}], "{% 2 %}": 3}}), GIVEN),
    Case("jsonata-whole-output", one_jsonata({"Type": "Pass", "Output": "{% $states.input.rules[0] %}"}), GIVEN),
    Case("jsonata-chain", jsonata("A", {
        "A": {"Type": "Pass", "Output": "{% $states.input.rules.port %}", "Next": "B"},
        "B": {"Type": "Pass", "Output": {"max": "{% $max($states.input) %}"}, "Next": "C"},
        "C": {"Type": "Succeed", "Output": "{% $states.input.max + 1 %}"},
    }), GIVEN),
]
