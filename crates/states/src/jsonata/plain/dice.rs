//! Random expressions and values.

use crate::random::Random;
use serde_json::{Map, Value, json};
use std::cell::Cell;

/// Makes expressions and values.
pub(super) struct Dice {
    random: Random,
    /// Parameters and assigned names that can be seen.
    bound: Vec<String>,
    next: Cell<usize>,
}

const NAMES: [&str; 6] = ["a", "b", "c", "tags", "id", "Ω b"];
const TEXTS: [&str; 7] = [
    "'abcab'",
    "'a.b.c'",
    "'é𝄞a1 b22'",
    "''",
    "'A\nb'",
    "'aab aab'",
    "'YQ=='",
];
const VARIABLES: [&str; 4] = ["x", "y", "list", "nothing"];

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice {
            random: Random::new(seed),
            bound: Vec::new(),
            next: Cell::new(0),
        }
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.random.fraction() * count as f64) as usize
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    pub(super) fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 8 } else { 13 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(5) as i64 - 2),
            3 => json!(self.random.fraction() * 100.0 - 50.0),
            4 => json!(9_007_199_254_740_993_u64 + self.below(4) as u64),
            5 => json!(1.0),
            6 => json!(self.pick(&["", "a", "b", "0.0.0.0/0", "é𝄞", "10", "-1.5e3", "A b"])),
            7 => json!([]),
            8 | 9 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let mut members = Map::new();
                for _ in 0..self.below(4) {
                    members.insert(self.pick(&NAMES).to_owned(), self.value(depth - 1));
                }
                Value::Object(members)
            }
        }
    }

    fn literal(&mut self) -> String {
        let texts = [
            "0",
            "1",
            "-1",
            "2.5",
            "'a'",
            "'b'",
            "''",
            "'10'",
            "true",
            "false",
            "null",
            "'é'",
            "()",
            "[]",
            "{}",
            "1e20",
            "12345.678901",
        ];
        self.pick(&texts).to_owned()
    }

    fn name(&mut self) -> String {
        match self.pick(&NAMES) {
            name if name.contains(' ') => format!("`{name}`"),
            name => name.to_owned(),
        }
    }

    fn variable(&mut self) -> String {
        let own = self.bound.len();
        match self.below(VARIABLES.len() + 3 + own) {
            n if n < own => format!("${}", self.bound[n]),
            n if n < own + 2 => format!("$states.{}", self.pick(&["input", "result", "context"])),
            n if n == own + 2 => self.pick(&["$states", "$", "$$"]).to_owned(),
            _ => format!("${}", self.pick(&VARIABLES)),
        }
    }

    fn path(&mut self, depth: usize) -> String {
        let mut path = match self.below(8) {
            0 => self.name(),
            1 if depth > 0 => format!("({})", self.expression(depth - 1)),
            _ => self.variable(),
        };
        for _ in 0..self.below(4) {
            match self.below(14) {
                9 if depth > 0 && self.below(2) == 0 => {
                    let (one, other) = (self.expression(depth - 1), self.name());
                    path += &format!(".[{one}, {other}]");
                }
                9 => path += ".*",
                10 => path += "[]",
                11 => path += &format!("^({})", self.terms(depth)),
                0 if depth > 0 => path += &format!(".({})", self.expression(depth - 1)),
                1 if depth > 0 => path += &format!(".{{'k': {}}}", self.expression(depth - 1)),
                2 => path += self.pick(&["[0]", "[-1]", "[1]"]),
                3 if depth > 0 => path += &format!("[{}]", self.expression(depth - 1)),
                4 => path += &format!("[{}={}]", self.name(), self.literal()),
                _ => path += &format!(".{}", self.name()),
            }
        }
        path
    }

    /// What items are ordered by.
    fn terms(&mut self, depth: usize) -> String {
        let one = |dice: &mut Dice| {
            let term = match dice.below(4) {
                0 if depth > 0 => format!("({})", dice.expression(depth - 1)),
                1 => "$".to_owned(),
                _ => dice.name(),
            };
            format!("{}{term}", dice.pick(&["", "<", ">"]))
        };
        match self.below(3) {
            0 => format!("{}, {}", one(self), one(self)),
            _ => one(self),
        }
    }

    /// The functions that take a regular expression.
    fn matching(&mut self, depth: usize) -> String {
        let text = match self.below(3) {
            0 => self.expression(depth),
            1 => self.path(0),
            _ => self.pick(&TEXTS).to_owned(),
        };
        let patterns = [
            "/a/",
            "/a+(b)/",
            "/(\\w)(\\d*)/",
            "/[^a]/i",
            "/^A|b$/m",
            "/a.c/s",
            "/\\bé?/",
            "/(x)|(a)/",
            "/a*/",
            "/\\./",
        ];
        let pattern = self.pick(&patterns);
        let limit = self.pick(&["", "", ", 1", ", 0", ", 2", ", -1", ", 1.5"]);
        let by = self.pick(&["'-'", "'$1'", "'[$0]$2'", "''", "'$$x'", "'$12'"]);
        match self.below(4) {
            0 => format!("$contains({text}, {pattern})"),
            1 => format!("$match({text}, {pattern}{limit})"),
            2 => format!("$replace({text}, {pattern}, {by}{limit})"),
            _ => format!("$split({text}, {pattern}{limit})"),
        }
    }

    /// The functions that want more than any value.
    fn pictured(&mut self, depth: usize) -> String {
        let moment = self.pick(&[
            "0",
            "1700000000123",
            "$y",
            "1582934400000",
            "1583020799999",
            "1546214400000",
            "86400000",
            "1521801216617",
            "1522282216617",
            "-1",
            "253402300800000",
            "4e12",
        ]);
        let number = match self.below(2) {
            0 => self.path(0),
            _ => self
                .pick(&["7", "255", "-3", "1234.5", "0", "1e9", "1234567"])
                .to_owned(),
        };
        let (text, other) = (self.pick(&TEXTS), self.expression(depth));
        let pictures = [
            "[Y0001]-[M01]-[D01]",
            "[D]/[M]|[D1] [M1] [d]",
            "[FNn], [D1o] [MNn] [Y]",
            "[F] [h]:[m] [P]",
            "[FNn,3-3] [MNn,3-3]",
            "[Z] [Z01:01] [Z01:01t]",
            "[Y]/[M01]",
            "[H01]:[m01]:[s01].[f001]Z",
            "[H01][m]:[s]",
            "[D1o] [MNn]",
            "]][[[Y]",
            "x[Y",
        ];
        match self.below(16) {
            0 => format!("$fromMillis({moment})"),
            1 | 2 => format!("$fromMillis({moment}, '{}')", self.pick(&pictures)),
            3 => {
                let texts = [
                    "2018-03-27T14:03:00.123Z",
                    "2020-02-29T00:00:00Z",
                    "2019-02-29T00:00:00Z",
                    "2018-03-27T24:00:00Z",
                    "2018-03-27T23:59:60Z",
                    "0001-01-01T00:00:00Z",
                    "2018-13-27T14:03:00Z",
                    "2018",
                    "1969-12-31T23:59:59.001Z",
                    "2018-00-27T14:03:00Z",
                    "2018-03-27T14:60:00Z",
                    "2018-03-27",
                    "2018-02-30",
                ];
                format!("$toMillis('{}')", self.pick(&texts))
            }
            4 => self
                .pick(&["$now()", "$millis()", "[$now(), $millis()]"])
                .to_owned(),
            5 => format!(
                "$formatInteger({number}, '{}')",
                self.pick(&[
                    "0",
                    "000",
                    "##0",
                    "#,##0",
                    "#,##0,000",
                    "##,##0",
                    "#,#0",
                    ",000",
                    "w",
                    "0000000000",
                    "0,0"
                ])
            ),
            6 => format!(
                "$formatNumber({number}, '{}')",
                self.pick(&["000", "#,##0.00", "0.0", "00%", ""])
            ),
            7 => format!(
                "$formatBase({number}, {})",
                self.pick(&["2", "16", "36", "1", "2.5", "10"])
            ),
            8 => format!("$formatBase({number})"),
            9 => format!(
                "$pad({text}, {}{})",
                self.pick(&["5", "-5", "2.7", "-0.5", "$y"]),
                self.pick(&["", ", 'xy'", ", ''", ", 'é𝄞'"])
            ),
            10 => format!(
                "$replace({text}, {}, '$1-'{})",
                self.pick(&["'a'", "'.'", "'b'", "''"]),
                self.pick(&["", ", 1", ", 0"])
            ),
            11 => format!(
                "$split({text}, '{}', {})",
                self.pick(&["a", ".", ""]),
                self.pick(&["1", "0", "5", "-1", "1.5"])
            ),
            12 => format!("$zip({}, {other})", self.path(0)),
            13 => format!("$zip({other})"),
            14 => format!("$sqrt({number})"),
            _ => format!("$base64encode({text})"),
        }
    }

    /// A value given to a function.
    fn chain(&mut self, depth: usize) -> String {
        let value = self.expression(depth);
        let to = match self.below(6) {
            0 => format!("$map({})", self.lambda(depth)),
            1 => "$join('-')".to_owned(),
            2 => format!("$append({})", self.expression(depth)),
            3 => "$substringAfter('a')".to_owned(),
            _ => self
                .pick(&[
                    "$sum",
                    "$count",
                    "$string()",
                    "$uppercase",
                    "$keys",
                    "$sort",
                    "$exists",
                    "$distinct()",
                    "$type",
                ])
                .to_owned(),
        };
        match self.below(3) {
            0 => format!("({value} ~> {to} ~> $string)"),
            _ => format!("({value} ~> {to})"),
        }
    }

    fn lambda(&mut self, depth: usize) -> String {
        let first = self.next.get();
        self.next.set(first + 3);
        let names: Vec<String> = (first..=first + self.below(3))
            .map(|n| format!("p{n}"))
            .collect();
        self.bound.extend(names.clone());
        let body = self.expression(depth);
        self.bound.truncate(self.bound.len() - names.len());
        let names: Vec<String> = names.iter().map(|name| format!("${name}")).collect();
        format!("function({}) {{ {body} }}", names.join(", "))
    }

    fn call(&mut self, depth: usize) -> String {
        let one = self.expression(depth);
        match self.below(3) {
            0 => {
                let names = [
                    "substring",
                    "append",
                    "lookup",
                    "contains",
                    "join",
                    "split",
                    "round",
                ];
                let more = ["substringBefore", "substringAfter", "power"];
                let name = self.pick(&[&names[..], &more].concat());
                let other = match self.below(3) {
                    0 => self.expression(depth),
                    _ => self.pick(&["'a'", "1", "'.'", "'id'", "-2"]).to_owned(),
                };
                format!("${name}({one}, {other})")
            }
            1 if self.below(3) == 0 => {
                let first = self.expression(depth);
                let by = self.lambda(depth);
                format!("$reduce({one}, {by}, {first})")
            }
            1 => {
                let name = self.pick(&[
                    "map", "filter", "filter", "sift", "each", "single", "sort", "sort",
                ]);
                format!("${name}({one}, {})", self.lambda(depth))
            }
            _ => {
                let names = [
                    "count",
                    "exists",
                    "not",
                    "boolean",
                    "string",
                    "number",
                    "length",
                    "merge",
                    "keys",
                    "distinct",
                    "reverse",
                    "sum",
                    "max",
                    "min",
                    "average",
                    "abs",
                    "floor",
                    "ceil",
                    "uppercase",
                    "lowercase",
                    "trim",
                    "join",
                    "round",
                    "type",
                    "sort",
                    "sort",
                    "encodeUrlComponent",
                    "decodeUrlComponent",
                    "base64decode",
                    "toMillis",
                    "fromMillis",
                ];
                format!("${}({one})", self.pick(&names))
            }
        }
    }

    fn block(&mut self, depth: usize) -> String {
        let name = format!("v{}", self.next.replace(self.next.get() + 1));
        if self.below(3) == 0 {
            let (by, body) = (self.lambda(depth), self.expression(depth));
            let arguments = [self.expression(depth), self.expression(0)].join(", ");
            return match self.below(3) {
                0 => format!("(${name} := {by}; [$map({body}, ${name}), ${name}({arguments})])"),
                1 => format!("(${name} := {by}; {body}.(${name}({arguments})))"),
                _ => format!("(${name} := {by}; ${name}({arguments}))"),
            };
        }
        let value = self.expression(depth);
        self.bound.push(name.clone());
        let body = self.expression(depth);
        self.bound.pop();
        format!("(${name} := {value}; {body})")
    }

    pub(super) fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(3) {
                0 => self.literal(),
                _ => self.path(0),
            };
        }
        let depth = depth - 1;
        match self.below(16) {
            12 => self.matching(depth),
            13 => self.pictured(depth),
            14 => self.chain(depth),
            15 => {
                let (list, name) = (self.path(depth), self.name());
                let name = match self.below(3) {
                    0 => format!("$string({name})"),
                    1 => "'one'".to_owned(),
                    _ => name,
                };
                format!("{list}{{{name}: {}}}", self.expression(depth))
            }
            0 => self.literal(),
            1..=3 => self.path(depth + 1),
            4 => self.call(depth),
            5 => self.block(depth),
            6 if self.below(4) == 0 => {
                let until = self.pick(&["3", "-1", "$y", "1.5"]);
                format!("[{}..{until}]", self.path(0))
            }
            6 => {
                let items: Vec<String> =
                    (0..self.below(4)).map(|_| self.expression(depth)).collect();
                format!("[{}]", items.join(", "))
            }
            7 => format!(
                "{{{}: {}, 'b': {}}}",
                self.pick(&["'a'", "$x.id", "'b'"]),
                self.expression(depth),
                self.expression(depth)
            ),
            8 => format!(
                "({} ? {} : {})",
                self.expression(depth),
                self.expression(depth),
                self.expression(depth)
            ),
            9 => format!("(-{})", self.path(depth)),
            _ => {
                let operators = [
                    "=", "!=", "<", "<=", ">", ">=", "&", "+", "-", "*", "/", "%", "and", "or",
                    "in", "?:", "??", "=", "and", "&",
                ];
                let operator = self.pick(&operators);
                format!(
                    "({} {operator} {})",
                    self.expression(depth),
                    self.expression(depth)
                )
            }
        }
    }
}
