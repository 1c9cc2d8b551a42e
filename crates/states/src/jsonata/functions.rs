//! The functions Step Functions adds to JSONata, replaces, or takes away.

use super::digest;
use crate::clock::timestamp_text;
use crate::limits;
use crate::random::Random;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError};
use jsonata_core::parser;
use jsonata_core::value::JValue;

/// The most items `$range` makes.
const RANGE_ITEMS_MAX: f64 = limits::JSONATA_SEQUENCE_MAX as f64;

type Answer = Result<JValue, EvaluatorError>;

/// Gives an evaluator those of its host functions that an expression mentions: to give it all costs more than most
/// expressions do.
pub(super) fn register<'n>(
    evaluator: &mut Evaluator,
    mentioned: impl Iterator<Item = &'n String>,
    millis: i64,
    random: &Random,
) -> Result<(), EvaluatorError> {
    for name in mentioned {
        let sequence = random.clone();
        match name.as_str() {
            "eval" => evaluator.register_fn_override("eval", |_: &[JValue]| {
                refuse("$eval is not available; use $parse for JSON text")
            }),
            "now" => {
                evaluator.register_fn_override("now", move |args: &[JValue]| now(millis, args))
            }
            "millis" => evaluator
                .register_fn_override("millis", move |_: &[JValue]| Ok(JValue::from_i64(millis))),
            "random" => evaluator
                .register_fn_override("random", move |args: &[JValue]| draw(&sequence, args)),
            "uuid" => evaluator.register_fn("uuid", move |_: &[JValue]| {
                Ok(JValue::from(sequence.uuid()))
            }),
            "partition" => evaluator.register_fn("partition", partition),
            "range" => evaluator.register_fn("range", range),
            "hash" => evaluator.register_fn("hash", hash),
            "parse" => evaluator.register_fn("parse", parse),
            _ => Ok(()),
        }?;
    }
    Ok(())
}

fn refuse(message: &str) -> Answer {
    Err(EvaluatorError::EvaluationError(message.to_owned()))
}

/// `$now([picture [, timezone]])` at the moment of the step.
fn now(millis: i64, args: &[JValue]) -> Answer {
    if args.is_empty() {
        return Ok(JValue::from(timestamp_text(millis)));
    }
    let ast = parser::parse("$fromMillis($m, $p, $z)")
        .map_err(|error| EvaluatorError::EvaluationError(error.to_string()))?;
    let mut context = Context::new();
    context.bind("m".to_owned(), JValue::from_i64(millis));
    for (name, value) in ["p", "z"].into_iter().zip(args) {
        context.bind(name.to_owned(), value.clone());
    }
    Evaluator::with_context(context).evaluate(&ast, &JValue::Undefined)
}

/// `$random([seed])`: with a seed, always the same number.
fn draw(sequence: &Random, args: &[JValue]) -> Answer {
    let fraction = match args.first() {
        None | Some(JValue::Undefined) => sequence.fraction(),
        Some(seed) => match seed.as_f64() {
            Some(seed) => Random::new(seed.to_bits()).fraction(),
            None => return refuse("T0410: Argument 1 of function $random must be a number"),
        },
    };
    Ok(JValue::from_f64(fraction))
}

/// `$partition(array, size)`.
fn partition(args: &[JValue]) -> Answer {
    let items = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(value) => value
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![value.clone()]),
    };
    match args.get(1).and_then(JValue::as_f64) {
        Some(size) if size >= 1.0 && size.fract() == 0.0 => Ok(JValue::array(
            items
                .chunks(size as usize)
                .map(|chunk| JValue::array(chunk.to_vec()))
                .collect(),
        )),
        _ => refuse("T0410: Argument 2 of function $partition must be a positive integer"),
    }
}

/// `$range(first, last, step)`, both ends included.
fn range(args: &[JValue]) -> Answer {
    let number = |index: usize| args.get(index).and_then(JValue::as_f64);
    let (Some(first), Some(last), Some(step)) = (number(0), number(1), number(2)) else {
        return refuse("T0410: Function $range takes three numbers: first, last and step");
    };
    if step == 0.0 || !(first.is_finite() && last.is_finite() && step.is_finite()) {
        return refuse("T0410: Argument 3 of function $range must not be zero");
    }
    let steps = ((last - first) / step).floor();
    if steps >= RANGE_ITEMS_MAX {
        return refuse("D2014: The size of the sequence allocated by $range is too large");
    }
    let count = if steps < 0.0 { 0 } else { steps as u64 + 1 };
    Ok(JValue::array(
        (0..count)
            .map(|n| JValue::from_f64(first + step * n as f64))
            .collect(),
    ))
}

/// `$hash(text, algorithm)`, in hexadecimal.
fn hash(args: &[JValue]) -> Answer {
    let text = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(value) => value,
    };
    let (Some(text), Some(algorithm)) = (text.as_str(), args.get(1).and_then(JValue::as_str))
    else {
        return refuse("T0410: Function $hash takes a string and the name of an algorithm");
    };
    match digest::hexadecimal(algorithm, text.as_bytes()) {
        Some(digest) => Ok(JValue::from(digest)),
        None => {
            refuse("Function $hash knows the algorithms MD5, SHA-1, SHA-256, SHA-384 and SHA-512")
        }
    }
}

/// `$parse(text)`: JSON text to a value.
fn parse(args: &[JValue]) -> Answer {
    match args.first() {
        None | Some(JValue::Undefined) => Ok(JValue::Undefined),
        Some(value) => match value.as_str() {
            Some(text) => JValue::from_json_str(text).map_err(|error| {
                EvaluatorError::EvaluationError(format!("$parse was given invalid JSON: {error}"))
            }),
            None => refuse("T0410: Argument 1 of function $parse must be a string"),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Moment;
    use crate::jsonata::{Expression, Scope};
    use serde_json::{Value, json};

    fn evaluate(source: &str) -> Option<Value> {
        let scope = Scope::new(Moment::new(0, 1));
        let expression = Expression::parse(source).unwrap();
        let value = scope.evaluate(&expression);
        value
            .unwrap_or_else(|error| panic!("{source}: {error}"))
            .map(std::borrow::Cow::into_owned)
    }

    fn fails(source: &str) -> bool {
        let scope = Scope::new(Moment::new(0, 1));
        scope.evaluate(&Expression::parse(source).unwrap()).is_err()
    }

    #[test]
    fn partition_cuts_lists() {
        assert_eq!(
            evaluate("$partition([1,2,3,4], 3)"),
            Some(json!([[1, 2, 3], [4]]))
        );
        assert_eq!(evaluate("$partition([], 3)"), Some(json!([])));
        assert!(fails("$partition([1], 0)") && fails("$partition([1], 1.5)"));
    }

    #[test]
    fn range_includes_both_ends() {
        assert_eq!(evaluate("$range(0, 10, 5)"), Some(json!([0, 5, 10])));
        assert_eq!(evaluate("$range(3, 1, -1)"), Some(json!([3, 2, 1])));
        assert_eq!(evaluate("$range(3, 1, 1)"), Some(json!([])));
        assert!(fails("$range(0, 1, 0)") && fails("$range(0, 1e9, 1)"));
    }

    #[test]
    fn parse_reads_json() {
        assert_eq!(
            evaluate(r#"$parse('{"a":[1,null]}').a"#),
            Some(json!([1, null]))
        );
        assert_eq!(evaluate("$parse(nothing)"), None);
        assert!(fails("$parse('{')") && fails("$parse(1)"));
    }

    #[test]
    fn hash_knows_five_algorithms() {
        assert_eq!(
            evaluate("$hash('abc', 'SHA-256')"),
            Some(json!(
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            ))
        );
        assert!(fails("$hash('abc', 'CRC32')") && fails("$hash(1, 'MD5')"));
    }

    #[test]
    fn random_with_a_seed_repeats() {
        assert_eq!(evaluate("$random(7) = $random(7)"), Some(json!(true)));
        assert_eq!(evaluate("$random(7) = $random(8)"), Some(json!(false)));
    }
}
