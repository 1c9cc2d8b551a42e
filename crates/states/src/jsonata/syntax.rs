//! Looking through a syntax tree without recursion: a tree may be a thousand
//! levels deep, the stack of a thread is not.

use super::Reading;
use jsonata_core::ast::{AstNode, PathStep, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a function or variable of this name is mentioned anywhere.
pub(super) fn mentions(root: &AstNode, name: &str) -> bool {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let here = match node {
            AstNode::Function {
                name: called,
                is_builtin,
                ..
            } => *is_builtin && called == name,
            AstNode::Variable(variable) => variable == name,
            _ => false,
        };
        if here {
            return true;
        }
        push_children(node, &mut open);
    }
    false
}

/// The names of the functions and variables that are mentioned anywhere, and how much of each is read.
pub(super) fn names(root: &AstNode) -> BTreeMap<String, Reading> {
    let (mut open, mut names) = (vec![root], BTreeMap::new());
    let mut climbs = false;
    while let Some(node) = open.pop() {
        match node {
            AstNode::Function { name, .. }
            | AstNode::Variable(name)
            | AstNode::ParentVariable(name) => {
                names.insert(name.clone(), Reading::Whole);
            }
            AstNode::Parent(_) => climbs = true,
            AstNode::Path { steps } => {
                if let Some((variable, member)) = member(steps) {
                    let reading = names.entry(variable.to_owned());
                    let reading = reading.or_insert_with(|| Reading::Members(BTreeSet::new()));
                    if let Reading::Members(members) = reading {
                        members.insert(member.to_owned());
                    }
                    // The variable itself is read nowhere else in this path, but what chooses among its parts may read more.
                    push_stages(steps, &mut open);
                    steps.iter().skip(1).for_each(|step| open.push(&step.node));
                    continue;
                }
            }
            _ => {}
        }
        push_children(node, &mut open);
    }
    // What a member is a member of can be asked for with `%`.
    if climbs {
        names
            .values_mut()
            .for_each(|reading| *reading = Reading::Whole);
    }
    names
}

/// The variable and the member of a path that begins with them.
fn member(steps: &[PathStep]) -> Option<(&str, &str)> {
    match steps {
        [first, second, ..] if first.stages.is_empty() && !first.is_tuple => {
            match (&first.node, &second.node) {
                (AstNode::Variable(variable), AstNode::Name(member)) if !variable.is_empty() => {
                    Some((variable, member))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether `$`, `$$` or a bare field name is read where it would mean the input
/// document, which Step Functions does not provide.
pub(super) fn reads_document(root: &AstNode) -> bool {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        match node {
            AstNode::Name(_) | AstNode::ParentVariable(_) => return true,
            AstNode::Variable(name) if name.is_empty() => return true,
            // Later steps and predicates see the value before them.
            AstNode::Path { steps } => open.extend(steps.first().map(|step| &step.node)),
            AstNode::Sort { input, .. } | AstNode::ObjectTransform { input, .. } => {
                open.push(input);
            }
            AstNode::Lambda { .. }
            | AstNode::FunctionApplication(_)
            | AstNode::Transform { .. }
            | AstNode::ArrayGroup(_) => {}
            _ => push_children(node, &mut open),
        }
    }
    false
}

pub(super) fn push_children<'a>(node: &'a AstNode, open: &mut Vec<&'a AstNode>) {
    match node {
        AstNode::Path { steps } => steps.iter().for_each(|step| push_step(step, open)),
        AstNode::Binary { lhs, rhs, .. } => open.extend([&**lhs, &**rhs]),
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
            open.extend([&**condition, &**then_branch]);
            open.extend(else_branch.as_deref());
        }
        AstNode::Sort { input, terms } => {
            open.push(input);
            open.extend(terms.iter().map(|(term, _)| term));
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            open.extend([&**location, &**update]);
            open.extend(delete.as_deref());
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

fn push_pairs<'a>(pairs: &'a [(AstNode, AstNode)], open: &mut Vec<&'a AstNode>) {
    for (key, value) in pairs {
        open.extend([key, value]);
    }
}

fn push_step<'a>(step: &'a PathStep, open: &mut Vec<&'a AstNode>) {
    open.push(&step.node);
    push_stages(std::slice::from_ref(step), open);
}

fn push_stages<'a>(steps: &'a [PathStep], open: &mut Vec<&'a AstNode>) {
    for stage in steps.iter().flat_map(|step| &step.stages) {
        match stage {
            Stage::Filter(predicate) => open.push(predicate),
            Stage::KeepArray | Stage::Index(_) => {}
        }
    }
}
