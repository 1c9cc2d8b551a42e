//! Choice: the first rule whose condition holds says where to go.

use super::{Exit, ShapedExit, rule};
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::failure::{Failure, NO_CHOICE_MATCHED};
use crate::history::HistoryEventType;
use crate::jsonata::{Expression, Scope};
use crate::jsonpath::{Payload, Shape, ShapeFields};
use crate::run::{Flow, Run};
use crate::template::{self, Template, wrong_type};
use crate::thread::Visit;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) enum Choice {
    Jsonata {
        rules: Vec<Rule>,
        default: Option<Transition>,
        assign: Option<Template>,
        output: Option<Template>,
    },
    JsonPath {
        rules: Vec<PathRule>,
        default: Option<Transition>,
        shape: Box<Shape>,
    },
}

/// A rule in JSONPath mode.
#[derive(Clone, Debug)]
pub(crate) struct PathRule {
    condition: rule::Condition,
    transition: Transition,
    assign: Option<Payload>,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
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
        if fields.in_jsonpath() {
            let has = ShapeFields {
                assign: true,
                ..ShapeFields::default()
            };
            let shape = Box::new(Shape::read(fields, has, faults));
            let rules = read_items(fields, PathRule::read, faults)?;
            return Some(Choice::JsonPath {
                rules,
                default,
                shape,
            });
        }
        let assign = fields.assign(faults);
        let output = fields.template("Output", faults);
        let rules = read_items(fields, Rule::read, faults)?;
        Some(Choice::Jsonata {
            rules,
            default,
            assign,
            output,
        })
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let (rules, default, assign, output) = match self {
            Choice::Jsonata {
                rules,
                default,
                assign,
                output,
            } => (rules, default, assign, output),
            Choice::JsonPath {
                rules,
                default,
                shape,
            } => return run_paths(run, visit, rules, default.as_ref(), shape),
        };
        let scope = run.scope(visit).finish();
        for (n, rule) in rules.iter().enumerate() {
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
                let left = exit.evaluate(&scope, &visit.input)?;
                drop(scope);
                return run.leave(visit, exit, left);
            }
        }
        let Some(transition) = default else {
            return Err(no_choice());
        };
        let exit = Exit {
            event: HistoryEventType::ChoiceStateExited,
            assign: assign.as_ref(),
            output: output.as_ref(),
            transition,
            prefix: "",
        };
        let left = exit.evaluate(&scope, &visit.input)?;
        drop(scope);
        run.leave(visit, exit, left)
    }
}

fn no_choice() -> Failure {
    Failure::interpreter(
        NO_CHOICE_MATCHED,
        "Failed to transition out of the state. The state does not point to a next state.",
    )
}

fn read_items<R>(
    fields: &Fields<'_>,
    read: impl Fn(Fields<'_>, &mut Faults) -> Option<R>,
    faults: &mut Faults,
) -> Option<Vec<R>> {
    let items = fields.list("Choices", faults)?;
    Some(
        items
            .iter()
            .enumerate()
            .filter_map(|(n, item)| {
                let at = format!("{}[{n}]", fields.at("Choices"));
                read(fields.within(item, &at, faults)?, faults)
            })
            .collect(),
    )
}

fn run_paths(
    run: &mut Run<'_>,
    visit: &Visit,
    rules: &[PathRule],
    default: Option<&Transition>,
    shape: &Shape,
) -> Result<Flow, Failure> {
    let input = run.shaped_input(visit, shape, None)?;
    let context = run.context(visit, None);
    let mut chosen = default.map(|transition| (shape.assign.as_ref(), transition));
    for rule in rules {
        if rule
            .condition
            .holds(&run.view(visit, &context).on(&input))?
        {
            chosen = Some((rule.assign.as_ref(), &rule.transition));
            break;
        }
    }
    let (assign, transition) = chosen.ok_or_else(no_choice)?;
    let exit = ShapedExit {
        event: HistoryEventType::ChoiceStateExited,
        shape,
        assign,
        transition,
    };
    run.leave_shaped(visit, exit, input)
}

impl PathRule {
    fn read(fields: Fields<'_>, faults: &mut Faults) -> Option<PathRule> {
        fields.require(&["Next"], faults);
        fields.text("Comment", faults);
        let condition = rule::Condition::read(&fields, faults);
        let next = fields.text("Next", faults);
        let assign = fields.assign_payload(faults);
        fields.finish(faults);
        Some(PathRule {
            condition: condition?,
            transition: Transition::Next(next?.to_owned()),
            assign,
        })
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
    fn holds(&self, field: &str, scope: &Scope<'_>) -> Result<bool, Failure> {
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
