"""Small documents made from a seed: the same seed makes the same documents."""

from __future__ import annotations

from random import Random

from .case import Case, Json, inner, jsonata, sdk, states
from .corpus.errors import table

#: The input of every generated document.
GIVEN = {"n": 3, "m": -2, "text": "abc", "list": [4, 1, 1], "deep": {"flag": True, "none": None, "items": [{"k": "a", "v": 1}, {"k": "b", "v": 2}]}}

#: How deep states are in states.
DEPTH = 2

PATHS = ["$.n", "$.m", "$.text", "$.list", "$.deep", "$.deep.flag", "$.deep.none", "$.deep.items[0:1].k", "$.deep.items[*].v"]
FUNCTIONS = [
    "States.MathAdd($.n, $.m)",
    "States.Format('{}/{}', $.text, $.n)",
    "States.ArrayLength($.list)",
    "States.ArrayUnique($.list)",
    "States.ArrayContains($.list, $.n)",
    "States.Array($.n, $.text, $.deep.flag)",
    "States.JsonToString($.deep)",
    "States.ArrayRange(0, $.n, 1)",
    "States.Base64Encode($.text)",
    "States.StringSplit($.text, 'b')",
    "States.ArrayGetItem($.list, 0)",
    "States.ArrayPartition($.list, 2)",
]
EXPRESSIONS = [
    "$states.input.n + $states.input.m * 2",
    "$states.input.text & '-' & $string($states.input.n)",
    "$count($states.input.list)",
    "$sort($states.input.list)",
    "$states.input.deep.items[v > 1].k",
    "$states.input.deep.items.{'key': k, 'twice': v * 2}",
    "$sum($states.input.list) > 5 ? 'much' : 'little'",
    "$map($states.input.list, function($v, $i) { $v + $i })",
    "$filter($states.input.list, function($v) { $v = 1 })",
    "$merge([$states.input.deep, {'flag': false}])",
    "$uppercase($states.input.text)",
    "$states.input.deep.items^(>v)[0].k",
    "$join($states.input.deep.items.k, '+')",
    "{'sum': $sum($states.input.deep.items.v), 'all': $states.input.list}",
    "$reduce($states.input.list, function($a, $v) { $a * 2 + $v })",
    "$states.context.State.Name & $states.context.Execution.Name",
]
NUMERIC = ["NumericEquals", "NumericLessThan", "NumericGreaterThan", "NumericLessThanEquals", "NumericGreaterThanEquals"]


def generated(seed: str, count: int) -> list[Case]:
    """So many documents."""
    return [_case(seed, number) for number in range(count)]


def _case(seed: str, number: int) -> Case:
    random = Random(f"{seed}/{number}")
    writer = _Jsonata(random) if random.random() < 0.5 else _Jsonpath(random)
    return Case(f"generated-{seed}-{number}", writer.machine(random.randint(2, 5), DEPTH), set_up=_set_up)


def _set_up(moto: object) -> Json:
    table(moto)  # type: ignore[arg-type]
    return GIVEN


class _Writer:
    """Writes chains of states. Each passes its input on, with something added under a name of its own."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.names = 0

    def name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}{self.names}"

    def machine(self, length: int, depth: int) -> Json:
        chain: dict[str, Json] = {}
        start = self.chain(chain, length, depth, None)
        return self.document(start, chain)

    def inside(self, depth: int) -> Json:
        """What is inside of a state: it has its language from outside."""
        chain: dict[str, Json] = {}
        return inner(self.chain(chain, self.random.randint(1, 2), depth, None), chain)

    def chain(self, into: dict[str, Json], length: int, depth: int, after: str | None) -> str:
        """Adds a chain of states that ends in `after`, or ends; returns its first."""
        for _ in range(length):
            kinds = ["plain", "plain", "choice", "task", "wait", "catch"] + (["parallel", "map"] if depth else [])
            kind = self.random.choice(kinds)
            name = self.name(kind)
            into.update(getattr(self, kind)(name, depth, after))
            after = name
        assert after
        return after

    def caught(self, depth: int) -> str:
        """An error for a Catch. What fails within a state stops what is beside it, sooner here and later there: only the
        outermost fail."""
        return self.random.choice(["States.ALL", "States.TaskFailed", "DynamoDb.ResourceNotFoundException"] + (["Other"] if depth == DEPTH else []))

    @staticmethod
    def leading(after: str | None) -> Json:
        return {"Next": after} if after else {"End": True}

    def document(self, start: str, chain: dict[str, Json]) -> Json:
        raise NotImplementedError


class _Jsonpath(_Writer):
    def document(self, start: str, chain: dict[str, Json]) -> Json:
        return states(start, chain)

    def value(self) -> Json:
        return self.random.choice([{"v.$": self.random.choice(PATHS)}, {"v.$": self.random.choice(FUNCTIONS)}, {"v": self.random.choice([1, "x", None, [True]])}])

    def plain(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        return {name: {"Type": "Pass", "Parameters": self.value(), "ResultPath": f"$.{name}", **self.leading(after)}}

    def chosen(self) -> Json:
        variable, limit = self.random.choice(["$.n", "$.m", "$.list[0]"]), self.random.randint(-3, 5)
        rule = {"Variable": variable, self.random.choice(NUMERIC): limit}
        return self.random.choice([rule, {"Not": rule}, {"And": [rule, {"Variable": "$.text", "StringMatches": "a*"}]}, {"Variable": "$.deep.flag", "BooleanEquals": False}, {"Variable": "$.deep.none", "IsNull": True}, {"Variable": "$.never", "IsPresent": False}])

    def choice(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        yes, no = f"{name}Yes", f"{name}No"
        return {
            name: {"Type": "Choice", "Choices": [{**self.chosen(), "Next": yes}], "Default": no},
            yes: {"Type": "Pass", "Result": True, "ResultPath": f"$.{name}", **self.leading(after)},
            no: {"Type": "Pass", "Result": False, "ResultPath": f"$.{name}", **self.leading(after)},
        }

    def wait(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        return {name: {"Type": "Wait", "SecondsPath": "$.n", **self.leading(after)}}

    def task(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        put = {"TableName": "t", "Item": {"id": {"S.$": f"States.Format('{name}-{{}}', $.n)"}}}
        return {name: sdk("dynamodb", "putItem", Parameters=put, ResultSelector={"done": True}, ResultPath=f"$.{name}", **self.leading(after))}

    def catch(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        caught = f"{name}Caught"
        error = self.caught(depth)
        return {
            name: sdk("dynamodb", "getItem", Parameters={"TableName": "none", "Key": {"id": {"S": "x"}}}, Retry=[{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": self.random.randint(0, 2)}], Catch=[{"ErrorEquals": [error], "ResultPath": f"$.{name}", "Next": caught}], **self.leading(after)),
            caught: {"Type": "Pass", "Parameters": {"error.$": f"$.{name}.Error"}, "ResultPath": f"$.{name}", **self.leading(after)},
        }

    def parallel(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        branches = [self.inside(depth - 1) for _ in range(self.random.randint(1, 3))]
        return {name: {"Type": "Parallel", "Branches": branches, "ResultSelector": {"last.$": "$[-1:]", "n.$": "States.ArrayLength($)"}, "ResultPath": f"$.{name}", **self.leading(after)}}

    def map(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        selector = {"n.$": "$$.Map.Item.Value", "m.$": "$$.Map.Item.Index", "text.$": "$.text", "list.$": "$.list", "deep.$": "$.deep"}
        processor = self.inside(depth - 1)
        return {name: {"Type": "Map", "ItemsPath": "$.list", "ItemSelector": selector, "ItemProcessor": processor, "MaxConcurrency": self.random.choice([0, 1, 2]), "ResultPath": f"$.{name}", **self.leading(after)}}


class _Jsonata(_Writer):
    def document(self, start: str, chain: dict[str, Json]) -> Json:
        return jsonata(start, chain)

    def kept(self, name: str, text: str) -> Json:
        """The input with one more member."""
        return {"Output": f"{{% $merge([$states.input, {{'{name}': {text}}}]) %}}"}

    def plain(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        return {name: {"Type": "Pass", **self.kept(name, self.random.choice(EXPRESSIONS)), **self.leading(after)}}

    def choice(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        yes, no = f"{name}Yes", f"{name}No"
        condition = self.random.choice(["$states.input.n > $states.input.m", "$count($states.input.list) = 2", "$states.input.deep.flag", "$states.input.text in ['abc', 'd']", "$not($exists($states.input.never))", "$max($states.input.list) < 4"])
        return {
            name: {"Type": "Choice", "Choices": [{"Condition": f"{{% {condition} %}}", "Next": yes}], "Default": no},
            yes: {"Type": "Pass", **self.kept(name, "true"), **self.leading(after)},
            no: {"Type": "Pass", **self.kept(name, "false"), **self.leading(after)},
        }

    def wait(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        return {name: {"Type": "Wait", "Seconds": "{% $states.input.n %}", **self.leading(after)}}

    def task(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        put = {"TableName": "t", "Item": {"id": {"S": f"{{% '{name}-' & $states.input.n %}}"}}}
        return {name: sdk("dynamodb", "putItem", Arguments=put, **self.kept(name, "$count($states.result.Attributes)"), **self.leading(after))}

    def catch(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        error = self.caught(depth)
        caught = f"{name}Caught"
        return {
            name: sdk("dynamodb", "getItem", Arguments={"TableName": "none", "Key": {"id": {"S": "x"}}}, Catch=[{"ErrorEquals": [error], **self.kept(name, "$states.errorOutput.Error"), "Next": caught}], **self.leading(after)),
            caught: {"Type": "Pass", "Assign": {f"seen{self.names}": "{% true %}"}, **self.leading(after)},
        }

    def parallel(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        branches = [self.inside(depth - 1) for _ in range(self.random.randint(1, 3))]
        return {name: {"Type": "Parallel", "Branches": branches, **self.kept(name, "[$states.result]"), **self.leading(after)}}

    def map(self, name: str, depth: int, after: str | None) -> dict[str, Json]:
        of = {"n": "$states.context.Map.Item.Value", "m": "$states.context.Map.Item.Index", **{name: f"$states.input.{name}" for name in ("text", "list", "deep")}}
        selector = {name: f"{{% {text} %}}" for name, text in of.items()}
        processor = self.inside(depth - 1)
        return {name: {"Type": "Map", "Items": "{% $states.input.list %}", "ItemSelector": selector, "ItemProcessor": processor, "MaxConcurrency": self.random.choice([0, 1, 2]), **self.kept(name, "[$states.result.n]"), **self.leading(after)}}
