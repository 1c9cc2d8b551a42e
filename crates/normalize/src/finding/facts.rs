//! What a finding says beside what every finding has: for OCSF, whose classes want it.

/// By the class of OCSF that the finding is.
#[derive(Clone, Debug, PartialEq)]
pub enum Facts {
    /// Something happened.
    Detection(Box<Detection>),
    /// A rule is kept or broken.
    Compliance(Compliance),
    /// A weakness is there.
    Vulnerability(Vec<Vulnerability>),
}

impl Default for Facts {
    fn default() -> Self {
        Self::Detection(Box::default())
    }
}

/// What happened, as far as the product says it in fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detection {
    /// The product's type of finding.
    pub kind: String,
    /// The ATT&CK tactic, in words.
    pub tactic: Option<String>,
    /// The other side's address.
    pub remote_ip: Option<String>,
    /// The other side's port.
    pub remote_port: Option<u16>,
    /// Our side's port.
    pub local_port: Option<u16>,
    /// Whether the other side began.
    pub inbound: Option<bool>,
    /// The transport protocol's name.
    pub protocol: Option<String>,
    /// The name that was looked up.
    pub domain: Option<String>,
    /// The service whose API was called (`s3.amazonaws.com`).
    pub service: Option<String>,
    /// The operation that was called.
    pub operation: Option<String>,
    /// What an attack sequence is made of.
    pub signals: Vec<Signal>,
}

/// A part of an attack sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Its id.
    pub uid: String,
    /// `FINDING`, `CLOUD_TRAIL`, …
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A rule and whether it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compliance {
    /// The control or rule.
    pub control: String,
    /// The standards it belongs to.
    pub standards: Vec<String>,
    /// What the standards want.
    pub requirements: Vec<String>,
    /// Whether it is kept.
    pub status: ComplianceStatus,
    /// Why.
    pub detail: Option<String>,
}

/// Whether a rule is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComplianceStatus {
    /// It cannot be said.
    #[default]
    Unknown,
    /// It is kept.
    Pass,
    /// It may be broken.
    Warning,
    /// It is broken.
    Fail,
}

/// A weakness.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vulnerability {
    /// The CVE, or what its source calls it.
    pub cve: Option<String>,
    /// The CWE of a weakness in code.
    pub cwe: Option<String>,
    /// CVSS scores.
    pub cvss: Vec<Cvss>,
    /// The packages that have it.
    pub packages: Vec<Package>,
    /// Whether it can be mended.
    pub fix_available: Option<bool>,
    /// Whether it is known to be used.
    pub exploit_available: Option<bool>,
    /// Pages about it.
    pub references: Vec<String>,
    /// Who names it.
    pub vendor: Option<String>,
}

/// A CVSS score.
#[derive(Clone, Debug, PartialEq)]
pub struct Cvss {
    /// `3.1`.
    pub version: String,
    /// 0 to 10.
    pub score: f64,
    /// `CVSS:3.1/AV:N/…`.
    pub vector: Option<String>,
}

/// A package that has a weakness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The version that is there.
    pub version: String,
    /// The version that has no such weakness.
    pub fixed_in: Option<String>,
    /// The architecture it is built for.
    pub architecture: Option<String>,
}
