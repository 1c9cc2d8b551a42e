//! Choice: the first rule whose condition holds says where to go.

use super::Exit;
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::execution::Visit;
use crate::failure::{Failure, NO_CHOICE_MATCHED};
use crate::history::HistoryEventType;
use crate::jsonata::{Expression, Scope};
use crate::run::{Flow, Run};
use crate::template::{self, Template, wrong_type};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Choice {
    rules: Vec<Rule>,
    default: Option<Transition>,
    assign: Option<Template>,
    output: Option<Template>,
}

#[derive(Clone, Debug)]
struct Rule {
    condition: Condition,
    transition: Transition,
    assign: Option<Template>,
    output: Option<Template>,
}

#[derive(Clone, Debug)]
enum Condition {
    Fixed(bool),
    Computed(Expression),
}

impl Choice {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Choice> {
        fields.require(&["Choices"], faults);
        let default = fields
            .text("Default", faults)
            .map(|next| Transition::Next(next.to_owned()));
        let assign = fields.assign(faults);
        let output = fields.template("Output", faults);
        let items = fields.list("Choices", faults)?;
        let rules = items
            .iter()
            .enumerate()
            .filter_map(|(n, item)| {
                let at = format!("{}[{n}]", fields.at("Choices"));
                Rule::read(Fields::of(item, &at, faults)?, faults)
            })
            .collect();
        Some(Choice {
            rules,
            default,
            assign,
            output,
        })
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let scope = run.scope(visit).finish();
        for (n, rule) in self.rules.iter().enumerate() {
            let prefix = format!("Choices[{n}]/");
            if rule
                .condition
                .holds(&format!("{prefix}Condition"), &scope)?
            {
                let exit = Exit {
                    event: HistoryEventType::ChoiceStateExited,
                    assign: rule.assign.as_ref(),
                    output: rule.output.as_ref(),
                    transition: &rule.transition,
                    prefix: &prefix,
                };
                return run.leave(visit, exit, &scope, &visit.input);
            }
        }
        let Some(transition) = &self.default else {
            return Err(Failure::interpreter(
                NO_CHOICE_MATCHED,
                "Failed to transition out of the state. The state does not point to a next state.",
            ));
        };
        let exit = Exit {
            event: HistoryEventType::ChoiceStateExited,
            assign: self.assign.as_ref(),
            output: self.output.as_ref(),
            transition,
            prefix: "",
        };
        run.leave(visit, exit, &scope, &visit.input)
    }
}

impl Rule {
    fn read(fields: Fields<'_>, faults: &mut Faults) -> Option<Rule> {
        fields.require(&["Condition", "Next"], faults);
        fields.text("Comment", faults);
        let condition = match fields.value("Condition") {
            Some(Value::Bool(fixed)) => Some(Condition::Fixed(*fixed)),
            Some(Value::String(text)) => fields
                .expression("Condition", text, faults)
                .map(Condition::Computed),
            Some(_) => {
                faults.schema(
                    fields.at("Condition"),
                    "Expected a JSONata expression or a Boolean",
                );
                None
            }
            None => None,
        };
        let next = fields.text("Next", faults);
        let assign = fields.assign(faults);
        let output = fields.template("Output", faults);
        fields.finish(faults);
        Some(Rule {
            condition: condition?,
            transition: Transition::Next(next?.to_owned()),
            assign,
            output,
        })
    }
}

impl Condition {
    fn holds(&self, field: &str, scope: &Scope) -> Result<bool, Failure> {
        match self {
            Condition::Fixed(fixed) => Ok(*fixed),
            Condition::Computed(expression) => {
                match template::evaluate(expression, field, scope)? {
                    Value::Bool(holds) => Ok(holds),
                    value => Err(wrong_type(expression, field, "boolean", &value)),
                }
            }
        }
    }
}
