//! Fields inside `detail`: those no event has, and those that different events have.

use super::{Asked, accepts, exact};
use crate::lint::table::{ANY_SERVICE, FAMILIES, Family};
use crate::lint::{Kind, Warning};
use crate::matcher::Matcher;
use crate::pattern::Condition;
use crate::words::{join, list, quote};
use crate::write;

/// Events that are alike as far as the pattern can tell them apart: those of one detail-type, or of one source.
struct Group {
    source: &'static str,
    detail_type: Option<&'static str>,
    fields: Vec<&'static str>,
}

impl Group {
    fn name(&self) -> String {
        match (self.detail_type, self.source) {
            (Some(detail_type), ANY_SERVICE) => quote(detail_type),
            (Some(detail_type), source) => format!("{} ({source})", quote(detail_type)),
            (None, source) => source.to_owned(),
        }
    }
}

impl<'b> Asked<'b> {
    /// The groups of events the pattern can match, when all their fields are known.
    fn groups(&self) -> Option<Vec<Group>> {
        let can_match = |family: &&Family| {
            let by_source = match (family.source, exact(self.source)) {
                (ANY_SERVICE, Some(sources)) => sources.iter().any(|s| family.is_sent_by(s)),
                (ANY_SERVICE, None) => true,
                (source, _) => accepts(self.source, source),
            };
            by_source && accepts(self.detail_type, family.detail_type)
        };
        if let Some(types) = exact(self.detail_type) {
            let known = |t: &&str| FAMILIES.iter().any(|family| family.detail_type == *t);
            let group = |family: &Family| {
                Some(Group {
                    source: family.source,
                    detail_type: Some(family.detail_type),
                    fields: family.fields?.to_vec(),
                })
            };
            let groups = FAMILIES.iter().filter(can_match).map(group).collect();
            return types.iter().all(known).then_some(groups).flatten();
        }
        // Without detail-types, a source is taken for all that is known of it.
        if self.detail_type.is_some() {
            return None;
        }
        let mut groups: Vec<Group> = Vec::new();
        for source in exact(self.source)? {
            let mut families = FAMILIES.iter().filter(|f| f.source == source).peekable();
            let source = families.peek()?.source;
            let fields = families
                .filter_map(|f| f.fields)
                .flatten()
                .copied()
                .collect();
            groups.push(Group {
                source,
                detail_type: None,
                fields,
            });
        }
        Some(groups)
    }

    /// The fields inside `detail` that must be there, with their first name.
    fn needed(&self) -> Vec<(&'b Condition, &'b str)> {
        let name = |condition: &'b Condition| {
            let inside = condition.path.strip_prefix("detail.")?;
            let first = inside.split('.').next().unwrap_or_default();
            (!condition.matchers.contains(&Matcher::Absent)).then_some((condition, first))
        };
        self.branch.iter().filter_map(name).collect()
    }

    pub(super) fn inner_fields(&self) -> Vec<Warning> {
        let Some(groups) = self.groups().filter(|groups| !groups.is_empty()) else {
            return Vec::new();
        };
        let needed = self.needed();
        let has = |group: &Group, name: &str| group.fields.contains(&name);
        let (known, unknown): (Vec<_>, Vec<_>) = needed
            .into_iter()
            .partition(|(_, name)| groups.iter().any(|group| has(group, name)));
        let mut warnings = Vec::new();
        if self.detail_type.is_some() {
            for (condition, _) in unknown {
                let names = join(groups.iter().map(Group::name), " or ");
                let message = format!("no event of {names} has it");
                warnings.push(Warning::new(
                    Kind::UnknownField,
                    Some(&condition.path),
                    message,
                ));
            }
        } else if !unknown.is_empty() {
            return warnings;
        }
        let has_all = |group: &&Group| known.iter().all(|(_, name)| has(group, name));
        let (alive, dead): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(has_all);
        if alive.is_empty() {
            warnings.push(self.mixed(&dead, &known));
        } else if self.detail_type.is_some() || self.source.is_some() {
            let exact_types = self.detail_type.is_some();
            for group in dead.iter().filter(|_| exact_types) {
                let missing = known.iter().find(|(_, name)| !has(group, name));
                if let Some((condition, _)) = missing {
                    let message =
                        format!("no event of {} has it, so they never match", group.name());
                    warnings.push(Warning::new(
                        Kind::DeadSource,
                        Some(&condition.path),
                        message,
                    ));
                }
            }
        }
        warnings
    }

    /// The fields of different groups asked for in one event, and a pattern for each group.
    fn mixed(&self, groups: &[&Group], known: &[(&Condition, &str)]) -> Warning {
        let mut owners = Vec::new();
        for (condition, name) in known {
            let of: Vec<String> = groups
                .iter()
                .filter(|group| group.fields.contains(name))
                .map(|group| group.name())
                .collect();
            owners.push(format!("{} is of {}", condition.path, of.join(" or ")));
        }
        let message = format!(
            "no event can match: all fields must be in one event, and {}",
            owners.join("; ")
        );
        let mut warning = Warning::new(Kind::MixedSources, None, message);
        for group in groups {
            if known.iter().any(|(_, name)| group.fields.contains(name)) {
                warning = warning.suggest(self.narrowed(group));
            }
        }
        warning
    }

    /// The pattern as far as it asks for events of `group`.
    fn narrowed(&self, group: &Group) -> String {
        let foreign: Vec<&str> = self
            .needed()
            .iter()
            .filter(|(_, name)| !group.fields.contains(name))
            .map(|(condition, _)| &*condition.path)
            .collect();
        let mut fields: Vec<(&str, String)> = self
            .branch
            .iter()
            .filter(|condition| !foreign.contains(&&*condition.path))
            .map(|condition| (&*condition.path, list(&condition.matchers)))
            .collect();
        let mut narrow = |path: &'static str, value: &str| {
            fields.retain(|(field, _)| *field != path);
            fields.push((path, format!("[{}]", quote(value))));
        };
        if group.source != ANY_SERVICE {
            narrow("source", group.source);
        }
        if let Some(detail_type) = group.detail_type {
            narrow("detail-type", detail_type);
        }
        write::pattern(fields)
    }
}
