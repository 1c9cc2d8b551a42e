//! The conditions of all rules as one program. What several rules ask of a record is answered once.

mod compiler;
mod memo;
mod question;

use rsigma_eval::{CompiledRule, evaluate_rule};

use crate::tree::{Found, Path, Tree};
pub(crate) use compiler::Compiler;
pub(crate) use memo::Memo;
use question::{Question, Weight};

/// What rules ask, each thing once.
#[derive(Debug, Default)]
pub(crate) struct Program {
    paths: Vec<Path>,
    questions: Vec<Question>,
}

/// When a rule matches.
#[derive(Debug)]
pub(crate) enum Check {
    /// All of these; none is true.
    All(Vec<Check>),
    /// Any of these; none is false.
    Any(Vec<Check>),
    /// At least so many of these.
    AtLeast(u64, Vec<Check>),
    /// Not this.
    Not(Box<Check>),
    /// Yes to the question of this number.
    Is(usize),
    /// What `rsigma-eval` says.
    Other(Box<CompiledRule>),
}

impl Program {
    /// Whether a record matches.
    pub(crate) fn holds(&self, check: &Check, tree: &Tree<'_>, memo: &mut Memo) -> bool {
        match check {
            Check::Is(question) => self.answer(*question, tree, memo),
            Check::All(all) => all.iter().all(|check| self.holds(check, tree, memo)),
            Check::Any(any) => any.iter().any(|check| self.holds(check, tree, memo)),
            Check::AtLeast(wanted, of) => {
                let mut left = *wanted;
                left == 0
                    || of.iter().any(|check| {
                        left -= u64::from(self.holds(check, tree, memo));
                        left == 0
                    })
            }
            Check::Not(inner) => !self.holds(inner, tree, memo),
            Check::Other(rule) => evaluate_rule(rule, tree).is_some(),
        }
    }

    /// Whether every record with the same name and service matches, or none; `None` where these alone do not say it.
    pub(crate) fn holds_for_call(
        &self,
        check: &Check,
        tree: &Tree<'_>,
        memo: &mut Memo,
    ) -> Option<bool> {
        let mut joined = |list: &[Check], decides: bool| {
            let mut out = Some(!decides);
            for check in list {
                match self.holds_for_call(check, tree, memo) {
                    Some(said) if said == decides => return Some(decides),
                    Some(_) => {}
                    None => out = None,
                }
            }
            out
        };
        match check {
            Check::Is(question) if self.is_of_call(*question) => {
                Some(self.answer(*question, tree, memo))
            }
            Check::All(all) => joined(all, false),
            Check::Any(any) => joined(any, true),
            Check::Not(inner) => Some(!self.holds_for_call(inner, tree, memo)?),
            Check::Is(_) | Check::AtLeast(..) | Check::Other(_) => None,
        }
    }

    fn is_of_call(&self, question: usize) -> bool {
        let question = self.questions.get(question);
        question.is_some_and(|question| question.weight == Weight::Call)
    }

    #[inline]
    fn answer(&self, question: usize, tree: &Tree<'_>, memo: &mut Memo) -> bool {
        match memo.answer(question) {
            Some(answer) => answer,
            None => self.find_answer(question, tree, memo),
        }
    }

    fn find_answer(&self, number: usize, tree: &Tree<'_>, memo: &mut Memo) -> bool {
        let Some(question) = self.questions.get(number) else {
            return false;
        };
        let short = match question.path.map(|path| self.found(path, tree, memo)) {
            Some(Found::Absent) => Some(question.absent()),
            Some(Found::One(part)) => match part.plain().filter(|_| question.is_of_agent) {
                Some(text) => memo.of_agent(number, text, || question.short.answer(part)),
                None => question.short.answer(part),
            },
            Some(Found::Several) | None => None,
        };
        let answer = short.unwrap_or_else(|| question.by_evaluator(tree));
        memo.keep_answer(number, answer);
        answer
    }

    /// What the record has at a path.
    fn found<'t>(&self, number: usize, tree: &Tree<'t>, memo: &mut Memo) -> Found<'t> {
        if let Some(found) = memo.found(number, tree.reading().body()) {
            return found;
        }
        let path = self.paths.get(number);
        let found = path.map_or(Found::Several, |path| tree.find(path));
        memo.keep_found(number, found);
        found
    }
}
