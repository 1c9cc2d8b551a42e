//! The detections as they are written: what people know of them, and from when on they fire.

use std::collections::BTreeSet;

use quell_model::{Diagnostic, Severity};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::distinct::EXACT_MAX;
use crate::content::{DetectionFile, playbook, unknown_keys};

/// A detection, as a finding needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkDetection {
    /// Its path under `content/detections`, without `.yml`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// The playbook that is about it, if there is one.
    pub playbook: Option<String>,
    /// Somebody outside can make it fire at will.
    pub outsider: bool,
}

/// A detection with its thresholds.
#[derive(Clone, Debug)]
pub(super) struct Rule<F> {
    pub(super) about: NetworkDetection,
    pub(super) facts: F,
}

/// The rules that there are: each detector has at most one.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) port_scan: Option<Rule<Scan>>,
    pub(super) port_scan_inside: Option<Rule<Scan>>,
    pub(super) port_scan_outside: Option<Rule<Scan>>,
    pub(super) port_sweep: Option<Rule<Sweep>>,
    pub(super) port_sweep_outside: Option<Rule<Sweep>>,
    pub(super) beacon: Option<Rule<Beacon>>,
    pub(super) volume: Option<Rule<Volume>>,
    pub(super) pool_port: Option<Rule<PoolPort>>,
    pub(super) pool_name: Option<Rule<PoolName>>,
    pub(super) tunnel: Option<Rule<Tunnel>>,
    pub(super) generated: Option<Rule<Generated>>,
    pub(super) rebinding: Option<Rule<Rebinding>>,
}

/// One source, one target, many ports.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Scan {
    pub(super) window_minutes: i64,
    /// From so many different ports on.
    pub(super) ports: usize,
    /// A flow of more packets is no knock.
    pub(super) packets_max: u64,
}

/// One source, one port, many targets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Sweep {
    pub(super) window_minutes: i64,
    /// From so many different targets on.
    pub(super) targets: usize,
    pub(super) packets_max: u64,
    /// Ports on which it is usual to talk to many hosts outside.
    #[serde(default)]
    pub(super) except_ports: BTreeSet<u16>,
}

/// Connections to one place outside, at even intervals.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Beacon {
    pub(super) window_minutes: i64,
    /// From so many connections on.
    pub(super) connections: usize,
    /// The intervals' standard deviation is at most this part of their mean.
    pub(super) variation_max: f64,
    /// Faster is not slow, and slower is not seen often enough.
    pub(super) interval_seconds_min: i64,
    #[serde(default)]
    pub(super) except_ports: BTreeSet<u16>,
}

/// Many bytes out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Volume {
    pub(super) window_minutes: i64,
    /// So many to one address are too many, whatever was before.
    pub(super) bytes: u64,
    /// Fewer than these to all addresses are never too many.
    pub(super) history_bytes_min: u64,
    /// So many times the most that any earlier window had.
    pub(super) history_factor: u64,
    /// With fewer earlier hours than these nothing is said of history.
    pub(super) history_hours_min: usize,
}

/// A lasting connection to a port that mining pools have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PoolPort {
    pub(super) window_minutes: i64,
    /// Traffic in so many different stretches of five minutes.
    pub(super) intervals: usize,
    pub(super) ports: BTreeSet<u16>,
}

/// A query for a mining pool's name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PoolName {
    /// The names, and all below them.
    pub(super) names: BTreeSet<String>,
}

/// Many long names below one domain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Tunnel {
    pub(super) window_minutes: i64,
    /// From so many different names on.
    pub(super) names: usize,
    /// What stands before the domain has at least so many bytes.
    pub(super) label_bytes_min: usize,
    #[serde(default)]
    pub(super) except_domains: BTreeSet<String>,
}

/// Many domains that do not exist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Generated {
    pub(super) window_minutes: i64,
    /// From so many different domains on.
    pub(super) domains: usize,
    /// Shorter ones are typing mistakes.
    pub(super) label_bytes_min: usize,
    /// Bits for each letter: below it, a domain is made of words.
    pub(super) entropy_min: f64,
    #[serde(default)]
    pub(super) except_domains: BTreeSet<String>,
}

/// A name of somebody else's that is the address of the instance metadata service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Rebinding {
    pub(super) addresses: BTreeSet<std::net::IpAddr>,
    #[serde(default)]
    pub(super) except_domains: BTreeSet<String>,
}

/// What can be wrong with thresholds.
trait Facts: DeserializeOwned {
    /// The window, in minutes, and the number from which on it fires, where there are such.
    fn bounds(&self) -> (Option<i64>, Option<usize>);
}

macro_rules! facts {
    ($($kind:ident: $window:expr, $count:expr;)*) => {
        $(impl Facts for $kind {
            fn bounds(&self) -> (Option<i64>, Option<usize>) {
                let (window, count): (fn(&Self) -> Option<i64>, fn(&Self) -> Option<usize>) = ($window, $count);
                (window(self), count(self))
            }
        })*
    };
}

facts! {
    Scan: |f| Some(f.window_minutes), |f| Some(f.ports);
    Sweep: |f| Some(f.window_minutes), |f| Some(f.targets);
    Beacon: |f| Some(f.window_minutes), |f| Some(f.connections);
    Volume: |f| Some(f.window_minutes), |_| None;
    PoolPort: |f| Some(f.window_minutes), |f| Some(f.intervals);
    PoolName: |_| None, |_| None;
    Tunnel: |f| Some(f.window_minutes), |f| Some(f.names);
    Generated: |f| Some(f.window_minutes), |f| Some(f.domains);
    Rebinding: |_| None, |_| None;
}

/// Windows are within what lateness and memory are made for.
const WINDOW_MINUTES: std::ops::RangeInclusive<i64> = 4..=24 * 60;

const KEYS: &[&str] = &[
    "title",
    "detector",
    "description",
    "references",
    "falsepositives",
    "level",
    "tags",
    "playbook",
    "outsider",
    "thresholds",
];

const DETECTORS: &[&str] = &[
    "port-scan",
    "port-scan-inside",
    "port-scan-outside",
    "port-sweep",
    "port-sweep-outside",
    "beacon",
    "volume",
    "pool-port",
    "pool-name",
    "dns-tunnel",
    "dns-generated",
    "dns-rebinding",
];

/// The file of a detection.
#[derive(Deserialize)]
struct File {
    title: String,
    detector: String,
    level: String,
    description: String,
    falsepositives: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    playbook: Option<String>,
    #[serde(default)]
    outsider: bool,
    thresholds: yaml_serde::Value,
}

impl Rules {
    /// Takes in the rule of a file.
    pub(super) fn add(&mut self, id: &str, file: &DetectionFile) -> Result<(), Vec<Diagnostic>> {
        let fault = |message: String| vec![Diagnostic::new(&file.path, message)];
        let value: yaml_serde::Value =
            yaml_serde::from_str(&file.text).map_err(|e| fault(e.to_string()))?;
        let keys = value.as_mapping().into_iter().flat_map(|map| map.keys());
        let keys: Vec<&str> = keys.filter_map(|key| key.as_str()).collect();
        let faults = unknown_keys(file, keys.into_iter(), KEYS);
        if !faults.is_empty() {
            return Err(faults);
        }
        let written: File = yaml_serde::from_value(value).map_err(|e| fault(e.to_string()))?;
        let about = about(id, file, &written)?;
        let thresholds = written.thresholds;
        match written.detector.as_str() {
            "port-scan" => put(&mut self.port_scan, about, thresholds, file),
            "port-scan-inside" => put(&mut self.port_scan_inside, about, thresholds, file),
            "port-scan-outside" => put(&mut self.port_scan_outside, about, thresholds, file),
            "port-sweep" => put(&mut self.port_sweep, about, thresholds, file),
            "port-sweep-outside" => put(&mut self.port_sweep_outside, about, thresholds, file),
            "beacon" => put(&mut self.beacon, about, thresholds, file),
            "volume" => put(&mut self.volume, about, thresholds, file),
            "pool-port" => put(&mut self.pool_port, about, thresholds, file),
            "pool-name" => put(&mut self.pool_name, about, thresholds, file),
            "dns-tunnel" => put(&mut self.tunnel, about, thresholds, file),
            "dns-generated" => put(&mut self.generated, about, thresholds, file),
            "dns-rebinding" => put(&mut self.rebinding, about, thresholds, file),
            other => Err(vec![
                Diagnostic::new(&file.path, format!("there is no detector «{other}»"))
                    .at("/detector")
                    .help(format!("detectors: {}", DETECTORS.join(", "))),
            ]),
        }
    }

    /// How long the windows are.
    pub(super) fn windows(&self) -> Vec<Option<i64>> {
        fn of<F: Facts>(rule: &Option<Rule<F>>) -> Option<i64> {
            rule.as_ref()?.facts.bounds().0
        }
        vec![
            of(&self.port_scan),
            of(&self.port_scan_inside),
            of(&self.port_scan_outside),
            of(&self.port_sweep),
            of(&self.port_sweep_outside),
            of(&self.beacon),
            of(&self.volume),
            of(&self.pool_port),
            of(&self.tunnel),
            of(&self.generated),
        ]
    }

    /// What the rules are about, in order of their ids.
    pub(super) fn about(&self) -> Vec<&NetworkDetection> {
        fn of<F>(rule: &Option<Rule<F>>) -> Option<&NetworkDetection> {
            rule.as_ref().map(|rule| &rule.about)
        }
        let mut all: Vec<_> = [
            of(&self.port_scan),
            of(&self.port_scan_inside),
            of(&self.port_scan_outside),
            of(&self.port_sweep),
            of(&self.port_sweep_outside),
            of(&self.beacon),
            of(&self.volume),
            of(&self.pool_port),
            of(&self.pool_name),
            of(&self.tunnel),
            of(&self.generated),
            of(&self.rebinding),
        ]
        .into_iter()
        .flatten()
        .collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }
}

fn about(
    id: &str,
    file: &DetectionFile,
    written: &File,
) -> Result<NetworkDetection, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let severity = Severity::ALL
        .into_iter()
        .find(|s| s.as_str() == written.level);
    if severity.is_none() {
        faults.push(
            Diagnostic::new(&file.path, format!("«{}» is not a level", written.level))
                .at("/level")
                .help("levels: informational, low, medium, high, critical"),
        );
    }
    if written.title.is_empty()
        || written.description.is_empty()
        || written.falsepositives.is_empty()
    {
        faults.push(Diagnostic::new(
            &file.path,
            "a title, a description and false positives are wanted",
        ));
    }
    if written.outsider && severity.is_some_and(|severity| severity > Severity::Low) {
        faults.push(
            Diagnostic::new(&file.path, "what anybody outside can cause is noise")
                .at("/level")
                .help("informational or low"),
        );
    }
    let playbook = playbook(file, written.playbook.as_deref()).map_err(|fault| faults.push(fault));
    let attack = written
        .tags
        .iter()
        .filter_map(|tag| tag.strip_prefix("attack.t"));
    let attack = attack.map(|number| format!("T{number}"));
    match (severity, playbook) {
        (Some(severity), Ok(playbook)) if faults.is_empty() => Ok(NetworkDetection {
            id: id.to_owned(),
            title: written.title.clone(),
            severity,
            attack: attack.collect(),
            playbook,
            outsider: written.outsider,
        }),
        _ => Err(faults),
    }
}

fn put<F: Facts>(
    place: &mut Option<Rule<F>>,
    about: NetworkDetection,
    thresholds: yaml_serde::Value,
    file: &DetectionFile,
) -> Result<(), Vec<Diagnostic>> {
    let fault = |message: String| vec![Diagnostic::new(&file.path, message).at("/thresholds")];
    if let Some(other) = place {
        return Err(fault(format!(
            "«{}» is for this detector already",
            other.about.id
        )));
    }
    let facts: F = yaml_serde::from_value(thresholds).map_err(|e| fault(e.to_string()))?;
    let (window, count) = facts.bounds();
    if window.is_some_and(|window| !WINDOW_MINUTES.contains(&window)) {
        return Err(fault("a window has 4 to 1440 minutes".to_owned()));
    }
    if count.is_some_and(|count| count == 0 || count > EXACT_MAX) {
        return Err(fault(format!(
            "a number from 1 to {EXACT_MAX} is wanted: so many are counted exactly"
        )));
    }
    *place = Some(Rule { about, facts });
    Ok(())
}
