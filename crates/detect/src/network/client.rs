//! What is known of one client of the Resolver, and what the queries of a record add to it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use quell_model::DnsQuery;
use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, Seed};
use super::evidence::{Fed, Item, Judge, feed};
use super::facts::{Generated, PoolName, Rebinding, Rule, Rules, Tunnel};
use super::table::{Bounds, Mark, Moment, Table, Window, slot_of};
use super::words::Place;
use super::{Fired, Names};

const DOMAINS: Bounds = Bounds {
    groups: 64,
    things: 4_000,
};
const NAMES: Bounds = Bounds {
    groups: 64,
    things: 500,
};
/// What one query is enough for is said once a day.
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// A finding quotes no more of a name.
const NAME_CHARS_MAX: usize = 80;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Client {
    #[serde(skip_serializing_if = "Table::is_empty")]
    tunnels: Table<Distinct<u64>>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    generated: Table<Distinct<u64>>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    pools: Table<Distinct<u8>>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    rebindings: Table<Distinct<u8>>,
}

struct Look<'a> {
    queries: &'a [(u32, DnsQuery<'static>)],
    place: &'a Place,
    mark: Mark,
    seed: Seed,
    names: &'a Names,
}

impl Client {
    pub(super) fn step(
        &mut self,
        rules: &Rules,
        place: &Place,
        queries: &[(u32, DnsQuery<'static>)],
        (mark, seed, names): (Mark, Seed, &Names),
    ) -> Vec<Fired> {
        let mut step = Vec::new();
        let look = Look {
            queries,
            place,
            mark,
            seed,
            names,
        };
        if let Some(rule) = &rules.tunnel {
            look.tunnel(rule, &mut self.tunnels, &mut step);
        }
        if let Some(rule) = &rules.generated {
            look.generated(rule, &mut self.generated, &mut step);
        }
        if let Some(rule) = &rules.pool_name {
            look.pool(rule, &mut self.pools, &mut step);
        }
        if let Some(rule) = &rules.rebinding {
            look.rebinding(rule, &mut self.rebindings, &mut step);
        }
        step
    }

    pub(super) fn size(&self) -> usize {
        let names = self.pools.size() + self.rebindings.size();
        self.tunnels.size() + self.generated.size() + names
    }

    pub(super) fn marks(&self) -> impl Iterator<Item = Mark> {
        (self.tunnels.marks())
            .chain(self.generated.marks())
            .chain(self.pools.marks())
            .chain(self.rebindings.marks())
    }
}

impl Look<'_> {
    fn item<K, T>(
        &self,
        query: &(u32, DnsQuery<'static>),
        key: K,
        thing: T,
        window: i64,
    ) -> Item<K, T> {
        let seconds = query.1.time.seconds();
        Item {
            key,
            slot: slot_of(seconds, window),
            thing,
            at: Moment {
                first: seconds,
                last: seconds,
                mark: self.mark,
            },
            line: query.0,
        }
    }

    /// Many long names below one domain.
    fn tunnel(&self, rule: &Rule<Tunnel>, table: &mut Table<Distinct<u64>>, step: &mut Vec<Fired>) {
        let facts = &rule.facts;
        let window = facts.window_minutes * 60;
        let items = self.queries.iter().filter_map(|query| {
            let name = &*query.1.name;
            let (below, domain) = domain(name);
            let is_long =
                below.len() >= facts.label_bytes_min && !is_below(name, &facts.except_domains);
            is_long.then(|| self.item(query, domain, self.seed.hash(below), window))
        });
        let items = items.collect();
        let fed = self.count(table, items, (window, facts.names), |domain| {
            (*domain).to_owned()
        });
        self.say(rule, fed, window, step, |domain, count| {
            format!(
                "{count} different long names below {} were asked for",
                quoted(domain)
            )
        });
    }

    /// Many domains that do not exist and are not made of words.
    fn generated(
        &self,
        rule: &Rule<Generated>,
        table: &mut Table<Distinct<u64>>,
        step: &mut Vec<Fired>,
    ) {
        let facts = &rule.facts;
        let window = facts.window_minutes * 60;
        let items = self.queries.iter().filter_map(|query| {
            let name = &*query.1.name;
            if query.1.answer_code != "NXDOMAIN" || is_below(name, &facts.except_domains) {
                return None;
            }
            let (_, domain) = domain(name);
            let label = domain.split('.').next().unwrap_or_default();
            let is_odd =
                label.len() >= facts.label_bytes_min && entropy(label) >= facts.entropy_min;
            is_odd.then(|| self.item(query, (), self.seed.hash(domain), window))
        });
        let items = items.collect();
        let fed = self.count(table, items, (window, facts.domains), |()| "*".to_owned());
        self.say(rule, fed, window, step, |(), count| {
            format!("{count} different domains were asked for that do not exist and are not made of words")
        });
    }

    /// A mining pool's name.
    fn pool(&self, rule: &Rule<PoolName>, table: &mut Table<Distinct<u8>>, step: &mut Vec<Fired>) {
        let items = self.queries.iter().filter_map(|query| {
            let found = listed(&query.1.name, &rule.facts.names)?;
            Some(self.item(query, found, 1u8, DAY_SECONDS))
        });
        let items = items.collect();
        let fed = self.count(table, items, (DAY_SECONDS, 1), |name| (*name).to_owned());
        self.say(rule, fed, DAY_SECONDS, step, |name, _| {
            format!("{} was asked for: a mining pool's name", quoted(name))
        });
    }

    /// Somebody else's name that is the address of the instance metadata service.
    fn rebinding(
        &self,
        rule: &Rule<Rebinding>,
        table: &mut Table<Distinct<u8>>,
        step: &mut Vec<Fired>,
    ) {
        let facts = &rule.facts;
        let items = self.queries.iter().filter_map(|query| {
            let name = &*query.1.name;
            let is_service = query
                .1
                .addresses
                .iter()
                .any(|address| facts.addresses.contains(address));
            let is_found = is_service && !is_below(name, &facts.except_domains);
            is_found.then(|| self.item(query, domain(name).1, 1u8, DAY_SECONDS))
        });
        let items = items.collect();
        let fed = self.count(table, items, (DAY_SECONDS, 1), |name| (*name).to_owned());
        self.say(rule, fed, DAY_SECONDS, step, |name, _| {
            format!(
                "a name below {} is the address of the instance metadata service",
                quoted(name)
            )
        });
    }

    /// Feeds what is fired by a number of different things.
    fn count<K: Ord + Copy, T: Ord + Copy + std::hash::Hash>(
        &self,
        table: &mut Table<Distinct<T>>,
        items: Vec<Item<K, T>>,
        (window_seconds, count): (i64, usize),
        name: impl Fn(&K) -> String,
    ) -> Fed<K, Distinct<T>> {
        let judge = Judge {
            window_seconds,
            bounds: if count == 1 { NAMES } else { DOMAINS },
            seed: self.seed,
            name: &name,
            may: &|things| things >= count,
            fires: &|_, things: &Distinct<T>| things.count() >= count,
        };
        feed(table, items, &judge, |things, items| {
            items
                .iter()
                .for_each(|item| things.insert(item.thing, self.seed));
        })
    }

    fn say<K: KeyName, T: Ord + Copy + std::hash::Hash, F>(
        &self,
        rule: &Rule<F>,
        fed: Fed<K, Distinct<T>>,
        window_seconds: i64,
        step: &mut Vec<Fired>,
        words: impl Fn(&K, usize) -> String,
    ) {
        let source = self.queries.first().map(|(_, query)| query.source);
        for (key, window) in &fed {
            let window: &Window<Distinct<T>> = window;
            let other = source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            step.push(Fired::new(
                &rule.about,
                self.place.resource(),
                (key.name(), window, window_seconds),
                (other, words(key, window.value.count())),
                self.names,
            ));
        }
    }
}

/// What a group is called in a finding's id.
trait KeyName {
    fn name(&self) -> String;
}

impl KeyName for &str {
    fn name(&self) -> String {
        (*self).to_owned()
    }
}

impl KeyName for () {
    fn name(&self) -> String {
        "*".to_owned()
    }
}

/// Second labels under which countries hand out names.
const SECOND: [&str; 10] = [
    "co", "com", "net", "org", "gov", "edu", "ac", "go", "ne", "or",
];

/// What stands before the domain that somebody registered, and that domain. A list of all suffixes would be better and is large; countries'
/// usual second labels are known.
fn domain(name: &str) -> (&str, &str) {
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), second) = (dots.next(), dots.next()) else {
        return ("", name);
    };
    let from = |dot: Option<usize>| dot.map_or(0, |dot| dot + 1);
    let country = name.len() - last - 1 == 2;
    let label = name.get(from(second)..last).unwrap_or_default();
    let begin = match (country && SECOND.contains(&label), second) {
        (true, Some(_)) => from(dots.next()),
        (_, second) => from(second),
    };
    let below = name.get(..begin.saturating_sub(1)).unwrap_or_default();
    (below, name.get(begin..).unwrap_or(name))
}

/// The name on the list that this is, or is below.
fn listed<'a>(name: &str, list: &'a BTreeSet<String>) -> Option<&'a str> {
    let mut rest = name;
    loop {
        if let Some(found) = list.get(rest) {
            return Some(found);
        }
        rest = rest.split_once('.')?.1;
    }
}

fn is_below(name: &str, list: &BTreeSet<String>) -> bool {
    listed(name, list).is_some()
}

/// Bits for each letter.
#[expect(clippy::cast_precision_loss, reason = "a label has at most 63 letters")]
fn entropy(label: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    for byte in label.bytes() {
        *counts.entry(byte).or_insert(0u32) += 1;
    }
    let length = label.len().max(1) as f64;
    let part = |count: &u32| f64::from(*count) / length;
    counts.values().map(part).map(|p| -p * p.log2()).sum()
}

/// A name, cut and escaped: whoever is asked about can have chosen it.
fn quoted(name: &str) -> String {
    let cut: String = name.escape_debug().take(NAME_CHARS_MAX).collect();
    format!("«{cut}»")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_somebody_registered() {
        for (name, below, found) in [
            ("example.com", "", "example.com"),
            ("a.b.example.com", "a.b", "example.com"),
            ("a.example.co.uk", "a", "example.co.uk"),
            ("example.co.uk", "", "example.co.uk"),
            ("co.uk", "", "co.uk"),
            ("localhost", "", "localhost"),
            ("", "", ""),
            ("..", "", "."),
        ] {
            assert_eq!(domain(name), (below, found), "{name}");
        }
        let list = BTreeSet::from(["pool.example".to_owned()]);
        assert_eq!(listed("eu.pool.example", &list), Some("pool.example"));
        assert_eq!(listed("carpool.example", &list), None);
    }

    #[test]
    fn letters_at_random_have_more_in_them_than_words() {
        assert!(entropy("qx7kd93mzp2vw") > 3.3);
        assert!(entropy("aaaaaaaaaa") < 0.1);
        assert!(entropy("google") < 2.0);
    }
}
