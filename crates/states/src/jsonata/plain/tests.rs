//! What plain expressions answer is what the evaluator answers: random expressions over random values.

use super::dice::Dice;
use crate::clock::Moment;
use crate::jsonata::{Expression, Scope};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Expressions, and what each is evaluated over.
const EXPRESSIONS: usize = 20_000;
const WORLDS: usize = 16;

struct World {
    variables: Vec<(&'static str, Value)>,
    data: Option<Value>,
}

impl World {
    fn new(dice: &mut Dice, n: usize) -> Self {
        let states =
            json!({"input": dice.value(4), "result": dice.value(4), "context": dice.value(2)});
        let list: Value = (0..dice.below(6)).map(|_| dice.value(3)).collect();
        World {
            variables: vec![
                ("states", states),
                ("x", dice.value(4)),
                ("y", dice.value(3)),
                ("list", list),
            ],
            data: n.is_multiple_of(4).then(|| dice.value(4)),
        }
    }

    fn scope(&self) -> Scope<'_> {
        let mut scope = Scope::new(Moment::new(0, 1));
        for (name, value) in &self.variables {
            scope.bind(name, value);
        }
        if let Some(data) = &self.data {
            scope.set_data(data);
        }
        scope
    }
}

#[test]
fn names_of_functions_are_known() {
    let scope = Scope::new(Moment::new(0, 1));
    for name in super::names::NAMES {
        let expression = Expression::parse(&format!("$exists(${name})")).unwrap();
        let answer = scope.evaluate_fully(&expression);
        assert_eq!(answer, Ok(Some(json!(true))), "{name}");
    }
}

/// What could grow without end, or is nested too deeply to be looked at, is left to the evaluator and its bounds.
#[test]
fn what_calls_itself_or_grows_is_not_decided() {
    let scope = Scope::new(Moment::new(0, 1));
    let decided = |source: &str| {
        let expression = Expression::parse(source).unwrap();
        let plain = expression.0.plain.as_ref();
        plain.is_some_and(|plain| plain.evaluate(&scope, usize::MAX).is_ok())
    };
    // `prefix` with a number at each of its ends, for each number: `$f1 := ...$f0...;`.
    let chain = |from: usize, until: usize, link: &dyn Fn(usize) -> String| -> String {
        (from..until).map(link).collect()
    };
    assert!(decided("($f := function($x) { [$x] }; $f($f(1)))"));
    assert!(!decided(
        "($f := function($n) { $n = 0 ? 0 : $f($n - 1) }; $f(3))"
    ));
    assert!(!decided("($f := function($g) { $g($g) }; $f($f))"));
    assert!(!decided("$contains('a', /(\\w{100}){100}/)"));
    for body in ["[[$x]]", "$x & $x", "{'a': $x, 'b': $x}"] {
        let twice = |n| format!("$f{n} := function($x) {{ $f{0}($f{0}($x)) }};", n - 1);
        let calls = chain(1, 31, &twice);
        let source = format!("($f0 := function($x) {{ {body} }}; {calls} $count($f30('x')))");
        assert!(!decided(&source), "{source}");
    }
    let called = chain(1, 2_000, &|n| {
        format!("$f{n} := function($x) {{ $f{}($x) }};", n - 1)
    });
    assert!(!decided(&format!(
        "($f0 := function($x) {{ $x }}; {called} $f1999(1))"
    )));
    let nested = chain(1, 2_000, &|n| format!("$v{n} := [[$v{}]];", n - 1));
    assert!(!decided(&format!("($v0 := 1; {nested} $count($v1999))")));
    assert!(!decided(
        "$reduce([1..1000], function($a, $n) { [[$a]] }, 0)"
    ));
    assert!(!decided(
        "$reduce([1..60], function($a, $n) { $append($a, $a) }, [1, 2])"
    ));
}

#[test]
fn plain_answers_are_those_of_the_evaluator() {
    let (mut plain, mut decided, mut nothing) = (0, 0, 0);
    for seed in 0..EXPRESSIONS as u64 {
        let mut dice = Dice::new(seed);
        let source = dice.expression(3);
        let Ok(expression) = Expression::parse(&source) else {
            continue;
        };
        let Some(read) = &expression.0.plain else {
            continue;
        };
        plain += 1;
        for n in 0..WORLDS {
            let world = World::new(&mut dice, n);
            let scope = world.scope();
            let Ok(answer) = read.evaluate(&scope, usize::MAX) else {
                continue;
            };
            let answer = answer.map(Cow::into_owned);
            decided += 1;
            nothing += usize::from(answer.is_none());
            let full = scope.evaluate_fully(&expression);
            let (shown, data) = (&world.variables, &world.data);
            assert_eq!(
                Ok(&answer),
                full.as_ref(),
                "seed {seed}: {source}\nover {shown:?}\nand {data:?}"
            );
            let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
            assert_eq!(text(&answer), text(&full.unwrap()), "seed {seed}: {source}");
        }
    }
    println!("{plain} plain of {EXPRESSIONS}; {decided} answers, {nothing} of them nothing");
    assert!(plain > EXPRESSIONS / 2 && decided > 100_000 && nothing < decided * 2 / 3);
}
