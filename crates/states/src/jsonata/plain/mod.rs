//! Plain expressions: paths, operators, constructors and the common functions, evaluated over the given JSON itself.
//!
//! Most expressions of a document are plain, and for them the evaluator's way costs more than they do: it wants what they
//! see in values of its own. Here nothing is copied but what is kept. What a plain expression does not know for certain
//! (a type that does not fit, a number that is not finite, more work than [`STEPS_MAX`]) it does not decide: it gives up,
//! and the evaluator begins anew and says what the answer or the error is. So this folder knows no errors and has no
//! meaning of its own; a property test holds what it answers equal to the evaluator.

mod calls;
mod dates;
#[cfg(test)]
mod dice;
mod evaluate;
mod functions;
mod matching;
mod members;
mod names;
mod node;
mod part;
mod paths;
mod read;
mod sorting;
#[cfg(test)]
mod tests;
mod text;
mod texts;

use crate::limits;
use jsonata_core::ast::AstNode;
use serde_json::Value;
use std::borrow::Cow;
use std::cell::Cell;

/// Nodes evaluated, items visited and texts looked at, after which a plain expression gives up: some milliseconds. Each
/// item of a list is a step at least, so that no list is longer than a sequence may be.
const STEPS_MAX: usize = limits::JSONATA_SEQUENCE_MAX;

/// Bytes of a text that count as one step more: what is made of all steps is then no larger than a value may be.
const STEP_BYTES: usize = limits::JSONATA_VALUE_BYTES_MAX / STEPS_MAX;

/// An expression that can be evaluated here.
#[derive(Debug)]
pub(super) struct Plain {
    root: node::Node,
    /// Variables that are assigned or are parameters inside the expression.
    locals: usize,
    lambdas: Vec<node::Lambda>,
    /// The built-in functions that it calls: nothing else may have their names.
    functions: Vec<String>,
}

/// Not decided here.
#[derive(Debug)]
pub(super) struct GivenUp;

/// What an expression sees.
pub(super) trait Surroundings {
    /// The value of `$name`.
    fn variable(&self, name: &str) -> Option<&Value>;

    /// The value of `$states.name`, when `$states` has its members apart: else [`Surroundings::variable`] has it.
    fn member(&self, name: &str) -> Option<Option<&Value>>;

    /// The moment, in milliseconds since 1970.
    fn millis(&self) -> i64;

    /// The value of `$$`.
    fn document(&self) -> Option<&Value>;
}

impl Plain {
    /// Reads a syntax tree; `None` when something in it is not plain.
    pub(super) fn read(tree: &AstNode) -> Option<Plain> {
        read::read(tree)
    }

    /// The value, without a copy when it is a part of what was given.
    pub(super) fn evaluate<'s>(
        &'s self,
        surroundings: &'s dyn Surroundings,
        sequence_max: usize,
    ) -> Result<Option<Cow<'s, Value>>, GivenUp> {
        let shadowed = |name: &String| surroundings.variable(name).is_some();
        if self.functions.iter().any(shadowed) {
            return Err(GivenUp);
        }
        let steps = Steps(Cell::new(STEPS_MAX.min(sequence_max)));
        evaluate::run(self, surroundings, &steps)?.into_json(&steps)
    }
}

/// How much may still be done.
struct Steps(Cell<usize>);

impl Steps {
    fn take(&self, count: usize) -> Result<(), GivenUp> {
        self.0.set(self.0.get().checked_sub(count).ok_or(GivenUp)?);
        Ok(())
    }

    fn take_text(&self, bytes: usize) -> Result<(), GivenUp> {
        self.take(Self::of_text(bytes))
    }

    /// The steps that a text is.
    fn of_text(bytes: usize) -> usize {
        1 + bytes / STEP_BYTES
    }

    fn left(&self) -> usize {
        self.0.get()
    }
}
