//! Functions that an expression has, and those that call them.

use super::GivenUp;
use super::evaluate::{Answer, Run};
use super::members::Members;
use super::node::{Callee, Each, Lambda};
use super::part::{Look, Part};

impl<'s> Run<'s, '_> {
    pub(super) fn each(
        &mut self,
        each: Each,
        over: &Part<'s>,
        callee: Callee,
        context: &Part<'s>,
    ) -> Answer<'s> {
        match (each, over.look()) {
            (_, Look::Nothing) => Ok(Part::Nothing),
            (Each::Sift, Look::Object(fields)) => {
                let mut kept = Members::default();
                for (name, value) in fields.entries() {
                    let args = [value.clone(), Part::text(&name), over.clone()];
                    if self.apply(callee, args, context)?.is_true(self.steps)? {
                        kept.put(name, value);
                    }
                }
                match kept.len() {
                    0 => Ok(Part::Nothing),
                    _ => Part::object(kept),
                }
            }
            (Each::Members, Look::Object(fields)) => {
                let mut made = Vec::new();
                for (name, value) in fields.iter() {
                    let args = [value, Part::text(name), over.clone()];
                    match self.apply(callee, args, context)? {
                        Part::Nothing => {}
                        value => made.push(value),
                    }
                }
                Part::sequence(made)
            }
            (Each::Sift | Each::Members, _) | (_, Look::Null) => Err(GivenUp),
            (Each::Sort, _) => self.sorted_by(over, callee, context),
            (Each::Map | Each::Filter | Each::Single, _) => {
                let single = Part::array(vec![over.clone()])?;
                let list = if over.items().is_some() {
                    over
                } else {
                    &single
                };
                let items = list.items().ok_or(GivenUp)?;
                let mut made = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let args = [item.clone(), Part::Number(index as f64), list.clone()];
                    let value = self.apply(callee, args, context)?;
                    match each {
                        Each::Map if !value.is_nothing() => made.push(value),
                        Each::Filter | Each::Single if value.is_true(self.steps)? => {
                            made.push(item)
                        }
                        _ => {}
                    }
                }
                match (each, made.as_slice()) {
                    (Each::Single, [only]) => Ok(only.clone()),
                    (Each::Single, _) => Err(GivenUp),
                    _ => Part::sequence(made),
                }
            }
        }
    }

    pub(super) fn reduce(
        &mut self,
        over: &Part<'s>,
        first: Part<'s>,
        callee: Callee,
        context: &Part<'s>,
    ) -> Answer<'s> {
        // What only two, and only items, have to do with it is the evaluator's to say.
        let items = over.items().ok_or(GivenUp)?;
        if first.is_nothing() || self.lambda(callee)?.parameters.len() != 2 {
            return Err(GivenUp);
        }
        let mut made = first;
        for item in items.iter() {
            made = self.apply(callee, [made, item], context)?;
        }
        Ok(made)
    }

    pub(super) fn lambda(&self, callee: Callee) -> Result<&'s Lambda, GivenUp> {
        let (Callee::Here(lambda) | Callee::Defined(lambda)) = callee;
        self.lambdas.get(lambda).ok_or(GivenUp)
    }

    pub(super) fn apply(
        &mut self,
        callee: Callee,
        args: impl IntoIterator<Item = Part<'s>>,
        context: &Part<'s>,
    ) -> Answer<'s> {
        let lambda = self.lambda(callee)?;
        let mut args = args.into_iter();
        for local in &lambda.parameters {
            self.bind(*local, args.next().ok_or(GivenUp)?);
        }
        match callee {
            Callee::Here(_) => self.node(&lambda.body, context),
            Callee::Defined(own) => {
                let context = self.contexts.get(own).ok_or(GivenUp)?.clone();
                self.node(&lambda.body, &context)
            }
        }
    }
}
