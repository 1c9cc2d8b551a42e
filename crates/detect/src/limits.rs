//! What a rule may cost. Rules come from others: none may take the memory or the time of the rest.

use quell_model::Diagnostic;
use rsigma_parser::{Detection, DetectionItem, Modifier, SigmaRule, SigmaValue};

/// No rule is longer.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;
/// How long all conditions of a rule may be together, and how deeply they may nest: each level is a stack frame.
const CONDITION_CHARS_MAX: usize = 4_096;
const CONDITION_DEPTH_MAX: usize = 64;
/// How large one regular expression may become once it is compiled. Expressions run in linear time whatever they say.
const REGEX_BYTES_MAX: usize = 512 * 1024;
/// How many of them a rule may have.
const REGEXES_MAX: usize = 100;
/// `windash` writes each dash of a value in five ways: five to the power of this.
const DASHES_MAX: usize = 3;

/// What of a text is too much, before it is understood.
pub(crate) fn text_fault(text: &str) -> Option<String> {
    if text.len() > TEXT_BYTES_MAX {
        return Some(format!("a rule is at most {TEXT_BYTES_MAX} bytes"));
    }
    // Aliases are unfolded at most a hundred times as often as there are lines; what does not read is not ours to name.
    let rule: yaml_serde::Value = yaml_serde::from_str(text).ok()?;
    // A correlation's condition may be in words as well.
    let part = rule.get("detection").or(rule.get("correlation"))?;
    let condition = part.get("condition")?;
    let conditions = match condition {
        yaml_serde::Value::Sequence(list) => list.iter().collect(),
        one => vec![one],
    };
    let conditions: Vec<&str> = conditions
        .into_iter()
        .filter_map(yaml_serde::Value::as_str)
        .collect();
    if conditions.iter().map(|c| c.len()).sum::<usize>() > CONDITION_CHARS_MAX {
        return Some(format!(
            "a condition is at most {CONDITION_CHARS_MAX} characters"
        ));
    }
    let deep = |c: &&str| c.matches('(').count() + c.to_ascii_lowercase().matches("not").count();
    if conditions
        .iter()
        .map(deep)
        .any(|depth| depth > CONDITION_DEPTH_MAX)
    {
        return Some(format!(
            "a condition has at most {CONDITION_DEPTH_MAX} parentheses and negations"
        ));
    }
    None
}

/// What of a rule is too much to compile.
pub(crate) fn rule_fault(rule: &SigmaRule, file: &str) -> Option<Diagnostic> {
    let mut items = Vec::new();
    rule.detection
        .named
        .values()
        .for_each(|detection| collect(detection, &mut items));
    let expressions = items
        .iter()
        .filter(|item| item.field.has_modifier(Modifier::Re));
    let expressions: Vec<String> = expressions
        .flat_map(|item| item.values.iter().filter_map(text))
        .collect();
    if expressions.len() > REGEXES_MAX {
        let message = format!(
            "{} regular expressions or wildcards inside values: at most {REGEXES_MAX}",
            expressions.len()
        );
        return Some(Diagnostic::new(file, message).at("/detection"));
    }
    for expression in &expressions {
        if let Err(error) = regex::RegexBuilder::new(expression)
            .size_limit(REGEX_BYTES_MAX)
            .build()
        {
            let shown: String = expression.chars().take(80).collect();
            let message = format!("the regular expression «{shown}»: {error}");
            return Some(Diagnostic::new(file, message).at("/detection"));
        }
    }
    let dashes = items
        .iter()
        .filter(|item| item.field.has_modifier(Modifier::WindAsh));
    let most = dashes
        .flat_map(|item| item.values.iter().filter_map(text))
        .map(|t| t.matches('-').count())
        .max();
    most.filter(|most| *most > DASHES_MAX).map(|most| {
        Diagnostic::new(
            file,
            format!("windash on a value with {most} dashes: at most {DASHES_MAX}"),
        )
        .at("/detection")
    })
}

fn text(value: &SigmaValue) -> Option<String> {
    match value {
        SigmaValue::String(text) => Some(text.original.clone()),
        _ => None,
    }
}

/// All items of a detection.
pub(crate) fn collect<'a>(detection: &'a Detection, out: &mut Vec<&'a DetectionItem>) {
    match detection {
        Detection::AllOf(items) => out.extend(items),
        Detection::AnyOf(list) | Detection::And(list) => list.iter().for_each(|d| collect(d, out)),
        Detection::ArrayMatch { body, .. } => collect(body, out),
        Detection::Conditional { named, .. } => named.values().for_each(|d| collect(d, out)),
        Detection::Keywords(_) => {}
    }
}
