//! What findings say: which, how many, since when. Bounded, and nothing in it that was not read as a number, an address or a name.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::hash::Hash;

use quell_model::{Arn, Flow, Resource};

use super::distinct::Distinct;
use super::side::{TCP, UDP};

/// So many things are named.
const NAMED_MAX: usize = 12;

/// Where something was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) interface: Option<String>,
    pub(super) instance: Option<String>,
}

impl Place {
    /// What a flow says of its place is taken in, as far as it was not known.
    pub(super) fn learn(&mut self, flow: &Flow<'_>) {
        let take = |known: &mut Option<String>, said: Option<&str>| {
            if known.is_none() {
                *known = said.map(str::to_owned);
            }
        };
        take(&mut self.interface, flow.interface);
        take(&mut self.instance, flow.instance);
        if self.region.is_empty() {
            self.region = flow.region.unwrap_or_default().to_owned();
        }
    }

    /// What a finding is about: the instance, else the interface, else the account.
    pub(super) fn resource(&self) -> Resource {
        let (service, kind, path, id) = match (self.instance.as_deref(), self.interface.as_deref())
        {
            (Some(id), _) => ("ec2", "AWS::EC2::Instance", "instance/", id),
            (None, Some(id)) if id.starts_with("tgw-attach-") => (
                "ec2",
                "AWS::EC2::TransitGatewayAttachment",
                "transit-gateway-attachment/",
                id,
            ),
            (None, Some(id)) => (
                "ec2",
                "AWS::EC2::NetworkInterface",
                "network-interface/",
                id,
            ),
            (None, None) => ("iam", "AWS::::Account", "", "root"),
        };
        let is_account = service == "iam";
        let arn = Arn {
            partition: partition(&self.region).to_owned(),
            service: service.to_owned(),
            region: if is_account {
                String::new()
            } else {
                self.region.clone()
            },
            account: self.account.clone(),
            resource: format!("{path}{id}"),
        };
        Resource::new(arn, kind.to_owned(), id.to_owned())
    }
}

fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Some of the things, the least first.
pub(super) fn things<T: Ord + Hash + Clone + Display>(of: &Distinct<T>) -> String {
    let Some(things) = of.things() else {
        return "too many to name".to_owned();
    };
    let named: Vec<String> = things.iter().take(NAMED_MAX).map(T::to_string).collect();
    let more = things.len().saturating_sub(named.len());
    match more {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Some of the ports.
pub(super) fn ports(of: &Distinct<u16>) -> String {
    things(of)
}

/// `TCP port 22`.
pub(super) fn service(protocol: u8, port: u16) -> String {
    match protocol {
        TCP => format!("TCP port {port}"),
        UDP => format!("UDP port {port}"),
        1 | 58 => "ICMP".to_owned(),
        other => format!("protocol {other}"),
    }
}

/// `1.5 GB`, in powers of a thousand.
#[expect(
    clippy::cast_precision_loss,
    reason = "one digit behind the point is shown"
)]
pub(super) fn bytes(count: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut amount = count as f64;
    let mut unit = units.iter();
    let mut name = unit.next();
    while amount >= 1000.0 {
        amount /= 1000.0;
        name = unit.next();
    }
    format!("{amount:.1} {}", name.unwrap_or(&"EB"))
}

/// How even some moments are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    pub(super) count: usize,
    /// The mean interval.
    pub(super) interval_seconds: i64,
    /// The intervals' standard deviation, as a part of their mean.
    pub(super) variation: f64,
}

/// The rhythm of moments, in seconds. The longest tenth of the intervals is left out: a host sleeps, a log is late.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "seconds within some days"
)]
pub(super) fn rhythm(moments: &BTreeSet<i64>) -> Option<Rhythm> {
    let later = moments.iter().skip(1);
    let mut intervals: Vec<i64> = later.zip(moments).map(|(b, a)| b - a).collect();
    intervals.sort_unstable();
    intervals.truncate(intervals.len() - intervals.len() / 10);
    let count = intervals.len() as f64;
    let mean = intervals.iter().sum::<i64>() as f64 / count;
    if intervals.is_empty() || mean <= 0.0 {
        return None;
    }
    let square = |interval: &i64| (*interval as f64 - mean).powi(2);
    let variance = intervals.iter().map(square).sum::<f64>() / count;
    Some(Rhythm {
        count: moments.len(),
        interval_seconds: mean.round() as i64,
        variation: variance.sqrt() / mean,
    })
}
