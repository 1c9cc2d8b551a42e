//! What is known of an account as a whole: who outside goes through its addresses.

use std::net::IpAddr;

use quell_model::Flow;
use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, Seed};
use super::evidence::{Item, Judge, feed};
use super::facts::Rules;
use super::side::{self, Role};
use super::table::{Bounds, Mark, Moment, Table, slot_of};
use super::words::{self, Place};
use super::{Fired, Names};

/// Anybody in the world may get into this table, and does.
const SWEEPS: Bounds = Bounds {
    groups: 256,
    things: 8_000,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Outside {
    #[serde(skip_serializing_if = "Table::is_empty")]
    sweeps: Table<Distinct<IpAddr>>,
}

impl Outside {
    pub(super) fn step(
        &mut self,
        rules: &Rules,
        place: &Place,
        flows: &[(u32, Flow<'static>)],
        (mark, seed, names): (Mark, Seed, &Names),
    ) -> Vec<Fired> {
        let mut step = Vec::new();
        let Some(rule) = &rules.port_sweep_outside else {
            return step;
        };
        let window = rule.facts.window_minutes * 60;
        let knocks = flows.iter().filter(|(_, flow)| {
            side::role(flow, None) == Some(Role::Outside)
                && side::knocks(flow, rule.facts.packets_max)
                && !rule.facts.except_ports.contains(&flow.target_port)
        });
        let items = knocks.map(|(line, flow)| {
            let at = Moment {
                first: flow.start.seconds(),
                last: flow.end.seconds(),
                mark,
            };
            Item {
                key: (flow.source, flow.protocol, flow.target_port),
                slot: slot_of(at.first, window),
                thing: flow.target,
                at,
                line: *line,
            }
        });
        let judge = Judge {
            window_seconds: window,
            bounds: SWEEPS,
            seed,
            name: &|(source, protocol, port)| format!("{source}>{protocol}/{port}"),
            may: &|things| things >= rule.facts.targets,
            fires: &|_, targets: &Distinct<IpAddr>| targets.count() >= rule.facts.targets,
        };
        let fed = feed(
            &mut self.sweeps,
            items.collect(),
            &judge,
            |targets, items| {
                items
                    .iter()
                    .for_each(|item| targets.insert(item.thing, seed));
            },
        );
        for ((source, protocol, port), found) in &fed {
            let (count, named) = (found.value.count(), words::things(&found.value));
            let service = words::service(*protocol, *port);
            let text = format!("{source} knocked on {service} of {count} addresses: {named}");
            step.push(Fired::new(
                &rule.about,
                place.resource(),
                (format!("{source}>{protocol}/{port}"), found, window),
                (*source, text),
                names,
            ));
        }
        step
    }

    pub(super) fn size(&self) -> usize {
        self.sweeps.size()
    }

    pub(super) fn marks(&self) -> impl Iterator<Item = Mark> {
        self.sweeps.marks()
    }
}
