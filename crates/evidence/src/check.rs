//! Whether a copy of a log is what its checkpoints say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Checkpoint, Entry, Hash, Tree};

/// What is wrong with a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A line is no entry.
    NoEntry {
        /// Its number, from 1.
        line: u64,
        /// What it is instead.
        why: String,
    },
    /// There are fewer or more lines than were signed.
    Count {
        /// How many the checkpoint says.
        signed: u64,
        /// How many there are.
        found: u64,
    },
    /// The entries are not those that were signed.
    Root {
        /// The last number of entries that a checkpoint agreed with.
        agreed: u64,
        /// The number of entries of the checkpoint that does not.
        signed: u64,
    },
    /// A body that an entry names is not there.
    BodyMissing(Hash),
    /// A body is not what its name says.
    BodyChanged(String),
    /// A file that no entry names.
    BodyUnknown(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEntry { line, why } => write!(f, "line {line}: {why}"),
            Self::Count { signed, found } => {
                write!(f, "{signed} entries were signed and {found} are there")
            }
            Self::Root { agreed, signed } => write!(
                f,
                "an entry between {} and {signed} was changed, left out, put in or put elsewhere",
                agreed.saturating_add(1)
            ),
            Self::BodyMissing(hash) => write!(f, "the body {hash} is not there"),
            Self::BodyChanged(name) => write!(f, "the body «{name}» is not what its name says"),
            Self::BodyUnknown(name) => write!(f, "no entry names the body «{name}»"),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many entries were read.
    pub entries: u64,
    /// How many bodies were read.
    pub bodies: u64,
    /// How many checkpoints agreed.
    pub checkpoints: u64,
    /// What is wrong; the first [`Check::FAULTS_MAX`].
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A check under way: it is handed every line, then every body, and keeps neither.
#[derive(Debug)]
pub struct Check {
    tree: Tree,
    /// Roots that were signed, by size; two roots for one size are a fork.
    signed: BTreeMap<u64, BTreeSet<Hash>>,
    size: u64,
    agreed: u64,
    wanted: BTreeSet<Hash>,
    seen: BTreeSet<Hash>,
    report: Report,
}

impl Check {
    /// No more faults are listed: the first say enough.
    pub const FAULTS_MAX: usize = 100;

    /// A check against the newest checkpoint, and any others that are at hand: from earlier copies, or kept where nobody can change them.
    /// All of them were opened, so their signatures are known to be good.
    pub fn new(newest: &Checkpoint, others: &[Checkpoint]) -> Self {
        let mut signed: BTreeMap<u64, BTreeSet<Hash>> = BTreeMap::new();
        for checkpoint in others.iter().chain([newest]) {
            let roots = signed.entry(checkpoint.size).or_default();
            roots.insert(checkpoint.root);
        }
        let mut check = Self {
            tree: Tree::new(),
            signed,
            size: newest.size,
            agreed: 0,
            wanted: BTreeSet::new(),
            seen: BTreeSet::new(),
            report: Report::default(),
        };
        check.compare();
        check
    }

    /// Takes the next line, without its end.
    pub fn entry(&mut self, line: &[u8]) {
        self.tree.push(Hash::of_leaf(line));
        self.report.entries = self.tree.size();
        match Entry::read(line) {
            Ok(entry) => self.wanted.extend(entry.bodies.into_values()),
            Err(error) => self.fault(Fault::NoEntry {
                line: self.tree.size(),
                why: error.to_string(),
            }),
        }
        self.compare();
    }

    /// Compares with what was signed at this size.
    fn compare(&mut self) {
        let size = self.tree.size();
        let Some(roots) = self.signed.remove(&size) else {
            return;
        };
        let root = self.tree.root();
        if roots.iter().all(|signed| *signed == root) {
            self.report.checkpoints += 1;
            self.agreed = size;
        } else {
            let (agreed, signed) = (self.agreed, size);
            self.fault(Fault::Root { agreed, signed });
        }
    }

    /// Takes a body, by its file's name.
    pub fn body(&mut self, name: &str, bytes: &[u8]) {
        self.report.bodies += 1;
        let hash = Hash::of_bytes(bytes);
        if Hash::from_hex(name) != Some(hash) {
            self.fault(Fault::BodyChanged(name.chars().take(100).collect()));
        } else if !self.wanted.contains(&hash) {
            self.fault(Fault::BodyUnknown(name.to_owned()));
        }
        self.seen.insert(hash);
    }

    /// The bodies that the entries name and that were not handed in yet.
    pub fn missing(&self) -> impl Iterator<Item = &Hash> {
        self.wanted.difference(&self.seen)
    }

    /// After the last line and body.
    pub fn finish(mut self) -> Report {
        let missing: Vec<Hash> = self.missing().take(Self::FAULTS_MAX).copied().collect();
        for hash in missing {
            self.fault(Fault::BodyMissing(hash));
        }
        let (found, signed) = (self.tree.size(), self.size);
        if found != signed {
            self.fault(Fault::Count { signed, found });
        }
        // A checkpoint beyond the newest: this copy is older than something that was signed.
        if let Some((&beyond, _)) = self.signed.last_key_value().filter(|(at, _)| **at > signed) {
            self.fault(Fault::Count {
                signed: beyond,
                found,
            });
        }
        self.report
    }

    fn fault(&mut self, fault: Fault) {
        if self.report.faults.len() < Self::FAULTS_MAX {
            self.report.faults.push(fault);
        }
    }
}
