//! What a Map does with each item: the states, how they run, and their input.

use super::distributed::Distributed;
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::document::machine::{Machine, read_group};
use crate::seen::Form;

/// `ItemSelector`, which older documents call `Parameters`.
pub(super) fn read_selector(fields: &Fields<'_>, faults: &mut Faults) -> Option<Form> {
    let selector = Form::read(fields, "ItemSelector", faults);
    if !fields.in_jsonpath() {
        return selector;
    }
    let parameters = Form::read(fields, "Parameters", faults);
    if selector.is_some() && parameters.is_some() {
        faults.schema(
            fields.place(),
            "A Map state may have only one of 'ItemSelector' and 'Parameters'",
        );
    }
    selector.or(parameters)
}

/// `ItemProcessor`, which older documents call `Iterator`.
pub(super) fn read_processor(
    fields: &Fields<'_>,
    faults: &mut Faults,
) -> Option<(Machine, Option<Box<Distributed>>)> {
    let (processor, iterator) = (
        fields.object("ItemProcessor", faults),
        fields.object("Iterator", faults),
    );
    let processor = match (processor, iterator) {
        (Some(processor), None) | (None, Some(processor)) => processor,
        (Some(_), Some(_)) => {
            faults.schema(
                fields.place(),
                "A Map state may have only one of 'ItemProcessor' and 'Iterator'",
            );
            return None;
        }
        (None, None) => {
            if fields.value("ItemProcessor").is_none() && fields.value("Iterator").is_none() {
                faults.schema(fields.place(), "These fields are required: [ItemProcessor]");
            }
            return None;
        }
    };
    processor.text("Comment", faults);
    let mode = read_mode(&processor, faults);
    let distributed = match mode {
        Mode::Distributed => Some(Box::new(Distributed::read(fields, faults))),
        Mode::Inline => {
            Distributed::refuse_inline(fields, faults);
            None
        }
    };
    let group = read_group(&processor, faults);
    processor.finish(faults);
    Some((group?, distributed))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Inline,
    Distributed,
}

fn read_mode(processor: &Fields<'_>, faults: &mut Faults) -> Mode {
    let Some(config) = processor.object("ProcessorConfig", faults) else {
        return Mode::Inline;
    };
    let mode = config.word("Mode", &["INLINE", "DISTRIBUTED"], faults);
    config.word("ExecutionType", &["STANDARD", "EXPRESS"], faults);
    let mode = match mode {
        Some("DISTRIBUTED") => Mode::Distributed,
        _ => Mode::Inline,
    };
    if mode == Mode::Distributed {
        config.require(&["ExecutionType"], faults);
    }
    config.finish(faults);
    mode
}
