//! The evaluation of plain expressions, as the reference implementation does it: `evaluatePath`, `evaluateStep`,
//! `evaluateFilter` and their like, with their rules for sequences.

use super::functions::Function;
use super::members::{Items, Members};
use super::node::{Callee, Item, Lambda, Node};
use super::part::{Look, Part};
use super::paths::{field, spread};
use super::{GivenUp, Plain, Steps, Surroundings, functions, matching};
use crate::clock::timestamp_text;
use crate::limits;
use jsonata_core::ast::BinaryOp;

/// How deep nodes may be evaluated inside one another.
const DEPTH_MAX: usize = 150;

/// Items that are only compared with a scalar, of which so many count as one step.
const LOOKS: usize = 8;

pub(super) type Answer<'s> = Result<Part<'s>, GivenUp>;

pub(super) fn run<'s>(
    plain: &'s Plain,
    surroundings: &'s dyn Surroundings,
    steps: &Steps,
) -> Answer<'s> {
    let document = surroundings.document().map_or(Part::Nothing, Part::Given);
    let mut run = Run {
        surroundings,
        steps,
        lambdas: &plain.lambdas,
        depth: 0,
        locals: vec![Part::Nothing; plain.locals],
        contexts: vec![Part::Nothing; plain.lambdas.len()],
        document: document.clone(),
    };
    run.node(&plain.root, &document)
}

pub(super) struct Run<'s, 'r> {
    pub(super) surroundings: &'s dyn Surroundings,
    pub(super) steps: &'r Steps,
    pub(super) lambdas: &'s [Lambda],
    depth: usize,
    locals: Vec<Part<'s>>,
    /// What each function that was defined has for its context.
    pub(super) contexts: Vec<Part<'s>>,
    document: Part<'s>,
}

impl<'s> Run<'s, '_> {
    /// The value of a node, never a sequence of one or none.
    pub(super) fn node(&mut self, node: &'s Node, context: &Part<'s>) -> Answer<'s> {
        self.steps.take(1)?;
        // Functions call functions.
        if self.depth > DEPTH_MAX {
            return Err(GivenUp);
        }
        self.depth += 1;
        let value = self.value(node, context);
        self.depth -= 1;
        value
    }

    #[inline]
    fn value(&mut self, node: &'s Node, context: &Part<'s>) -> Answer<'s> {
        match node {
            Node::Nothing => Ok(Part::Nothing),
            Node::Literal(value) => Ok(Part::Given(value)),
            Node::Context => Ok(context.clone()),
            Node::Document => Ok(self.document.clone()),
            Node::Variable(name) => Ok(self.variable(name)),
            Node::Member(name) => self.member(name),
            Node::Local(local) => self.locals.get(*local).cloned().ok_or(GivenUp),
            Node::Field(name) => Ok(field(context, name, self.steps)?.unwrapped()),
            Node::Path(steps) => Ok(self.path(steps, context)?.unwrapped()),
            Node::Arithmetic(op, sides) => {
                let [left, right] = self.both(sides, context)?;
                arithmetic(*op, &left, &right)
            }
            Node::Order(op, sides) => {
                let [left, right] = self.both(sides, context)?;
                order(*op, &left, &right)
            }
            Node::Equal(sides) => self.equal(sides, context, true),
            Node::Unequal(sides) => self.equal(sides, context, false),
            Node::And(sides) => {
                let [left, right] = &**sides;
                let both = self.is_true(left, context)? && self.is_true(right, context)?;
                Ok(Part::Bool(both))
            }
            Node::Or(sides) => {
                let [left, right] = &**sides;
                let either = self.is_true(left, context)? || self.is_true(right, context)?;
                Ok(Part::Bool(either))
            }
            Node::Choose(branches) => {
                let [condition, then, otherwise] = &**branches;
                match self.is_true(condition, context)? {
                    true => self.node(then, context),
                    false => self.node(otherwise, context),
                }
            }
            Node::Call(function, args) => self.call(*function, args, context),
            other => self.made(other, context),
        }
    }

    /// The nodes that make something, apart from the others, which are small and recurse most.
    #[inline(never)]
    fn made(&mut self, node: &'s Node, context: &Part<'s>) -> Answer<'s> {
        match node {
            Node::List(steps) => self.path(steps, context)?.kept(),
            Node::Wildcard => self.wildcard(context),
            Node::Join(sides) => {
                let [left, right] = self.both(sides, context)?;
                let mut text = String::new();
                left.write(&mut text, self.steps)?;
                right.write(&mut text, self.steps)?;
                functions::made(text)
            }
            Node::In(sides) => self.is_in(sides, context),
            Node::Default(sides) => {
                let [left, right] = &**sides;
                let value = self.node(left, context)?;
                match value.is_true(self.steps)? {
                    true => Ok(value),
                    false => self.node(right, context),
                }
            }
            Node::Coalesce(sides) => {
                let [left, right] = &**sides;
                match self.node(left, context)? {
                    Part::Nothing => self.node(right, context),
                    value => Ok(value),
                }
            }
            Node::Negate(operand) => match self.node(operand, context)?.look() {
                Look::Nothing => Ok(Part::Nothing),
                Look::Number(number) => Ok(Part::Number(-number)),
                _ => Err(GivenUp),
            },
            Node::Array(items) => self.array(items, context),
            Node::Object(pairs) => self.object(pairs, context),
            Node::Block(nodes) => nodes
                .iter()
                .try_fold(Part::Nothing, |_, node| self.node(node, context)),
            Node::Assign(local, value) => {
                let value = self.node(value, context)?;
                self.bind(*local, value.clone());
                Ok(value)
            }
            Node::Matching(matching, pattern, args) => {
                let args = args.iter().map(|arg| self.node(arg, context));
                let args = args.collect::<Result<Vec<_>, _>>()?;
                Ok(matching::call(*matching, pattern, &args, self.steps)?.unwrapped())
            }
            Node::Millis => Ok(Part::Number(self.surroundings.millis() as f64)),
            Node::Now => functions::made(timestamp_text(self.surroundings.millis())),
            Node::Ordered(list, terms) => self.ordered(list, terms, context),
            Node::Grouped(list, pairs) => self.grouped(list, pairs, context),
            Node::Define(lambda) => {
                *self.contexts.get_mut(*lambda).ok_or(GivenUp)? = context.clone();
                Ok(Part::Nothing)
            }
            Node::Apply(lambda, args) => {
                let args = args.iter().map(|arg| self.node(arg, context));
                let args = args.collect::<Result<Vec<_>, _>>()?;
                self.apply(Callee::Defined(*lambda), args, context)
            }
            Node::Each(each, over, callee) => {
                let over = self.node(over, context)?;
                Ok(self.each(*each, &over, *callee, context)?.unwrapped())
            }
            Node::Reduce(sides, callee) => {
                let [over, first] = self.both(sides, context)?;
                self.reduce(&over, first, *callee, context)
            }
            _ => Err(GivenUp),
        }
    }

    #[inline(never)]
    fn call(&mut self, function: Function, args: &'s [Node], context: &Part<'s>) -> Answer<'s> {
        let mut given = [const { Part::Nothing }; functions::ARGUMENTS_MAX];
        for (given, arg) in given.iter_mut().zip(args) {
            *given = self.node(arg, context)?;
        }
        let given = given.get(..args.len()).ok_or(GivenUp)?;
        Ok(functions::call(function, given, self.steps)?.unwrapped())
    }

    pub(super) fn both(
        &mut self,
        sides: &'s [Node; 2],
        context: &Part<'s>,
    ) -> Result<[Part<'s>; 2], GivenUp> {
        let [left, right] = sides;
        Ok([self.node(left, context)?, self.node(right, context)?])
    }

    fn is_true(&mut self, node: &'s Node, context: &Part<'s>) -> Result<bool, GivenUp> {
        self.node(node, context)?.is_true(self.steps)
    }

    fn variable(&self, name: &str) -> Part<'s> {
        let bound = self.surroundings.variable(name);
        bound.map_or(Part::Nothing, Part::Given)
    }

    fn member(&self, name: &str) -> Answer<'s> {
        match self.surroundings.member(name) {
            Some(member) => Ok(member.map_or(Part::Nothing, Part::Given)),
            None => Ok(field(&self.variable("states"), name, self.steps)?.unwrapped()),
        }
    }

    pub(super) fn bind(&mut self, local: usize, value: Part<'s>) {
        if let Some(place) = self.locals.get_mut(local) {
            *place = value;
        }
    }

    fn equal(&mut self, sides: &'s [Node; 2], context: &Part<'s>, wanted: bool) -> Answer<'s> {
        let [left, right] = self.both(sides, context)?;
        let defined = !left.is_nothing() && !right.is_nothing();
        Ok(Part::Bool(
            defined && left.equals(&right, self.steps)? == wanted,
        ))
    }

    fn is_in(&mut self, sides: &'s [Node; 2], context: &Part<'s>) -> Answer<'s> {
        let [wanted, among] = self.both(sides, context)?;
        // Arrays and objects are looked for by what they are, not by what they hold.
        if matches!(wanted.look(), Look::List(_) | Look::Object(_)) {
            return Err(GivenUp);
        }
        if wanted.is_nothing() {
            return Ok(Part::Bool(false));
        }
        let single = [among.clone()];
        let items = among.items().unwrap_or(Items::Made(&single));
        self.steps.take(1 + items.len() / LOOKS)?;
        let is_it = |item: Part<'s>| match (item.look(), wanted.look()) {
            (Look::Text(a), Look::Text(b)) => a == b,
            (Look::Number(a), Look::Number(b)) => a == b,
            (Look::Bool(a), Look::Bool(b)) => a == b,
            (a, b) => matches!((a, b), (Look::Null, Look::Null)),
        };
        Ok(Part::Bool(items.iter().any(is_it)))
    }

    fn array(&mut self, items: &'s [Item], context: &Part<'s>) -> Answer<'s> {
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Whole(node) => made.push(self.node(node, context)?),
                Item::Range(from, until) => self.range(from, until, context, &mut made)?,
                Item::Spread(node) => {
                    let value = self.node(node, context)?;
                    spread(value, &mut made, self.steps)?;
                }
            }
        }
        Part::array(made)
    }

    fn object(&mut self, pairs: &'s [(Node, Node)], context: &Part<'s>) -> Answer<'s> {
        // An array would be grouped.
        if context.items().is_some() {
            return Err(GivenUp);
        }
        let mut members = Members::default();
        for (key, value) in pairs {
            let key = self.node(key, context)?.into_name().ok_or(GivenUp)?;
            let value = self.node(value, context)?;
            // A name that comes twice is an error, also when it has no value.
            if members.position(&key).is_some() || pairs.len() > functions::NAMES_MAX {
                return Err(GivenUp);
            }
            members.put(key, value);
        }
        Part::object(members.without_nothing())
    }

    /// The whole numbers of a range.
    fn range(
        &mut self,
        from: &'s Node,
        until: &'s Node,
        context: &Part<'s>,
        list: &mut Vec<Part<'s>>,
    ) -> Result<(), GivenUp> {
        let (from, until) = (self.node(from, context)?, self.node(until, context)?);
        let (Some(from), Some(until)) = (from.as_number(), until.as_number()) else {
            return Err(GivenUp);
        };
        let count = until - from + 1.0;
        if from.fract() != 0.0
            || until.fract() != 0.0
            || count > limits::JSONATA_SEQUENCE_MAX as f64
        {
            return Err(GivenUp);
        }
        let count = count.max(0.0) as usize;
        self.steps.take(count)?;
        list.extend((0..count).map(|n| Part::Number(from + n as f64)));
        Ok(())
    }
}

fn arithmetic<'s>(op: BinaryOp, left: &Part<'s>, right: &Part<'s>) -> Answer<'s> {
    match (left.look(), right.look()) {
        (Look::Number(a), Look::Number(b)) => Part::number(match op {
            BinaryOp::Add => a + b,
            BinaryOp::Subtract => a - b,
            BinaryOp::Multiply => a * b,
            BinaryOp::Divide => a / b,
            _ => a % b,
        }),
        (Look::Nothing, Look::Nothing | Look::Number(_)) | (Look::Number(_), Look::Nothing) => {
            Ok(Part::Nothing)
        }
        _ => Err(GivenUp),
    }
}

fn order<'s>(op: BinaryOp, left: &Part<'s>, right: &Part<'s>) -> Answer<'s> {
    let order = match (left.look(), right.look()) {
        (Look::Number(a), Look::Number(b)) => a.partial_cmp(&b),
        // Other texts are compared by their UTF-16.
        (Look::Text(a), Look::Text(b)) if a.is_ascii() && b.is_ascii() => Some(a.cmp(b)),
        (Look::Nothing, Look::Nothing | Look::Number(_) | Look::Text(_))
        | (Look::Number(_) | Look::Text(_), Look::Nothing) => return Ok(Part::Nothing),
        _ => return Err(GivenUp),
    };
    let order = order.ok_or(GivenUp)?;
    Ok(Part::Bool(match op {
        BinaryOp::LessThan => order.is_lt(),
        BinaryOp::LessThanOrEqual => order.is_le(),
        BinaryOp::GreaterThan => order.is_gt(),
        _ => order.is_ge(),
    }))
}
