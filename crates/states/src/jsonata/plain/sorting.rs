//! What puts items in order, and what puts them together.

use super::evaluate::{Answer, Run};
use super::members::{Items, Members};
use super::node::{Callee, Node};
use super::part::{Look, Part};
use super::{GivenUp, functions};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What an item is ordered by.
enum Key {
    /// After all others.
    Nothing,
    Number(f64),
    Text(Box<str>),
}

impl Key {
    fn of(part: &Part<'_>) -> Result<Key, GivenUp> {
        Ok(match part.look() {
            Look::Nothing => Key::Nothing,
            Look::Number(number) => Key::Number(number),
            // Other texts are compared by their UTF-16.
            Look::Text(text) if text.is_ascii() => Key::Text(text.into()),
            _ => return Err(GivenUp),
        })
    }

    fn compare(&self, other: &Key, is_rising: bool) -> Ordering {
        let rising = match (self, other) {
            (Key::Number(a), Key::Number(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (Key::Nothing, Key::Nothing) => Ordering::Equal,
            (Key::Nothing, _) => return Ordering::Greater,
            (_, Key::Nothing) => return Ordering::Less,
            _ => Ordering::Equal,
        };
        if is_rising { rising } else { rising.reverse() }
    }
}

/// Whether all keys can be compared with one another.
fn are_alike<'k>(keys: impl Iterator<Item = &'k Key> + Clone) -> bool {
    let numbers = keys.clone().any(|key| matches!(key, Key::Number(_)));
    let texts = keys.clone().any(|key| matches!(key, Key::Text(_)));
    !(numbers && texts)
}

/// `$sort(list)`
pub(super) fn sorted<'s>(list: &Part<'s>, steps: &super::Steps) -> Answer<'s> {
    let items = list.items().ok_or(GivenUp)?;
    steps.take(items.len())?;
    let keyed = items.iter().map(|item| Ok((Key::of(&item)?, item)));
    let mut keyed = keyed.collect::<Result<Vec<_>, GivenUp>>()?;
    if keyed.len() < 2 || !are_alike(keyed.iter().map(|(key, _)| key)) {
        return Err(GivenUp);
    }
    keyed.sort_by(|(a, _), (b, _)| a.compare(b, true));
    Part::array(keyed.into_iter().map(|(_, item)| item).collect())
}

impl<'s> Run<'s, '_> {
    /// `list^(term, >term)`
    pub(super) fn ordered(
        &mut self,
        list: &'s Node,
        terms: &'s [(Node, bool)],
        context: &Part<'s>,
    ) -> Answer<'s> {
        let list = self.node(list, context)?;
        let Some(items) = list.items().filter(|items| items.len() > 1) else {
            return Err(GivenUp);
        };
        let mut keyed = Vec::with_capacity(items.len());
        for item in items.iter() {
            let keys = terms
                .iter()
                .map(|(term, _)| Key::of(&self.node(term, &item)?));
            keyed.push((keys.collect::<Result<Vec<_>, GivenUp>>()?, item));
        }
        let alike = |term| are_alike(keyed.iter().filter_map(move |(keys, _)| keys.get(term)));
        if !(0..terms.len()).all(alike) {
            return Err(GivenUp);
        }
        keyed.sort_by(|(a, _), (b, _)| {
            let pairs = a.iter().zip(b).zip(terms);
            pairs
                .map(|((a, b), (_, is_rising))| a.compare(b, *is_rising))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        Part::array(keyed.into_iter().map(|(_, item)| item).collect())
    }

    /// `$sort(list, function)`: the function says whether the first comes after the second. The halves are put in order
    /// and then together, as the reference implementation does it: what a function is asked is the same.
    pub(super) fn sorted_by(
        &mut self,
        list: &Part<'s>,
        callee: Callee,
        context: &Part<'s>,
    ) -> Answer<'s> {
        let items = list.items().ok_or(GivenUp)?;
        if items.len() < 2 || self.lambda(callee)?.parameters.len() != 2 {
            return Err(GivenUp);
        }
        let items: Vec<Part<'s>> = items.iter().collect();
        Part::array(self.merged(&items, callee, context)?)
    }

    fn merged(
        &mut self,
        items: &[Part<'s>],
        callee: Callee,
        context: &Part<'s>,
    ) -> Result<Vec<Part<'s>>, GivenUp> {
        if items.len() < 2 {
            return Ok(items.to_vec());
        }
        let (left, right) = items.split_at(items.len() / 2);
        let mut left = self.merged(left, callee, context)?.into_iter().peekable();
        let mut right = self.merged(right, callee, context)?.into_iter().peekable();
        let mut merged = Vec::with_capacity(items.len());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let is_after = match self.apply(callee, [a.clone(), b.clone()], context)? {
                Part::Bool(is_after) => is_after,
                _ => return Err(GivenUp),
            };
            merged.extend(if is_after { right.next() } else { left.next() });
        }
        merged.extend(left.chain(right));
        Ok(merged)
    }

    /// `list{name: value}`: an object, with a member for each name that an item has, evaluated over all items that have it.
    pub(super) fn grouped(
        &mut self,
        list: &'s Node,
        pairs: &'s [(Node, Node)],
        context: &Part<'s>,
    ) -> Answer<'s> {
        let list = self.node(list, context)?;
        if list.is_nothing() || pairs.len() > functions::NAMES_MAX {
            return Err(GivenUp);
        }
        let single = [list.clone()];
        let items = list.items().unwrap_or(Items::Made(&single));
        if items.len() == 0 {
            return Err(GivenUp);
        }
        let mut places = BTreeMap::new();
        let mut groups: Vec<(String, &'s Node, Vec<Part<'s>>)> = Vec::new();
        for item in items.iter() {
            if item.items().is_some() {
                return Err(GivenUp);
            }
            for (pair, (name, value)) in pairs.iter().enumerate() {
                let name = self.node(name, &item)?;
                let name = name.as_text().ok_or(GivenUp)?;
                self.steps.take_text(name.len())?;
                let (place, by) = *places
                    .entry(name.to_owned())
                    .or_insert((groups.len(), pair));
                if by != pair {
                    return Err(GivenUp);
                }
                match groups.get_mut(place) {
                    Some((_, _, members)) => members.push(item.clone()),
                    None => groups.push((name.to_owned(), value, vec![item.clone()])),
                }
            }
        }
        let mut made = Members::default();
        for (name, value, members) in groups {
            let value = self.node(value, &Part::sequence(members)?.unwrapped())?;
            made.put(name.into(), value);
        }
        Part::object(made.without_nothing())
    }
}
