//! Whether one policy grants anything that another does not.

use super::document::{Document, Effect, Identity, Names, Statement};
use super::pattern::Pattern;

/// What is not proven, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Excess(pub String);

/// So many combinations of principal, action and resource of one statement are looked at. A document of the longest kind has
/// fewer unless it was written to be slow.
const PIECES_MAX: usize = 250_000;

/// Proves that whatever `after` allows when it stands alone, `before` allows too, when that stands alone.
///
/// # Errors
/// [`Excess`] names what is not proven. It may still hold: this comparison knows only what one statement covers of another.
pub fn adds_nothing(before: &Document, after: &Document) -> Result<(), Excess> {
    // What `before` denies it does not allow. Of that nothing may be left in `after` but what it denies itself.
    let lifted = lifts_no_denial(before, after);
    for statement in of(after, Effect::Allow) {
        let denied: Vec<_> = of(after, Effect::Deny).collect();
        let allowed: Vec<_> = of(before, Effect::Allow).collect();
        let covering: Vec<_> = denied.into_iter().chain(allowed).collect();
        if !is_covered(statement, &covering) {
            return Err(Excess(format!("{} allows more", statement.name)));
        }
        if lifted.is_err() {
            touches_no_denial(before, after, statement)?;
        }
    }
    Ok(())
}

/// What `before` denied and `after` denies no more must not meet what this statement allows.
fn touches_no_denial(
    before: &Document,
    after: &Document,
    allows: &Statement,
) -> Result<(), Excess> {
    let denials: Vec<_> = of(after, Effect::Deny).collect();
    for denial in of(before, Effect::Deny) {
        if !is_covered(denial, &denials) && overlaps(denial, allows) {
            return Err(Excess(format!(
                "{} allows what {} denied before",
                allows.name, denial.name
            )));
        }
    }
    Ok(())
}

/// Proves that whatever `before` denies, `after` denies too.
///
/// # Errors
/// As [`adds_nothing`].
pub fn lifts_no_denial(before: &Document, after: &Document) -> Result<(), Excess> {
    let denials: Vec<_> = of(after, Effect::Deny).collect();
    let lifted = of(before, Effect::Deny).find(|denial| !is_covered(denial, &denials));
    match lifted {
        Some(denial) => Err(Excess(format!(
            "what {} denies is denied no more",
            denial.name
        ))),
        None => Ok(()),
    }
}

/// Proves that `after` in the place of `before` grants nothing new to anybody, whatever other policies say.
///
/// # Errors
/// As [`adds_nothing`].
pub fn narrows(before: &Document, after: &Document) -> Result<(), Excess> {
    lifts_no_denial(before, after)?;
    adds_nothing(before, after)
}

/// Proves that `after` still allows whatever `before` allows under a condition: a condition makes a grant another thing than an
/// open one, however wide the rest of the statement is.
///
/// # Errors
/// As [`adds_nothing`].
pub fn keeps_conditioned(before: &Document, after: &Document) -> Result<(), Excess> {
    let conditioned = of(before, Effect::Allow).filter(|s| !s.conditions.is_empty());
    let conditioned = Document {
        statements: conditioned.cloned().collect(),
    };
    adds_nothing(after, &conditioned).map_err(|Excess(text)| {
        Excess(format!(
            "a condition limits it, and it would go all the same: {text}"
        ))
    })
}

fn of(document: &Document, effect: Effect) -> impl Iterator<Item = &Statement> {
    let statements = document.statements.iter();
    statements.filter(move |statement| statement.effect == effect)
}

/// Whether each piece of a statement (one principal, one action, one resource) is surely covered by one of the others.
fn is_covered(statement: &Statement, by: &[&Statement]) -> bool {
    let by: Vec<Cover> = by
        .iter()
        .filter_map(|other| cover(statement, other))
        .collect();
    let Some(first) = by.first() else {
        return false;
    };
    let (principals, actions, resources) = (
        first.principals.len(),
        first.actions.len(),
        first.resources.len(),
    );
    if principals * actions * resources > PIECES_MAX {
        return false;
    }
    let is_set = |row: &[bool], at: usize| row.get(at) == Some(&true);
    (0..principals).all(|p| {
        // Those that cover this principal: the products below are then small.
        let those: Vec<_> = by.iter().filter(|c| is_set(&c.principals, p)).collect();
        (0..actions).all(|a| {
            let those: Vec<_> = those.iter().filter(|c| is_set(&c.actions, a)).collect();
            (0..resources).all(|r| those.iter().any(|c| is_set(&c.resources, r)))
        })
    })
}

/// Which principals, actions and resources of a statement another one covers, by their places.
struct Cover {
    principals: Vec<bool>,
    actions: Vec<bool>,
    resources: Vec<bool>,
}

/// `None` when it covers nothing of it.
fn cover(statement: &Statement, other: &Statement) -> Option<Cover> {
    if !statement.conditions.imply(&other.conditions) {
        return None;
    }
    Some(Cover {
        principals: match (&statement.principals, &other.principals) {
            (None, None) => vec![true],
            (Some(mine), Some(theirs)) => covered_identities(mine, theirs),
            _ => return None,
        },
        actions: covered_patterns(&statement.actions, &other.actions),
        resources: match (&statement.resources, &other.resources) {
            (None, None) => vec![true],
            (Some(mine), Some(theirs)) => covered_patterns(mine, theirs),
            _ => return None,
        },
    })
}

/// Of `mine`, which `theirs` covers. All but some are one piece.
fn covered_patterns(mine: &Names<Pattern>, theirs: &Names<Pattern>) -> Vec<bool> {
    match (mine, theirs) {
        (Names::Only(mine), Names::Only(theirs)) => {
            let is_covered = |one: &Pattern| theirs.iter().any(|other| other.covers(one));
            mine.iter().map(is_covered).collect()
        }
        (Names::Only(mine), Names::AllBut(excepted)) => {
            let is_apart = |one: &Pattern| !excepted.iter().any(|other| other.overlaps(one));
            mine.iter().map(is_apart).collect()
        }
        (Names::AllBut(_), Names::Only(theirs)) => {
            vec![theirs.iter().any(Pattern::is_everything)]
        }
        (Names::AllBut(mine), Names::AllBut(excepted)) => {
            let is_excepted = |other: &Pattern| mine.iter().any(|one| one.covers(other));
            vec![excepted.iter().all(is_excepted)]
        }
    }
}

/// Identities are compared to the letter: an account's root, a role and its sessions are related in ways that depend on more
/// than this policy.
fn covered_identities(mine: &Names<Identity>, theirs: &Names<Identity>) -> Vec<bool> {
    match (mine, theirs) {
        (Names::Only(mine), Names::Only(theirs)) => {
            let is_covered = |one: &Identity| theirs.contains(one) || theirs.iter().any(is_all);
            mine.iter().map(is_covered).collect()
        }
        (Names::Only(mine), Names::AllBut(_)) => vec![false; mine.len()],
        (Names::AllBut(_), Names::Only(theirs)) => vec![theirs.iter().any(is_all)],
        (Names::AllBut(mine), Names::AllBut(excepted)) => {
            vec![excepted.iter().all(|other| mine.contains(other))]
        }
    }
}

fn is_all(identity: &Identity) -> bool {
    identity.kind == "*"
}

/// Whether there may be a request that both statements are about.
fn overlaps(a: &Statement, b: &Statement) -> bool {
    let resources = match (&a.resources, &b.resources) {
        (Some(a), Some(b)) => patterns_overlap(a, b),
        _ => true,
    };
    // Whoever and whenever: principals and conditions may meet in ways that cannot be told from here.
    resources && patterns_overlap(&a.actions, &b.actions)
}

fn patterns_overlap(a: &Names<Pattern>, b: &Names<Pattern>) -> bool {
    match (a, b) {
        (Names::Only(a), Names::Only(b)) => a.iter().any(|x| b.iter().any(|y| x.overlaps(y))),
        (Names::Only(some), Names::AllBut(excepted))
        | (Names::AllBut(excepted), Names::Only(some)) => {
            let is_excepted = |one: &Pattern| excepted.iter().any(|other| other.covers(one));
            some.iter().any(|one| !is_excepted(one))
        }
        (Names::AllBut(_), Names::AllBut(_)) => true,
    }
}
