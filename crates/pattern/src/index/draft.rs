//! Making an index.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::field::{self, FieldIndex};
use super::postings::{Postings, Target, number};
use super::{Branch, Check, Condition, Field, Index, Kind};
use crate::matcher::Matcher;
use crate::pattern::Pattern;

type Map<K, V> = HashMap<K, V, RandomState>;

/// Numbers for the names of fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    numbers: Map<Arc<str>, u32>,
}

impl Fields {
    fn number(&mut self, name: &Arc<str>) -> u32 {
        let next = number(self.numbers.len());
        match self.numbers.get(name) {
            Some(field) => *field,
            None => *self.numbers.entry(Arc::clone(name)).or_insert(next),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The names with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.numbers.iter().map(|(name, field)| (&**name, *field))
    }
}

impl Index {
    /// The index of `patterns`.
    pub(crate) fn new<'p>(
        patterns: impl Iterator<Item = &'p Pattern>,
        fields: &mut Fields,
    ) -> Self {
        let mut index = Self {
            conditions: Vec::new(),
            branches: Vec::new(),
            members: Vec::new(),
            fields: Vec::new(),
            places: Vec::new(),
            postings: Postings::default(),
            checks: Vec::new(),
            always: Vec::new(),
        };
        let crowds = index.add_branches(patterns, fields);
        index.add_fields();
        let company = index.company(&crowds);
        index.choose_ways(&company);
        index
    }

    /// Adds the branches and their conditions; gives for each condition how many branches have it.
    fn add_branches<'p>(
        &mut self,
        patterns: impl Iterator<Item = &'p Pattern>,
        fields: &mut Fields,
    ) -> Vec<u32> {
        let mut known: Map<(u32, Arc<[Matcher]>), u32> = Map::default();
        let mut crowds: Vec<u32> = Vec::new();
        for (pattern, at) in patterns.zip(0..) {
            for branch in &pattern.branches {
                for condition in branch {
                    let field = fields.number(&condition.path);
                    let key = (field, Arc::clone(&condition.matchers));
                    let member = *known.entry(key).or_insert_with(|| {
                        let matchers = Arc::clone(&condition.matchers);
                        self.conditions.push(Condition::new(field, matchers));
                        crowds.push(0);
                        number(self.conditions.len() - 1)
                    });
                    self.members.push(member);
                    if let Some(crowd) = place(&mut crowds, member) {
                        *crowd += 1;
                    }
                }
                self.branches.push(Branch {
                    pattern: at,
                    end: number(self.members.len()),
                });
            }
        }
        self.conditions.shrink_to_fit();
        self.branches.shrink_to_fit();
        self.members.shrink_to_fit();
        crowds
    }

    /// Makes the index of each field.
    fn add_fields(&mut self) {
        let mut drafts: Map<u32, field::Draft<'_>> = Map::default();
        for (condition, at) in self.conditions.iter().zip(0..) {
            let draft = drafts.entry(condition.field).or_default();
            if condition.kind != Kind::Indexed {
                continue;
            }
            for (matcher, which) in condition.matchers.iter().zip(0..) {
                draft.add(matcher, Target::Certain(at), || {
                    self.checks.push(Check {
                        condition: at,
                        matcher: which,
                    });
                    Target::Check(number(self.checks.len() - 1))
                });
            }
        }
        let last = drafts.keys().max().map_or(0, |field| field + 1);
        self.places = vec![0; usize::try_from(last).unwrap_or(0)];
        for (field, draft) in drafts {
            let index: FieldIndex = draft.finish(&mut self.postings);
            let loose = Vec::new();
            self.fields.push(Field { index, loose });
            if let Some(place) = place(&mut self.places, field) {
                *place = number(self.fields.len());
            }
        }
        self.checks.shrink_to_fit();
    }

    /// For each condition, how many branches have it or another that is found by the same keys, summed over its keys.
    fn company(&self, crowds: &[u32]) -> Vec<u64> {
        let crowd = |condition: u32| {
            let at = usize::try_from(condition).ok();
            u64::from(at.and_then(|at| crowds.get(at)).copied().unwrap_or(0))
        };
        let checked = |check: &u32| {
            let at = usize::try_from(*check).ok();
            at.and_then(|at| self.checks.get(at))
                .map(|check| check.condition)
        };
        let mut company = vec![0; self.conditions.len()];
        for posting in self.postings.all() {
            let certain = self.postings.certain(posting).iter().copied();
            let checks = self.postings.checks(posting).iter().filter_map(checked);
            let conditions = certain.chain(checks);
            let together: u64 = conditions.clone().map(crowd).sum();
            for condition in conditions {
                if let Some(company) = place(&mut company, condition) {
                    *company += together;
                }
            }
        }
        // Those that have no key are alone.
        for (company, crowd) in company.iter_mut().zip(crowds) {
            *company = (*company).max(u64::from(*crowd));
        }
        company
    }

    /// Chooses for each branch the condition that it is reached by.
    fn choose_ways(&mut self, company: &[u64]) {
        for branch in 0..number(self.branches.len()) {
            let cost = |member: &u32| {
                let condition = self.condition(*member)?;
                let company = company.get(usize::try_from(*member).ok()?)?;
                Some(condition.likely()? * company)
            };
            let members = self.members(branch).iter();
            let best = members
                .filter_map(|member| Some((cost(member)?, *member)))
                .min();
            match best.and_then(|(_, member)| place(&mut self.conditions, member)) {
                Some(condition) => condition.reached.push(branch),
                None => self.always.push(branch),
            }
        }
        for (condition, at) in self.conditions.iter_mut().zip(0..) {
            condition.reached.shrink_to_fit();
            let is_loose = condition.kind != Kind::Indexed && !condition.reached.is_empty();
            let field = self
                .places
                .get(usize::try_from(condition.field).unwrap_or(0));
            let field = field.and_then(|field| place(&mut self.fields, field.checked_sub(1)?));
            if let Some(field) = field.filter(|_| is_loose) {
                field.loose.push(at);
            }
        }
    }
}

impl Condition {
    fn new(field: u32, matchers: Arc<[Matcher]>) -> Self {
        let is_tried = |matcher: &Matcher| matches!(matcher, Matcher::AnythingBut(_));
        Self {
            field,
            kind: if matchers.contains(&Matcher::Present) {
                Kind::Present
            } else if matchers.iter().any(is_tried) {
                Kind::Tried
            } else {
                Kind::Indexed
            },
            may_be_absent: matchers.contains(&Matcher::Absent),
            matchers,
            reached: Vec::new(),
        }
    }

    /// How likely it is to hold, next to others; `None` when it may hold without any value.
    fn likely(&self) -> Option<u64> {
        if self.may_be_absent {
            return None;
        }
        self.matchers.iter().map(likely).max()
    }
}

/// How likely an event is to have a value that a matcher accepts, next to others: a rule of thumb.
fn likely(matcher: &Matcher) -> u64 {
    let by_length = |text: &str| 64 / (1 + u64::try_from(text.len().min(31)).unwrap_or(31));
    match matcher {
        Matcher::Text(_) | Matcher::Address(_) | Matcher::EqualsFolded(_) => 2,
        Matcher::Number { .. } | Matcher::Cidr(_) => 3,
        Matcher::Prefix(text) | Matcher::Suffix(text) => 3 + by_length(text),
        Matcher::PrefixFolded(text) | Matcher::SuffixFolded(text) => 3 + by_length(&text.text()),
        Matcher::Wildcard(wildcard) => {
            let longest = wildcard.pieces().iter().max_by_key(|piece| piece.len());
            4 + by_length(longest.map_or("", String::as_str))
        }
        Matcher::Bool(_) | Matcher::Null | Matcher::Numeric(_) => 30,
        Matcher::Present | Matcher::Absent | Matcher::AnythingBut(_) => 100,
    }
}

fn place<T>(all: &mut [T], at: u32) -> Option<&mut T> {
    all.get_mut(usize::try_from(at).ok()?)
}
