//! Sets of traffic: which protocols, on which ports, from where. Exact, and of one form, so that equal sets are equal.

use std::collections::BTreeSet;

use crate::addresses::AddressSet;

/// Where traffic comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Addresses of IPv4.
    pub v4: AddressSet,
    /// Addresses of IPv6.
    pub v6: AddressSet,
    /// Whatever is in these security groups.
    pub groups: BTreeSet<String>,
}

impl Sources {
    fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty() && self.groups.is_empty()
    }

    fn all_of<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let (mut v4, mut v6, mut groups) = (Vec::new(), Vec::new(), BTreeSet::new());
        for one in all {
            v4.extend_from_slice(one.v4.ranges());
            v6.extend_from_slice(one.v6.ranges());
            groups.extend(one.groups.iter().cloned());
        }
        Self {
            v4: AddressSet::of(v4),
            v6: AddressSet::of(v6),
            groups,
        }
    }

    fn union(&self, other: &Self) -> Self {
        Self::all_of([self, other].into_iter())
    }

    fn intersection(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.intersection(&other.v4),
            v6: self.v6.intersection(&other.v6),
            groups: self.groups.intersection(&other.groups).cloned().collect(),
        }
    }

    fn difference(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.difference(&other.v4),
            v6: self.v6.difference(&other.v6),
            groups: self.groups.difference(&other.groups).cloned().collect(),
        }
    }
}

/// Numbers from one to another, both included.
pub type Span = (u16, u16);

/// Protocol numbers end here.
pub const PROTOCOL_MAX: u16 = 255;
/// All ports. Of ICMP it is the type times 256 and the code; protocols without ports have them all.
pub const ALL_PORTS: Span = (0, u16::MAX);
/// All protocols.
pub const ALL_PROTOCOLS: Span = (0, PROTOCOL_MAX);

/// Some protocols, on some ports, from somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// IANA's numbers.
    pub protocols: Span,
    /// Ports.
    pub ports: Span,
    /// Where it comes from.
    pub sources: Sources,
}

/// A set of traffic: protocols in order, for each the ports in order, for each where it comes from. Neighbours that are alike are one,
/// and nothing in it is empty, so that two sets are equal when they hold the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic(Row<Row<Sources>>);

/// Spans in order that do not overlap, each with what holds there.
type Row<T> = Vec<(Span, T)>;

impl Traffic {
    /// All that any of the flows holds.
    pub fn of(flows: &[Flow]) -> Self {
        let flows: Vec<&Flow> = flows.iter().collect();
        Self(swept(
            &flows,
            |f| f.protocols,
            |there| {
                swept(
                    there,
                    |f| f.ports,
                    |there| Sources::all_of(there.iter().map(|f| &f.sources)),
                    Sources::is_empty,
                )
            },
            Vec::is_empty,
        ))
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.with(other, Sources::union)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.with(other, Sources::intersection)
    }

    /// What is in this and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.with(other, Sources::difference)
    }

    fn with(&self, other: &Self, of: fn(&Sources, &Sources) -> Sources) -> Self {
        let (no_ports, nowhere) = (Vec::new(), Sources::default());
        Self(overlaid(
            &self.0,
            &other.0,
            &no_ports,
            |a, b| overlaid(a, b, &nowhere, of, Sources::is_empty),
            Vec::is_empty,
        ))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is let in of a protocol on a port.
    #[cfg(test)]
    pub fn at(&self, protocol: u16, port: u16) -> Option<&Sources> {
        let ports = self
            .0
            .iter()
            .find(|((from, to), _)| (*from..=*to).contains(&protocol));
        let mut ports = ports?.1.iter();
        let found = ports.find(|((from, to), _)| (*from..=*to).contains(&port));
        found.map(|(_, sources)| sources)
    }

    /// What it is made of, in order, without overlaps.
    pub fn flows(&self) -> impl Iterator<Item = Flow> {
        self.0.iter().flat_map(|(protocols, ports)| {
            ports.iter().map(|(span, sources)| Flow {
                protocols: *protocols,
                ports: *span,
                sources: sources.clone(),
            })
        })
    }
}

/// The spans between which nothing changes: each begins where one of `spans` begins, or just after one ends.
fn cut(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let edges = spans.flat_map(|(from, to)| [u32::from(from), u32::from(to) + 1]);
    let edges: BTreeSet<u32> = edges.collect();
    let edges: Vec<u32> = edges.into_iter().collect();
    let between = edges.windows(2).filter_map(|pair| match pair {
        [from, next] => Some((u16::try_from(*from).ok()?, u16::try_from(next - 1).ok()?)),
        _ => None,
    });
    between.collect()
}

fn push<T: PartialEq>(row: &mut Row<T>, span: Span, value: T, is_empty: fn(&T) -> bool) {
    if is_empty(&value) {
        return;
    }
    match row.last_mut() {
        Some((last, same)) if last.1.checked_add(1) == Some(span.0) && *same == value => {
            last.1 = span.1;
        }
        _ => row.push((span, value)),
    }
}

/// What the flows that are there hold, span by span.
fn swept<T: PartialEq>(
    flows: &[&Flow],
    of: impl Fn(&Flow) -> Span,
    there: impl Fn(&[&Flow]) -> T,
    is_empty: fn(&T) -> bool,
) -> Row<T> {
    let mut row = Vec::new();
    for span in cut(flows.iter().map(|flow| of(flow))) {
        let holds = |flow: &&&Flow| {
            let (from, to) = of(flow);
            from <= span.0 && span.1 <= to
        };
        let found: Vec<&Flow> = flows.iter().filter(holds).copied().collect();
        push(&mut row, span, there(&found), is_empty);
    }
    row
}

/// Two rows laid over each other; `nothing` is what holds where a row has no span.
fn overlaid<T: PartialEq>(
    a: &Row<T>,
    b: &Row<T>,
    nothing: &T,
    of: impl Fn(&T, &T) -> T,
    is_empty: fn(&T) -> bool,
) -> Row<T> {
    let at = |row: &Row<T>, span: Span| {
        row.iter()
            .position(|(have, _)| have.0 <= span.0 && span.1 <= have.1)
    };
    let mut row = Vec::new();
    for span in cut(a.iter().chain(b).map(|(span, _)| *span)) {
        let value = |row: &'_ Row<T>| at(row, span);
        let (x, y) = (value(a), value(b));
        let x = x.and_then(|i| a.get(i)).map_or(nothing, |(_, v)| v);
        let y = y.and_then(|i| b.get(i)).map_or(nothing, |(_, v)| v);
        push(&mut row, span, of(x, y), is_empty);
    }
    row
}
