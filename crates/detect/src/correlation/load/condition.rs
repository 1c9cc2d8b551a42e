//! What a correlation's condition says.

use quell_model::Diagnostic;
use rsigma_parser::{ConditionExpr, ConditionOperator, CorrelationCondition, CorrelationType};

use super::Draft;
use crate::correlation::kinds::{Combination, Threshold};
use crate::correlation::{GROUP_HITS_MAX, Kind};

impl Draft {
    pub(super) fn kind(&self) -> Result<Kind, Diagnostic> {
        let what = self.rule.correlation_type;
        let fault = |message: &str| Err(self.fault(message, "condition:"));
        let fields = self.fields().len();
        let (predicates, percent) = match &self.rule.condition {
            CorrelationCondition::Extended(words) if what == CorrelationType::Temporal => {
                return self.combination(words).map(Kind::Temporal);
            }
            CorrelationCondition::Extended(_) => {
                return fault("a condition in words is for `temporal` only");
            }
            CorrelationCondition::Threshold {
                predicates,
                percentile,
                ..
            } => (predicates, percentile),
        };
        if predicates
            .iter()
            .any(|(_, bound)| i64::try_from(*bound).is_err())
        {
            return fault("a bound is not below zero");
        }
        let bounds = Threshold(
            predicates
                .iter()
                .map(|(o, bound)| (*o, *bound as f64))
                .collect(),
        );
        let all = self.rule.rules.len();
        match what {
            CorrelationType::EventCount if fields > 0 => fault("event_count counts no field"),
            CorrelationType::EventCount => {
                self.within(predicates).map(|()| Kind::EventCount(bounds))
            }
            CorrelationType::ValueCount if fields > 0 => {
                self.within(predicates).map(|()| Kind::ValueCount(bounds))
            }
            CorrelationType::ValueCount => fault("value_count needs a field"),
            CorrelationType::Temporal if self.conditional => {
                Ok(Kind::Temporal(Combination::Count(bounds)))
            }
            CorrelationType::Temporal => {
                let each = (0..all)
                    .filter_map(|at| u32::try_from(at).ok())
                    .map(Combination::Rule);
                Ok(Kind::Temporal(Combination::And(each.collect())))
            }
            CorrelationType::TemporalOrdered if self.conditional => {
                fault("temporal_ordered takes no condition: all rules match, in their order")
            }
            CorrelationType::TemporalOrdered => Ok(Kind::TemporalOrdered(all)),
            _ if fields != 1 => fault("this type needs one field with numbers"),
            CorrelationType::ValueSum => Ok(Kind::ValueSum(bounds)),
            CorrelationType::ValueAvg => Ok(Kind::ValueAvg(bounds)),
            CorrelationType::ValueMedian => Ok(Kind::ValueMedian(bounds)),
            CorrelationType::ValuePercentile => match u8::try_from(percent.unwrap_or(50)) {
                Ok(percent @ 0..=100) => Ok(Kind::ValuePercentile(percent, bounds)),
                _ => fault("a percentile is from 0 to 100"),
            },
        }
    }

    /// More hits than are kept can never be counted.
    fn within(&self, predicates: &[(ConditionOperator, u64)]) -> Result<(), Diagnostic> {
        let most = GROUP_HITS_MAX as u64;
        let needed = |(operator, bound): &(ConditionOperator, u64)| match operator {
            ConditionOperator::Gt => bound.saturating_add(1),
            ConditionOperator::Gte | ConditionOperator::Eq => *bound,
            ConditionOperator::Lt | ConditionOperator::Lte | ConditionOperator::Neq => 0,
        };
        if predicates.iter().map(needed).any(|n| n > most) {
            return Err(self.fault(
                format!("a group keeps {most} hits: more are never counted"),
                "condition:",
            ));
        }
        Ok(())
    }

    fn combination(&self, words: &ConditionExpr) -> Result<Combination, Diagnostic> {
        let all = |list: &[ConditionExpr]| -> Result<Vec<_>, _> {
            list.iter().map(|c| self.combination(c)).collect()
        };
        match words {
            ConditionExpr::And(list) => Ok(Combination::And(all(list)?)),
            ConditionExpr::Or(list) => Ok(Combination::Or(all(list)?)),
            ConditionExpr::Not(inner) => Ok(Combination::Not(Box::new(self.combination(inner)?))),
            ConditionExpr::Identifier(name) => {
                let at = self
                    .rule
                    .rules
                    .iter()
                    .position(|r| r == name)
                    .and_then(|at| u32::try_from(at).ok());
                at.map(Combination::Rule).ok_or_else(|| {
                    self.fault(
                        format!("the condition names «{name}», which is not one of its rules"),
                        "condition:",
                    )
                })
            }
            ConditionExpr::Selector { .. } => {
                Err(self.fault("a correlation's condition names each rule", "condition:"))
            }
        }
    }
}
