//! A Sigma rule, compiled.

use rsigma_eval::CompiledRule;

use crate::condition::Condition;

/// A Sigma rule, compiled.
#[derive(Debug)]
pub(crate) struct Rule {
    compiled: CompiledRule,
    condition: Condition,
}

impl Rule {
    pub(crate) fn new(compiled: CompiledRule) -> Self {
        let condition = Condition::of(&compiled);
        Self {
            compiled,
            condition,
        }
    }

    /// When it matches.
    pub(crate) fn condition(&self) -> &Condition {
        &self.condition
    }

    /// The rule as rsigma has it, to explain what it did.
    pub(crate) fn compiled(&self) -> &CompiledRule {
        &self.compiled
    }
}
