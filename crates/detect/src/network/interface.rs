//! What is known of one network interface, and what the flows of a record add to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use quell_model::{Flow, FlowAction};
use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, Seed};
use super::evidence::{Beats, Fed, Item, Judge, Sent, feed};
use super::facts::{Beacon, PoolPort, Rule, Rules, Scan, Sweep, Volume};
use super::side::{self, Role, TCP, UDP};
use super::table::{Bounds, Mark, Moment, Table, WINDOW_SLOTS, Window, oldest, slot_of};
use super::words::{self, Place};
use super::{Fired, Names};

/// Evidence of hosts is kept for so many pairs, ports and peers. With them a state is a few hundred KiB at the very most, and a few KiB as
/// a rule: a test measures it.
const SCANS: Bounds = Bounds {
    groups: 128,
    things: 6_000,
};
const SWEEPS: Bounds = Bounds {
    groups: 64,
    things: 4_000,
};
const BEACONS: Bounds = Bounds {
    groups: 64,
    things: 3_000,
};
const VOLUMES: Bounds = Bounds {
    groups: 64,
    things: 2_000,
};
const POOLS: Bounds = Bounds {
    groups: 32,
    things: 1_000,
};
/// A week of hours.
const HISTORY_MAX: usize = 168;
/// The group of all targets together.
const ALL: &str = "*";

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Interface {
    #[serde(skip_serializing_if = "Table::is_empty")]
    scans_own: Table<Distinct<u16>>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    scans_inside: Table<Distinct<u16>>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    scans_outside: Table<Distinct<u16>>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    sweeps: Table<Distinct<IpAddr>>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    beacons: Table<Beats>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    volumes: Table<Sent>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    volume: Table<Sent>,
    /// Bytes out, by closed windows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    history: BTreeMap<i64, u64>,
    #[serde(skip_serializing_if = "Table::is_empty")]
    pools: Table<Distinct<u32>>,
}

/// A flow with its part in things.
struct Seen<'a> {
    flow: &'a Flow<'a>,
    role: Role,
    asks: bool,
    at: Moment,
    line: u32,
}

type Pair = (IpAddr, IpAddr);
type Service = (u8, u16);

/// What all detectors of an interface are given.
struct Look<'a> {
    seen: Vec<Seen<'a>>,
    place: &'a Place,
    /// The interface's address, as far as it shows.
    own: IpAddr,
    mark: Mark,
    seed: Seed,
    names: &'a Names,
}

impl Interface {
    pub(super) fn step(
        &mut self,
        rules: &Rules,
        place: &Place,
        flows: &[(u32, Flow<'static>)],
        (mark, seed, names): (Mark, Seed, &Names),
    ) -> Vec<Fired> {
        let mut step = Vec::new();
        let own_address = side::own_address(flows.iter().map(|(_, flow)| flow));
        let seen = flows.iter().filter_map(|(line, flow)| {
            Some(Seen {
                flow,
                role: side::role(flow, own_address)?,
                asks: side::asks(flow),
                at: Moment {
                    first: flow.start.seconds(),
                    last: flow.end.seconds(),
                    mark,
                },
                line: *line,
            })
        });
        let seen: Vec<_> = seen.collect();
        let own = seen.iter().find(|seen| seen.role == Role::Own);
        let own = own.map(|seen| seen.flow.source).or(own_address);
        let look = Look {
            seen,
            place,
            own: own.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            mark,
            seed,
            names,
        };
        let scans = [
            (&rules.port_scan, &mut self.scans_own, Role::Own),
            (
                &rules.port_scan_inside,
                &mut self.scans_inside,
                Role::Inside,
            ),
            (
                &rules.port_scan_outside,
                &mut self.scans_outside,
                Role::Outside,
            ),
        ];
        for (rule, table, role) in scans {
            if let Some(rule) = rule {
                look.scan(rule, table, role, &mut step);
            }
        }
        if let Some(rule) = &rules.port_sweep {
            look.sweep(rule, &mut self.sweeps, &mut step);
        }
        if let Some(rule) = &rules.beacon {
            look.beacon(rule, &mut self.beacons, &mut step);
        }
        if let Some(rule) = &rules.volume {
            look.volume(rule, self, &mut step);
        }
        if let Some(rule) = &rules.pool_port {
            look.pool(rule, &mut self.pools, &mut step);
        }
        step
    }

    /// How many things are kept, roughly.
    pub(super) fn size(&self) -> usize {
        let ports = [&self.scans_own, &self.scans_inside, &self.scans_outside];
        let ports: usize = ports.into_iter().map(Table::size).sum();
        let sent = self.volumes.size() + self.volume.size() + self.history.len();
        ports + self.sweeps.size() + self.beacons.size() + sent + self.pools.size()
    }

    /// The records that a later finding may name.
    pub(super) fn marks(&self) -> impl Iterator<Item = Mark> {
        let ports = [&self.scans_own, &self.scans_inside, &self.scans_outside];
        (ports.into_iter().flat_map(Table::marks))
            .chain(self.sweeps.marks())
            .chain(self.beacons.marks())
            .chain(self.volumes.marks())
            .chain(self.volume.marks())
            .chain(self.pools.marks())
    }
}

impl Look<'_> {
    /// One source, one target, many ports.
    fn scan(
        &self,
        rule: &Rule<Scan>,
        table: &mut Table<Distinct<u16>>,
        role: Role,
        step: &mut Vec<Fired>,
    ) {
        let window = rule.facts.window_minutes * 60;
        let knocks = self.seen.iter().filter(|seen| {
            seen.role == role
                && [TCP, UDP].contains(&seen.flow.protocol)
                && side::knocks(seen.flow, rule.facts.packets_max)
        });
        let items = knocks.map(|seen| {
            let pair: Pair = (seen.flow.source, seen.flow.target);
            seen.item(pair, seen.flow.target_port, window)
        });
        let judge = Judge {
            window_seconds: window,
            bounds: SCANS,
            seed: self.seed,
            name: &|(source, target): &Pair| format!("{source}>{target}"),
            may: &|things| things >= rule.facts.ports,
            fires: &|_, ports: &Distinct<u16>| ports.count() >= rule.facts.ports,
        };
        let fed = feed(table, items.collect(), &judge, |ports, items| {
            items
                .iter()
                .for_each(|item| ports.insert(item.thing, self.seed));
        });
        self.say(rule, fed, window, step, |(source, target), window| {
            let ports = words::ports(&window.value);
            let count = window.value.count();
            (
                format!("{source}>{target}"),
                *source,
                format!("{source} knocked on {count} ports of {target}: {ports}"),
            )
        });
    }

    /// One source, one port, many targets.
    fn sweep(
        &self,
        rule: &Rule<Sweep>,
        table: &mut Table<Distinct<IpAddr>>,
        step: &mut Vec<Fired>,
    ) {
        let facts = &rule.facts;
        let window = facts.window_minutes * 60;
        let knocks = self.seen.iter().filter(|seen| {
            let flow = seen.flow;
            let is_usual = || {
                side::is_outside(flow.source, flow.target)
                    && facts.except_ports.contains(&flow.target_port)
            };
            seen.role != Role::Outside && side::knocks(flow, facts.packets_max) && !is_usual()
        });
        let items = knocks.map(|seen| {
            let flow = seen.flow;
            let key: (IpAddr, Service) = (flow.source, (flow.protocol, flow.target_port));
            seen.item(key, flow.target, window)
        });
        let judge = Judge {
            window_seconds: window,
            bounds: SWEEPS,
            seed: self.seed,
            name: &|(source, (protocol, port))| format!("{source}>{protocol}/{port}"),
            may: &|things| things >= facts.targets,
            fires: &|_, targets: &Distinct<IpAddr>| targets.count() >= facts.targets,
        };
        let fed = feed(table, items.collect(), &judge, |targets, items| {
            items
                .iter()
                .for_each(|item| targets.insert(item.thing, self.seed));
        });
        self.say(
            rule,
            fed,
            window,
            step,
            |(source, (protocol, port)), window| {
                let targets = words::things(&window.value);
                let count = window.value.count();
                let service = words::service(*protocol, *port);
                (
                    format!("{source}>{protocol}/{port}"),
                    *source,
                    format!("{source} knocked on {service} of {count} addresses: {targets}"),
                )
            },
        );
    }

    /// Even intervals between connections to one place outside.
    fn beacon(&self, rule: &Rule<Beacon>, table: &mut Table<Beats>, step: &mut Vec<Fired>) {
        let facts = &rule.facts;
        let window = facts.window_minutes * 60;
        let calls = self.out().filter(|seen| {
            let flow = seen.flow;
            [TCP, UDP].contains(&flow.protocol)
                && flow.target_service.is_none()
                && !facts.except_ports.contains(&flow.target_port)
                // A line without a SYN, where flags are logged, is of a connection that began before.
                && (flow.protocol != TCP || flow.tcp_flags.is_none_or(|flags| flags & 2 != 0))
        });
        let items = calls.map(|seen| {
            let flow = seen.flow;
            let key: (IpAddr, Service) = (flow.target, (flow.protocol, flow.target_port));
            seen.item(key, (flow.source_port, seen.at.first), window)
        });
        let rhythm = |beats: &Beats| words::rhythm(&beats.moments());
        let judge = Judge {
            window_seconds: window,
            bounds: BEACONS,
            seed: self.seed,
            name: &|(target, (protocol, port))| format!("{target}/{protocol}/{port}"),
            may: &|things| things >= facts.connections,
            fires: &|_, beats: &Beats| {
                rhythm(beats).is_some_and(|rhythm| {
                    rhythm.count >= facts.connections
                        && rhythm.variation <= facts.variation_max
                        && rhythm.interval_seconds >= facts.interval_seconds_min
                })
            },
        };
        let fed = feed(table, items.collect(), &judge, |beats, items| {
            (items.iter()).for_each(|item| beats.insert(item.thing.0, item.thing.1));
        });
        self.say(rule, fed, window, step, |(target, (protocol, port)), window| {
            let service = words::service(*protocol, *port);
            let rhythm = rhythm(&window.value);
            let (count, interval, variation) = rhythm.map_or((0, 0, 0.0), |r| {
                (r.count, r.interval_seconds, r.variation * 100.0)
            });
            let text = format!(
                "{count} connections to {service} of {target}, {interval} s apart, give or take {variation:.0} %"
            );
            (format!("{target}/{protocol}/{port}"), *target, text)
        });
    }

    /// Many bytes to one address outside, or more to all of them than ever before.
    fn volume(&self, rule: &Rule<Volume>, own: &mut Interface, step: &mut Vec<Fired>) {
        let facts = &rule.facts;
        let window = facts.window_minutes * 60;
        let out = || {
            self.out_any()
                .filter(|seen| seen.flow.action == FlowAction::Accept)
        };
        let items = out().map(|seen| seen.item(seen.flow.target, seen.flow.bytes, window));
        let bytes = |items: &[Item<IpAddr, u64>]| {
            items
                .iter()
                .fold(0u64, |sum, item| sum.saturating_add(item.thing))
        };
        let judge = Judge {
            window_seconds: window,
            bounds: VOLUMES,
            seed: self.seed,
            name: &|target: &IpAddr| target.to_string(),
            may: &|_| true,
            fires: &|_, sent: &Sent| sent.total() >= facts.bytes,
        };
        let fed = feed(
            &mut own.volumes,
            items.clone().collect(),
            &judge,
            |sent, items| {
                sent.insert(self.mark, bytes(items));
            },
        );
        self.say(rule, fed, window, step, |target, window| {
            let sent = words::bytes(window.value.total());
            (
                target.to_string(),
                *target,
                format!("{sent} went to {target}"),
            )
        });
        self.volume_of_all(rule, own, items, step);
    }

    /// More bytes than in any window before.
    fn volume_of_all(
        &self,
        rule: &Rule<Volume>,
        own: &mut Interface,
        items: impl Iterator<Item = Item<IpAddr, u64>>,
        step: &mut Vec<Fired>,
    ) {
        let facts = &rule.facts;
        let window = facts.window_minutes * 60;
        let all: Vec<_> = items.map(|item| item.keyed(())).collect();
        let newest = own
            .volume
            .newest_with(all.iter().map(|item| item.slot).max());
        // The slots that nothing can be added to any more become history.
        for (slot, sent) in own.volume.before(ALL, oldest(newest, window)) {
            let sum = own
                .history
                .entry(slot.div_euclid(WINDOW_SLOTS))
                .or_default();
            *sum = sum.saturating_add(sent.total());
        }
        while own.history.len() > HISTORY_MAX {
            own.history.pop_first();
        }
        let history = &own.history;
        let most_before = |end: i64| {
            // Of history, what was closed when this window was the newest: then the order of arrival plays no part.
            let closed = oldest(end, window).div_euclid(WINDOW_SLOTS);
            let windows: Vec<u64> = history.range(..closed).map(|(_, bytes)| *bytes).collect();
            (windows.len() >= facts.history_hours_min)
                .then(|| windows.into_iter().max().unwrap_or(0))
        };
        let judge = Judge {
            window_seconds: window,
            bounds: VOLUMES,
            seed: self.seed,
            name: &|()| ALL.to_owned(),
            may: &|_| true,
            fires: &|end, sent: &Sent| {
                let most =
                    || most_before(end).map(|most| most.saturating_mul(facts.history_factor));
                sent.total() >= facts.history_bytes_min
                    && most().is_some_and(|most| sent.total() >= most)
            },
        };
        let fed = feed(&mut own.volume, all, &judge, |sent, items| {
            sent.insert(
                self.mark,
                items
                    .iter()
                    .fold(0, |sum: u64, item| sum.saturating_add(item.thing)),
            );
        });
        self.say(rule, fed, window, step, |(), window| {
            let sent = words::bytes(window.value.total());
            let times = facts.history_factor;
            let text =
                format!("{sent} went out, at least {times} times as much as in any window before");
            (ALL.to_owned(), self.own, text)
        });
    }

    /// Traffic that lasts, to a port that mining pools have.
    fn pool(&self, rule: &Rule<PoolPort>, table: &mut Table<Distinct<u32>>, step: &mut Vec<Fired>) {
        let facts = &rule.facts;
        let window = facts.window_minutes * 60;
        let calls = self.out().filter(|seen| {
            seen.flow.protocol == TCP
                && seen.flow.action == FlowAction::Accept
                && facts.ports.contains(&seen.flow.target_port)
        });
        let items = calls.map(|seen| {
            let five_minutes = u32::try_from(seen.at.first.div_euclid(300)).unwrap_or(0);
            seen.item(
                (seen.flow.target, seen.flow.target_port),
                five_minutes,
                window,
            )
        });
        let judge = Judge {
            window_seconds: window,
            bounds: POOLS,
            seed: self.seed,
            name: &|(target, port)| format!("{target}/{port}"),
            may: &|things| things >= facts.intervals,
            fires: &|_, intervals: &Distinct<u32>| intervals.count() >= facts.intervals,
        };
        let fed = feed(table, items.collect(), &judge, |intervals, items| {
            (items.iter()).for_each(|item| intervals.insert(item.thing, self.seed));
        });
        self.say(rule, fed, window, step, |(target, port), window| {
            let count = window.value.count();
            let text = format!(
                "traffic to {target} on port {port}, where mining pools listen, in {count} stretches of five minutes"
            );
            (format!("{target}/{port}"), *target, text)
        });
    }

    /// What the interface asks of places outside, and was let through.
    fn out(&self) -> impl Iterator<Item = &Seen<'_>> + Clone {
        self.out_any()
            .filter(|seen| seen.asks && seen.flow.action == FlowAction::Accept)
    }

    /// What it sends outside.
    fn out_any(&self) -> impl Iterator<Item = &Seen<'_>> + Clone {
        let own = self.seen.iter().filter(|seen| seen.role == Role::Own);
        own.filter(|seen| side::is_outside(seen.flow.source, seen.flow.target))
    }

    /// Makes what fired into words.
    fn say<K, V, F>(
        &self,
        rule: &Rule<F>,
        fed: Fed<K, V>,
        window_seconds: i64,
        step: &mut Vec<Fired>,
        words: impl Fn(&K, &Window<V>) -> (String, IpAddr, String),
    ) {
        for (key, window) in &fed {
            let (group, other, text) = words(key, window);
            step.push(Fired::new(
                &rule.about,
                self.place.resource(),
                (group, window, window_seconds),
                (other, text),
                self.names,
            ));
        }
    }
}

impl Seen<'_> {
    fn item<K, T>(&self, key: K, thing: T, window_seconds: i64) -> Item<K, T> {
        Item {
            key,
            slot: slot_of(self.at.first, window_seconds),
            thing,
            at: self.at,
            line: self.line,
        }
    }
}
