//! JSONata as Step Functions speaks it, over the `jsonata-core` evaluator.
//!
//! **Invariant:** an evaluator never leaves the function that made it (it is not
//! `Send`), and `jsonata-core` is named in this folder only.

pub(crate) mod digest;
mod functions;
mod guard;
mod plain;
mod scope;
mod syntax;

pub(crate) use scope::Member;
pub use scope::Scope;

use crate::limits;
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::error_code_prefix;
use jsonata_core::parser;
use plain::Plain;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A parsed expression. Cheap to evaluate many times; cloning shares it.
#[derive(Clone, Debug)]
pub struct Expression(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    source: String,
    /// With the checks of [`guard`].
    ast: AstNode,
    /// What it mentions: only that need be there when it is evaluated.
    names: BTreeMap<String, Reading>,
    /// The same expression, when it is a plain one.
    plain: Option<Plain>,
}

/// Why an expression did not parse or did not evaluate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonataError {
    /// The JSONata code, such as `T2001`, when there is one.
    pub code: Option<String>,
    /// What went wrong, beginning with the code.
    pub message: String,
}

impl JsonataError {
    fn new(message: &str) -> Self {
        // The parser wraps some coded messages once more, and codes one not at all.
        let message = match message {
            "Unclosed comment" => "S0106: Comment has no closing tag",
            _ => ["Invalid syntax: ", "Invalid number: "]
                .into_iter()
                .filter_map(|wrapper| message.strip_prefix(wrapper))
                .find(|inner| error_code_prefix(inner).is_some())
                .unwrap_or(message),
        };
        JsonataError {
            code: error_code_prefix(message).map(str::to_owned),
            message: message.to_owned(),
        }
    }
}

impl Expression {
    /// Parses an expression, without its `{% %}`.
    pub fn parse(source: &str) -> Result<Expression, JsonataError> {
        let source = source.trim();
        let mut ast =
            parser::parse(source).map_err(|error| JsonataError::new(&error.to_string()))?;
        let plain = Plain::read(&ast);
        guard::install(&mut ast);
        Ok(Expression(Arc::new(Parsed {
            source: source.to_owned(),
            names: syntax::names(&ast),
            ast,
            plain,
        })))
    }

    /// The text of the expression, trimmed.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether the expression mentions `$eval`, which Step Functions does not have.
    pub fn calls_eval(&self) -> bool {
        syntax::mentions(&self.0.ast, "eval")
    }

    /// Whether the expression reads an input document (`$`, `$$` or a bare field
    /// name at the top), which Step Functions leaves undefined.
    pub fn reads_document(&self) -> bool {
        syntax::reads_document(&self.0.ast)
    }
}

/// How much one expression may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock milliseconds; read by the evaluator, so set it far above need.
    pub millis: u64,
    /// Nested evaluations.
    pub depth: usize,
    /// Items in one sequence.
    pub sequence: usize,
}

impl Default for Limits {
    /// The limits of [`crate::limits`], which every execution runs under.
    fn default() -> Self {
        Limits {
            millis: limits::JSONATA_MILLIS_MAX,
            depth: limits::JSONATA_DEPTH_MAX,
            sequence: limits::JSONATA_SEQUENCE_MAX,
        }
    }
}

/// How an expression reads a variable: only so much of it need be there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reading {
    Whole,
    /// These members of it, and nothing else.
    Members(BTreeSet<String>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use serde_json::{Value, json};
    use std::borrow::Cow;

    fn evaluate(source: &str) -> Result<Option<Value>, JsonataError> {
        let states = json!({ "input": { "a": [1, 2, 3] } });
        let mut scope = Scope::new(Moment::new(1_700_000_000_123, 42));
        scope.bind("states", &states);
        let expression = Expression::parse(source)?;
        Ok(scope.evaluate(&expression)?.map(Cow::into_owned))
    }

    #[test]
    fn expressions_can_be_shared() {
        fn sharable<T: Send + Sync>() {}
        sharable::<Expression>();
    }

    #[test]
    fn variables_and_undefined() {
        assert_eq!(evaluate("$states.input.a[1]").unwrap(), Some(json!(2)));
        assert_eq!(evaluate("$states.input.b").unwrap(), None);
        assert_eq!(evaluate("$nothing").unwrap(), None);
        assert_eq!(evaluate("$").unwrap(), None);
        assert_eq!(evaluate("a").unwrap(), None);
        assert_eq!(evaluate("null").unwrap(), Some(Value::Null));
    }

    #[test]
    fn errors_carry_their_code() {
        let code = |source: &str| evaluate(source).unwrap_err().code;
        assert_eq!(code("1 + 'a'").as_deref(), Some("T2002"));
        assert_eq!(code("1 +").as_deref(), Some("S0207"));
        assert!(evaluate("function($x){$x}").is_err());
    }

    #[test]
    fn endless_recursion_ends() {
        assert!(evaluate("($f := function($n){ 1 + $f($n + 1) }; $f(0))").is_err());
    }

    #[test]
    fn deep_values_are_refused() {
        let nest = |depth: u32| format!("$reduce([1..{depth}], function($a, $n) {{ [[$a]] }}, 0)");
        assert!(evaluate(&nest(40)).is_ok());
        assert!(evaluate(&nest(100)).is_err());
        assert!(evaluate(&nest(100_000)).is_err());
    }

    #[test]
    fn deep_expressions_do_not_overflow() {
        for depth in [100, 900, 100_000] {
            let source = format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
            if let Ok(expression) = Expression::parse(&source) {
                assert!(!expression.calls_eval());
            }
        }
    }

    #[test]
    fn eval_is_found_anywhere() {
        for source in [
            "$eval('1')",
            "[1].($map(['1'], $eval))",
            "{'a': $eval('2')}",
        ] {
            assert!(Expression::parse(source).unwrap().calls_eval(), "{source}");
            assert!(evaluate(source).is_err(), "{source}");
        }
        assert!(
            !Expression::parse("$parse('1') & 'eval'")
                .unwrap()
                .calls_eval()
        );
    }

    #[test]
    fn the_input_document_is_noticed_at_the_top_only() {
        let reads = |source: &str| Expression::parse(source).unwrap().reads_document();
        for source in [
            "$",
            "$$",
            "total",
            "$.total",
            "$sum(total)",
            "1 + a.b",
            "{'a': b}",
            "$x ~> f",
        ] {
            assert!(reads(source), "{source}");
        }
        for source in [
            "$x",
            "$states.input.total",
            "$order[total > 10]",
            "$order[$.total > 10].id",
            "$order.(total * 2)",
            "$order^(>total).id",
            "$order{id: total}",
            "$map($x, function($v) { $v.total })",
            "$states.input ~> |items|{'a': b}|",
            "[1..3].{'n': $}",
            "($y := $x.z; [$y, 'text', null, true])",
        ] {
            assert!(!reads(source), "{source}");
        }
    }

    #[test]
    fn time_and_chance_come_from_the_moment() {
        assert_eq!(
            evaluate("$now()").unwrap(),
            Some(json!("2023-11-14T22:13:20.123Z"))
        );
        assert_eq!(
            evaluate("$millis()").unwrap(),
            Some(json!(1_700_000_000_123_i64))
        );
        assert_eq!(
            evaluate("$now('[Y0001]-[M01]-[D01]')").unwrap(),
            Some(json!("2023-11-14"))
        );
        assert_eq!(
            evaluate("[$random(), $uuid()]"),
            evaluate("[$random(), $uuid()]")
        );
        assert_eq!(
            evaluate("$random() != $random()").unwrap(),
            Some(json!(true))
        );
    }
}
