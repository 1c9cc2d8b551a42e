//! The items of arrays and the members of objects, given or made.

use super::part::Part;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// Members above which their places are written down.
const FEW: usize = 12;

/// The members of an object that was made, each name once.
#[derive(Debug, Default)]
pub(super) struct Members<'s> {
    pub(super) list: Vec<(Cow<'s, str>, Part<'s>)>,
    /// Where each name is in the list, when there are many.
    places: HashMap<Cow<'s, str>, usize>,
    pub(super) depth: usize,
}

/// The items of an array.
#[derive(Clone, Copy)]
pub(super) enum Items<'p, 's> {
    Given(&'s [Value]),
    Made(&'p [Part<'s>]),
}

/// The members of an object.
#[derive(Clone, Copy)]
pub(super) enum Fields<'p, 's> {
    Given(&'s Map<String, Value>),
    Made(&'p Members<'s>),
}

impl<'s> Members<'s> {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        match self.list.len() > FEW {
            true => self.places.get(name).copied(),
            false => self.list.iter().position(|(own, _)| *own == name),
        }
    }

    /// Sets a member; one that is there keeps its place.
    pub(super) fn put(&mut self, name: Cow<'s, str>, value: Part<'s>) {
        let place = self.position(&name);
        match place.and_then(|place| self.list.get_mut(place)) {
            Some((_, member)) => *member = value,
            None => {
                self.list.push((name, value));
                self.note_places();
            }
        }
    }

    fn note_places(&mut self) {
        let count = self.list.len();
        let noted = if count == FEW + 1 { 0 } else { count - 1 };
        if count > FEW {
            let new = self.list.iter().enumerate().skip(noted);
            self.places
                .extend(new.map(|(place, (name, _))| (name.clone(), place)));
        }
    }

    /// Leaves out the members without a value.
    pub(super) fn without_nothing(self) -> Self {
        match self.list.iter().any(|(_, value)| value.is_nothing()) {
            false => self,
            true => {
                let mut kept = Members::default();
                let defined = self
                    .list
                    .into_iter()
                    .filter(|(_, value)| !value.is_nothing());
                defined.for_each(|(name, value)| kept.put(name, value));
                kept
            }
        }
    }
}

impl<'p, 's> Items<'p, 's> {
    pub(super) fn len(self) -> usize {
        match self {
            Items::Given(items) => items.len(),
            Items::Made(items) => items.len(),
        }
    }

    pub(super) fn item(self, index: usize) -> Option<Part<'s>> {
        match self {
            Items::Given(items) => items.get(index).map(Part::Given),
            Items::Made(items) => items.get(index).cloned(),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Part<'s>> + use<'p, 's> {
        (0..self.len()).filter_map(move |index| self.item(index))
    }
}

impl<'p, 's> Fields<'p, 's> {
    pub(super) fn len(self) -> usize {
        match self {
            Fields::Given(members) => members.len(),
            Fields::Made(members) => members.len(),
        }
    }

    pub(super) fn field(self, name: &str) -> Option<Part<'s>> {
        match self {
            Fields::Given(members) => members.get(name).map(Part::Given),
            Fields::Made(members) => members
                .position(name)
                .and_then(|place| members.list.get(place))
                .map(|(_, value)| value.clone()),
        }
    }

    /// The members, with names that another object can have.
    pub(super) fn entries(self) -> impl Iterator<Item = (Cow<'s, str>, Part<'s>)>
    where
        's: 'p,
    {
        let (given, made) = match self {
            Fields::Given(members) => (Some(members), None),
            Fields::Made(members) => (None, Some(&members.list)),
        };
        let given = given.into_iter().flatten();
        given
            .map(|(name, value)| (Cow::Borrowed(name.as_str()), Part::Given(value)))
            .chain(made.into_iter().flatten().cloned())
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (&'p str, Part<'s>)>
    where
        's: 'p,
    {
        let (given, made) = match self {
            Fields::Given(members) => (Some(members), None),
            Fields::Made(members) => (None, Some(&members.list)),
        };
        let given = given.into_iter().flatten();
        let made = made.into_iter().flatten();
        given
            .map(|(name, value)| (name.as_str(), Part::Given(value)))
            .chain(made.map(|(name, value)| (&**name, value.clone())))
    }
}
