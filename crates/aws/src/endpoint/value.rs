//! The values that the rules compute with.

use std::sync::Arc;

use super::partitions::Partition;

/// A value. To clone one is cheap.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Bool(bool),
    Text(Arc<str>),
    List(Arc<[Arc<str>]>),
    Partition(Arc<Partition>),
    Arn(Arc<Arn>),
    Url(Arc<Url>),
}

/// What `aws.parseArn` finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arn {
    pub(super) partition: Arc<str>,
    pub(super) service: Arc<str>,
    pub(super) region: Arc<str>,
    pub(super) account_id: Arc<str>,
    pub(super) resource_id: Arc<[Arc<str>]>,
}

/// What `parseURL` finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: Arc<str>,
    pub(super) authority: Arc<str>,
    pub(super) path: Arc<str>,
    pub(super) normalized_path: Arc<str>,
    pub(super) is_ip: bool,
}

/// A field of a [`Value`] that has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    DnsSuffix,
    DualStackDnsSuffix,
    ImplicitGlobalRegion,
    SupportsFips,
    SupportsDualStack,
    Partition,
    Service,
    Region,
    AccountId,
    ResourceId,
    Scheme,
    Authority,
    Path,
    NormalizedPath,
    IsIp,
}

/// What `getAttr` takes: `name`, `resourceId[2]`, `[0]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) field: Option<Field>,
    pub(super) index: Option<usize>,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "name" => Self::Name,
            "dnsSuffix" => Self::DnsSuffix,
            "dualStackDnsSuffix" => Self::DualStackDnsSuffix,
            "implicitGlobalRegion" => Self::ImplicitGlobalRegion,
            "supportsFIPS" => Self::SupportsFips,
            "supportsDualStack" => Self::SupportsDualStack,
            "partition" => Self::Partition,
            "service" => Self::Service,
            "region" => Self::Region,
            "accountId" => Self::AccountId,
            "resourceId" => Self::ResourceId,
            "scheme" => Self::Scheme,
            "authority" => Self::Authority,
            "path" => Self::Path,
            "normalizedPath" => Self::NormalizedPath,
            "isIp" => Self::IsIp,
            _ => return None,
        })
    }
}

impl Attribute {
    /// Reads a path; no record that the rules know has records inside, so a path has one step.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let (name, index) = match path.split_once('[') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(']')?.parse().ok()?)),
            None => (path, None),
        };
        let field = match (name, index) {
            ("", Some(_)) => None,
            (name, _) => Some(Field::named(name)?),
        };
        Some(Self { field, index })
    }
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// The part of the value that `attribute` names, when it has one.
    pub(super) fn attribute(&self, attribute: Attribute) -> Option<Self> {
        let value = match attribute.field {
            Some(field) => self.field(field)?,
            None => self.clone(),
        };
        match (attribute.index, &value) {
            (None, _) => Some(value),
            (Some(index), Self::List(items)) => items.get(index).cloned().map(Self::Text),
            _ => None,
        }
    }

    fn field(&self, field: Field) -> Option<Self> {
        let text = |text: &Arc<str>| Some(Self::Text(text.clone()));
        match (self, field) {
            (Self::Partition(p), Field::Name) => text(&p.name),
            (Self::Partition(p), Field::DnsSuffix) => text(&p.dns_suffix),
            (Self::Partition(p), Field::DualStackDnsSuffix) => text(&p.dual_stack_dns_suffix),
            (Self::Partition(p), Field::ImplicitGlobalRegion) => text(&p.implicit_global_region),
            (Self::Partition(p), Field::SupportsFips) => Some(Self::Bool(p.supports_fips)),
            (Self::Partition(p), Field::SupportsDualStack) => {
                Some(Self::Bool(p.supports_dual_stack))
            }
            (Self::Arn(arn), Field::Partition) => text(&arn.partition),
            (Self::Arn(arn), Field::Service) => text(&arn.service),
            (Self::Arn(arn), Field::Region) => text(&arn.region),
            (Self::Arn(arn), Field::AccountId) => text(&arn.account_id),
            (Self::Arn(arn), Field::ResourceId) => Some(Self::List(arn.resource_id.clone())),
            (Self::Url(url), Field::Scheme) => text(&url.scheme),
            (Self::Url(url), Field::Authority) => text(&url.authority),
            (Self::Url(url), Field::Path) => text(&url.path),
            (Self::Url(url), Field::NormalizedPath) => text(&url.normalized_path),
            (Self::Url(url), Field::IsIp) => Some(Self::Bool(url.is_ip)),
            _ => None,
        }
    }
}
