//! A Sigma rule's condition as a tree that is evaluated without looking anything up by name.
//!
//! What one item matches is rsigma's to say; the tree only joins items.

use std::collections::HashMap;

use rsigma_eval::{CompiledDetection, CompiledDetectionItem, CompiledRule};
use rsigma_parser::{ConditionExpr, Quantifier};

/// When a rule matches.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// All of these; none is true.
    All(Vec<Condition>),
    /// Any of these; none is false.
    Any(Vec<Condition>),
    /// At least so many of these.
    AtLeast(u64, Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// One field.
    Item(Box<CompiledDetectionItem>),
    /// What looks at whole elements of arrays, or at all texts: a rule of its own, which rsigma evaluates.
    Other(Box<CompiledRule>),
}

type Named = HashMap<String, CompiledDetection>;

impl Condition {
    /// The condition of a rule: any of its conditions.
    pub(crate) fn of(rule: &CompiledRule) -> Self {
        let conditions = rule.conditions.iter();
        Self::Any(conditions.map(|c| expression(c, rule)).collect())
    }
}

fn expression(expression_: &ConditionExpr, rule: &CompiledRule) -> Condition {
    let all = |list: &[ConditionExpr]| list.iter().map(|e| expression(e, rule)).collect();
    match expression_ {
        ConditionExpr::And(list) => Condition::All(all(list)),
        ConditionExpr::Or(list) => Condition::Any(all(list)),
        ConditionExpr::Not(inner) => Condition::Not(Box::new(expression(inner, rule))),
        ConditionExpr::Identifier(name) => named(name, &rule.detections, rule),
        ConditionExpr::Selector {
            quantifier,
            pattern,
        } => {
            let mut names: Vec<&String> = rule
                .detections
                .keys()
                .filter(|name| pattern.matches_detection_name(name))
                .collect();
            names.sort_unstable();
            let list = names
                .into_iter()
                .map(|name| named(name, &rule.detections, rule))
                .collect();
            match quantifier {
                Quantifier::Any => Condition::Any(list),
                Quantifier::All => Condition::All(list),
                Quantifier::Count(wanted) => Condition::AtLeast(*wanted, list),
            }
        }
    }
}

/// A selection by name; one that is not there is never true.
fn named(name: &str, detections: &Named, rule: &CompiledRule) -> Condition {
    detections
        .get(name)
        .map_or(Condition::Any(Vec::new()), |found| detection(found, rule))
}

fn detection(found: &CompiledDetection, rule: &CompiledRule) -> Condition {
    let all = |list: &[CompiledDetection]| list.iter().map(|d| detection(d, rule)).collect();
    match found {
        CompiledDetection::AllOf(items) => Condition::All(
            items
                .iter()
                .map(|item| Condition::Item(Box::new(item.clone())))
                .collect(),
        ),
        CompiledDetection::AnyOf(list) => Condition::Any(all(list)),
        CompiledDetection::And(list) => Condition::All(all(list)),
        other => {
            let name = "other".to_owned();
            let mut alone = rule.clone();
            alone.conditions = vec![ConditionExpr::Identifier(name.clone())];
            alone.detections = HashMap::from([(name, other.clone())]);
            Condition::Other(Box::new(alone))
        }
    }
}
