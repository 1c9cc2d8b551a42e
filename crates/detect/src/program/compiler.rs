//! From the conditions of rules to a program.

use std::collections::HashMap;

use rsigma_eval::{CompiledDetectionItem, CompiledMatcher};

use super::question::{Question, Weight};
use super::{Check, Program};
use crate::condition::Condition;
use crate::tree::Path;

/// Gives equal questions of rules one number.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    program: Program,
    paths: HashMap<String, usize>,
    questions: HashMap<String, usize>,
}

impl Compiler {
    /// A condition as a check of the program. What it joins is put in order by weight: that changes no answer.
    pub(crate) fn check(&mut self, condition: &Condition) -> Check {
        match condition {
            Condition::All(list) | Condition::Any(list) if list.len() == 1 => {
                self.each(list).pop().unwrap_or(Check::All(Vec::new()))
            }
            Condition::All(list) => {
                let mut all = Vec::new();
                for check in self.each(list) {
                    match check {
                        Check::All(inner) => all.extend(inner),
                        other => all.push(other),
                    }
                }
                all.sort_by_key(|check| self.weight(check));
                Check::All(all)
            }
            Condition::Any(list) => {
                let mut any = self.each(list);
                any.sort_by_key(|check| self.weight(check));
                Check::Any(any)
            }
            Condition::AtLeast(wanted, list) => Check::AtLeast(*wanted, self.each(list)),
            Condition::Not(inner) => Check::Not(Box::new(self.check(inner))),
            Condition::Item(item) => Check::Is(self.question(item)),
            Condition::Other(rule) => Check::Other(rule.clone()),
        }
    }

    /// The program that the checks are of.
    pub(crate) fn program(self) -> Program {
        self.program
    }

    fn each(&mut self, list: &[Condition]) -> Vec<Check> {
        list.iter().map(|condition| self.check(condition)).collect()
    }

    fn weight(&self, check: &Check) -> Weight {
        match check {
            Check::Is(question) => {
                let question = self.program.questions.get(*question);
                question.map_or(Weight::Heavy, |question| question.weight)
            }
            Check::All(list) | Check::Any(list) | Check::AtLeast(_, list) => {
                let weights = list.iter().map(|check| self.weight(check));
                weights.max().unwrap_or(Weight::Light)
            }
            Check::Not(inner) => self.weight(inner),
            Check::Other(_) => Weight::Heavy,
        }
    }

    fn question(&mut self, item: &CompiledDetectionItem) -> usize {
        let mut written = format!("{:?} {:?} ", item.field, item.exists);
        write(&item.matcher, &mut written);
        if let Some(at) = self.questions.get(&written) {
            return *at;
        }
        let path = item.field.as_ref().map(|field| self.path(field));
        let at = self.program.questions.len();
        self.program.questions.push(Question::new(item, path));
        self.questions.insert(written, at);
        at
    }

    fn path(&mut self, field: &str) -> usize {
        if let Some(at) = self.paths.get(field) {
            return *at;
        }
        let at = self.program.paths.len();
        self.program.paths.push(Path::new(field));
        self.paths.insert(field.to_owned(), at);
        at
    }
}

/// Writes what a matcher is: the same for those that match the same. An automaton would print all of its states.
fn write(matcher: &CompiledMatcher, out: &mut String) {
    use CompiledMatcher as M;
    let mut list = |name: &str, list: &[CompiledMatcher]| {
        out.push_str(name);
        out.push('[');
        for matcher in list {
            write(matcher, out);
            out.push(',');
        }
        out.push(']');
    };
    match matcher {
        M::AnyOf(of) => list("any", of),
        M::AllOf(of) => list("all", of),
        M::CaseInsensitiveGroup { children, mode } => list(&format!("group {mode:?}"), children),
        M::Not(inner) => list("not", std::slice::from_ref(inner)),
        M::AhoCorasickSet {
            needles,
            case_insensitive,
            ..
        } => out.push_str(&format!("set {needles:?} {case_insensitive}")),
        M::TimestampPart { part, inner } => list(&format!("{part:?}"), std::slice::from_ref(inner)),
        other => out.push_str(&format!("{other:?}")),
    }
}
