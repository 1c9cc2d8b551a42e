//! Bounds on what an expression makes. The evaluator has limits of time, depth and items; none of them keeps a text from
//! doubling, or a value from holding another twice, and that one twice again. So where an expression makes or reads
//! something large, it is checked there by functions of ours, which are put into the syntax tree before it is evaluated.
//!
//! Texts stay below [`limits::JSONATA_TEXT_BYTES_MAX`], values below [`limits::JSONATA_VALUE_BYTES_MAX`] as JSON, and the
//! ranges of one evaluation below [`limits::JSONATA_RANGE_ITEMS_MAX`] items together.

use crate::limits;
use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Checks that a value is not too large.
const HELD: &str = "quell_held";
/// Checks that an argument that says how much to make does not say too much.
const SMALL: &str = "quell_small";
/// Takes note of where a range begins.
const FROM: &str = "quell_from";
/// Checks a range against what is left for ranges.
const UNTIL: &str = "quell_until";

/// Arguments of built-in functions that are checked: the function, the number of arguments, which, by what. With one
/// argument less, the first is what stands before `~>` or a point.
const CHECKED: &[(&str, usize, usize, &str)] = &[
    ("string", 1, 0, HELD),
    ("string", 2, 0, HELD),
    ("join", 1, 0, HELD),
    ("join", 2, 0, HELD),
    ("join", 2, 1, SMALL),
    ("distinct", 1, 0, HELD),
    ("boolean", 1, 0, HELD),
    ("not", 1, 0, HELD),
    ("pad", 1, 0, SMALL),
    ("pad", 2, 1, SMALL),
    ("pad", 3, 1, SMALL),
    ("replace", 2, 1, SMALL),
    ("replace", 3, 0, HELD),
    ("replace", 3, 2, SMALL),
    ("replace", 4, 0, HELD),
    ("replace", 4, 2, SMALL),
    ("formatNumber", 2, 1, SMALL),
    ("formatNumber", 3, 1, SMALL),
];

/// Members and items written in one expression that need no check: even if each held all the others, it would be small.
const FREE_PARTS: usize = 16;

type Answer = Result<JValue, EvaluatorError>;

/// Puts the checks into a tree.
pub(super) fn install(root: &mut AstNode) {
    let repeats = repeats(root);
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        check(node, repeats);
        push_children(node, &mut open);
    }
}

/// Gives an evaluator those of the functions that check that an expression mentions.
pub(super) fn register(
    evaluator: &mut Evaluator,
    mentions: impl Fn(&str) -> bool,
) -> Result<(), EvaluatorError> {
    if mentions(HELD) {
        evaluator.register_fn(HELD, |args: &[JValue]| held(given(args)))?;
    }
    if mentions(SMALL) {
        evaluator.register_fn(SMALL, |args: &[JValue]| small(given(args)))?;
    }
    match mentions(UNTIL) {
        true => register_ranges(evaluator),
        false => Ok(()),
    }
}

fn register_ranges(evaluator: &mut Evaluator) -> Result<(), EvaluatorError> {
    // Ranges lie in one another: the one that began last ends first.
    let begun: Rc<RefCell<Vec<f64>>> = Rc::default();
    let ends = Rc::clone(&begun);
    let left = Cell::new(limits::JSONATA_RANGE_ITEMS_MAX as f64);
    evaluator.register_fn(FROM, move |args: &[JValue]| {
        let from = given(args);
        begun
            .borrow_mut()
            .push(from.as_f64().unwrap_or(f64::INFINITY));
        Ok(from)
    })?;
    evaluator.register_fn(UNTIL, move |args: &[JValue]| {
        let until = given(args);
        let from = ends.borrow_mut().pop().unwrap_or(f64::INFINITY);
        let items = (until.as_f64().unwrap_or(f64::NEG_INFINITY) - from + 1.0).max(0.0);
        // What a single range may have is the evaluator's to say.
        if items <= limits::JSONATA_SEQUENCE_MAX as f64 {
            left.set(left.get() - items);
        }
        match left.get() < 0.0 {
            true => refuse("D2014: The ranges have too many items together"),
            false => Ok(until),
        }
    })
}

/// Whether a value is at most so many bytes as JSON. Takes no more time than that, whatever the value holds twice.
pub(super) fn is_within(value: &JValue, bytes_max: usize) -> bool {
    let mut left = bytes_max;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        let own = match value {
            JValue::String(text) => text.len() + 2,
            JValue::Object(fields) => {
                open.extend(fields.values());
                fields.keys().map(|key| key.len() + 4).sum::<usize>() + 2
            }
            JValue::Array(items) => {
                // Each item takes two bytes at least, so that more than fit need not be looked at.
                if items.len() > left {
                    return false;
                }
                open.extend(items.iter());
                items.len() + 2
            }
            _ => 1,
        };
        match left.checked_sub(own) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

/// Whether something in the tree can be done again and again with what it made, or the tree makes much by itself.
fn repeats(root: &AstNode) -> bool {
    let (mut open, mut parts, mut texts) = (vec![root], 0, 0);
    while let Some(node) = open.pop() {
        match node {
            AstNode::Lambda { .. }
            | AstNode::Binary {
                op: BinaryOp::ColonEqual,
                ..
            } => return true,
            AstNode::Array(items) | AstNode::ArrayGroup(items) => parts += items.len(),
            AstNode::Object(pairs) | AstNode::ObjectTransform { pattern: pairs, .. } => {
                parts += pairs.len();
            }
            AstNode::Binary {
                op: BinaryOp::Concatenate,
                ..
            } => texts += 1,
            _ => {}
        }
        super::syntax::push_children(node, &mut open);
    }
    parts > FREE_PARTS || texts > 4 * FREE_PARTS
}

fn check(node: &mut AstNode, repeats: bool) {
    match node {
        AstNode::Function {
            name,
            args,
            is_builtin: true,
        } => {
            let count = args.len();
            for (_, _, index, by) in CHECKED
                .iter()
                .filter(|(function, arguments, ..)| function == name && *arguments == count)
            {
                if let Some(argument) = args.get_mut(*index) {
                    wrap(argument, by);
                }
            }
        }
        AstNode::Binary {
            op: BinaryOp::Range,
            lhs,
            rhs,
        } => {
            always(lhs, FROM);
            always(rhs, UNTIL);
        }
        AstNode::Binary { op, lhs, rhs } if repeats && is_reading(*op) => {
            wrap(lhs, HELD);
            wrap(rhs, HELD);
        }
        AstNode::Binary {
            op: BinaryOp::ChainPipe,
            lhs,
            ..
        } if repeats => wrap(lhs, HELD),
        AstNode::Array(items) if repeats => items.iter_mut().for_each(|item| wrap(item, HELD)),
        AstNode::Object(pairs) if repeats => {
            pairs.iter_mut().for_each(|(_, value)| wrap(value, HELD))
        }
        _ => {}
    }
}

/// Operators that go through all of what they are given.
fn is_reading(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Concatenate | BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In
    )
}

fn wrap(node: &mut AstNode, by: &str) {
    // What is written out is as small as the document, and the parts of an array or object are checked themselves. A
    // range, a placeholder and an array in an array mean something only where they stand.
    let stands = match node {
        AstNode::String(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Lambda { .. }
        | AstNode::Transform { .. }
        | AstNode::Array(_)
        | AstNode::ArrayGroup(_)
        | AstNode::Object(_)
        | AstNode::Regex { .. } => by == SMALL && matches!(node, AstNode::Number(_)),
        AstNode::Binary { op, .. } => !matches!(op, BinaryOp::Range),
        _ => true,
    };
    if stands {
        always(node, by);
    }
}

fn always(node: &mut AstNode, by: &str) {
    let inner = std::mem::replace(node, AstNode::Null);
    *node = AstNode::Function {
        name: by.to_owned(),
        args: vec![inner],
        is_builtin: true,
    };
}

fn given(args: &[JValue]) -> JValue {
    args.first().cloned().unwrap_or(JValue::Undefined)
}

fn refuse(message: &str) -> Answer {
    Err(EvaluatorError::EvaluationError(message.to_owned()))
}

fn held(value: JValue) -> Answer {
    let fits = match &value {
        JValue::String(text) => text.len() <= limits::JSONATA_TEXT_BYTES_MAX,
        JValue::Array(_) | JValue::Object(_) => is_within(&value, limits::JSONATA_VALUE_BYTES_MAX),
        _ => true,
    };
    match fits {
        true => Ok(value),
        false => refuse("The expression makes a value that is too large"),
    }
}

fn small(value: JValue) -> Answer {
    let fits = match &value {
        JValue::String(text) => text.len() <= limits::JSONATA_SMALL_BYTES_MAX,
        JValue::Number(number) => number.abs() <= limits::JSONATA_TEXT_BYTES_MAX as f64,
        _ => true,
    };
    match fits {
        true => Ok(value),
        false => refuse("The expression would make a text that is too large"),
    }
}

fn push_children<'a>(node: &'a mut AstNode, open: &mut Vec<&'a mut AstNode>) {
    match node {
        AstNode::Path { steps } => steps.iter_mut().for_each(|step| push_step(step, open)),
        AstNode::Binary { lhs, rhs, .. } => open.extend([&mut **lhs, &mut **rhs]),
        AstNode::Unary { operand: inner, .. }
        | AstNode::Lambda { body: inner, .. }
        | AstNode::FunctionApplication(inner) => open.push(inner),
        AstNode::Function { args, .. } => open.extend(args),
        AstNode::Call { procedure, args } => {
            open.push(procedure);
            open.extend(args);
        }
        AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
            open.extend(items);
        }
        AstNode::Object(pairs) => push_pairs(pairs, open),
        AstNode::ObjectTransform { input, pattern } => {
            open.push(input);
            push_pairs(pattern, open);
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            open.extend([&mut **condition, &mut **then_branch]);
            open.extend(else_branch.as_deref_mut());
        }
        AstNode::Sort { input, terms } => {
            open.push(input);
            open.extend(terms.iter_mut().map(|(term, _)| term));
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            open.extend([&mut **location, &mut **update]);
            open.extend(delete.as_deref_mut());
        }
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
    }
}

fn push_pairs<'a>(pairs: &'a mut [(AstNode, AstNode)], open: &mut Vec<&'a mut AstNode>) {
    for (key, value) in pairs {
        open.extend([key, value]);
    }
}

fn push_step<'a>(step: &'a mut PathStep, open: &mut Vec<&'a mut AstNode>) {
    open.push(&mut step.node);
    for stage in &mut step.stages {
        match stage {
            Stage::Filter(predicate) => open.push(predicate),
            Stage::KeepArray | Stage::Index(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_json_and_cost_no_more_than_the_limit() {
        let mut value = JValue::from("x");
        for _ in 0..60 {
            value = JValue::array(vec![value.clone(), value]);
        }
        assert!(!is_within(&value, 1_000_000));
        let small = JValue::array(vec![JValue::from("ab"), JValue::Null]);
        assert!(is_within(&small, 20));
        assert!(!is_within(&small, 5));
    }
}
