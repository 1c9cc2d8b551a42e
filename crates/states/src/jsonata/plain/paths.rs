//! Paths: their steps, and what is chosen of what these find.

use super::evaluate::{Answer, Run};
use super::members::Items;
use super::node::{Filter, Node, Step};
use super::part::{Look, Part};
use super::{GivenUp, Steps};

impl<'s> Run<'s, '_> {
    /// What a path finds, as a sequence when it may be many.
    pub(super) fn path(&mut self, steps: &'s [Step], context: &Part<'s>) -> Answer<'s> {
        let (first, rest) = steps.split_first().ok_or(GivenUp)?;
        let mut here = match (&first.node, context.items()) {
            (Node::Field(_), Some(items)) if context.is_sequence() && first.filters.is_empty() => {
                self.over_items(first, items)?
            }
            (Node::Field(_), Some(_)) => return Err(GivenUp),
            _ => self.step(first, context)?,
        };
        // An array that is written first stays what it is when it is empty.
        if matches!(first.node, Node::Array(_))
            && here.items().is_some_and(|items| items.len() == 0)
        {
            return Err(GivenUp);
        }
        for step in rest {
            let next = match here.items() {
                Some(items) => self.over_items(step, items)?,
                None if here.is_nothing() => return Ok(here),
                None => self.step(step, &here)?.never_kept()?,
            };
            here = next;
        }
        Ok(here)
    }

    /// What a step finds in each item, as one sequence.
    fn over_items(&mut self, step: &'s Step, items: Items<'_, 's>) -> Answer<'s> {
        let mut found = Vec::with_capacity(items.len());
        let mut arrays = 0;
        for item in items.iter() {
            match self.step(step, &item)?.never_kept()? {
                Part::Nothing => {}
                value => {
                    arrays += usize::from(value.items().is_some());
                    found.push(value);
                }
            }
        }
        match found.as_slice() {
            [only] if arrays == 1 && !only.is_sequence() => Ok(only.clone()),
            _ if step.is_list => Part::sequence(found),
            _ if arrays == 0 => Part::sequence(found),
            _ => {
                let mut flat = Vec::new();
                for value in found {
                    spread(value, &mut flat, self.steps)?;
                }
                Part::sequence(flat)
            }
        }
    }

    /// The values of an object, those of lists each by itself.
    pub(super) fn wildcard(&self, context: &Part<'s>) -> Answer<'s> {
        let Look::Object(fields) = context.look() else {
            return Err(GivenUp);
        };
        let mut found = Vec::new();
        for (_, value) in fields.iter() {
            self.steps.take(1)?;
            // Lists in lists would be lists no more.
            if value
                .items()
                .is_some_and(|items| items.iter().any(|item| item.items().is_some()))
            {
                return Err(GivenUp);
            }
            spread(value, &mut found, self.steps)?;
        }
        // What becomes of one or none depends on where it stands.
        match found.len() > 1 {
            true => Part::sequence(found),
            false => Err(GivenUp),
        }
    }

    fn step(&mut self, step: &'s Step, context: &Part<'s>) -> Answer<'s> {
        let mut found = self.node(&step.node, context)?;
        for filter in &step.filters {
            found = match filter {
                Filter::Index(index) => at(&found, *index),
                Filter::Test(test) => self.chosen(&found, test)?,
            };
        }
        Ok(found)
    }

    fn chosen(&mut self, found: &Part<'s>, test: &'s Node) -> Answer<'s> {
        if found.is_nothing() {
            return Err(GivenUp);
        }
        let single = [found.clone()];
        let items = found.items().unwrap_or(Items::Made(&single));
        let mut chosen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let says = self.node(test, &item)?;
            let keeps = match says.look() {
                Look::Number(wanted) => position(wanted.floor(), items.len()) == Some(index),
                Look::List(several) if several.iter().any(|part| part.as_number().is_some()) => {
                    return Err(GivenUp);
                }
                _ => says.is_true(self.steps)?,
            };
            if keeps {
                chosen.push(item);
            }
        }
        Part::sequence(chosen)
    }
}

/// The field of an object, or of all objects in an array.
pub(super) fn field<'s>(value: &Part<'s>, name: &str, steps: &Steps) -> Answer<'s> {
    match value.look() {
        Look::Object(fields) => Ok(fields.field(name).unwrap_or(Part::Nothing)),
        Look::List(items) => {
            steps.take(items.len())?;
            let mut found = Vec::new();
            for item in items.iter() {
                spread(field(&item, name, steps)?, &mut found, steps)?;
            }
            // One list in a list is seen in more than one way.
            if matches!(found.as_slice(), [only] if only.items().is_some()) {
                return Err(GivenUp);
            }
            Part::sequence(found)
        }
        _ => Ok(Part::Nothing),
    }
}

/// Adds a value to a list, the items of an array each by itself.
pub(super) fn spread<'s>(
    value: Part<'s>,
    list: &mut Vec<Part<'s>>,
    steps: &Steps,
) -> Result<(), GivenUp> {
    match value.items() {
        Some(items) => {
            steps.take(items.len())?;
            list.extend(items.iter());
        }
        None if value.is_nothing() => {}
        None => list.push(value),
    }
    Ok(())
}

fn at<'s>(found: &Part<'s>, index: f64) -> Part<'s> {
    let single = std::slice::from_ref(found);
    let items = found.items().unwrap_or(Items::Made(single));
    position(index, items.len())
        .and_then(|index| items.item(index))
        .unwrap_or(Part::Nothing)
}

/// Where an index points, which counts from the end when it is negative.
fn position(index: f64, len: usize) -> Option<usize> {
    let index = if index < 0.0 {
        index + len as f64
    } else {
        index
    };
    (index >= 0.0 && index < len as f64).then_some(index as usize)
}
