//! How many changing calls are left in this hour: of an account, of the organisational units it is in, of a call, and of all accounts.

use std::collections::BTreeSet;

use quell_guard::Budget;
use quell_model::{Call, Plan, Resource, Timestamp};
use quell_store::{Document, Kind, State, StoreError, Write};

use crate::app::App;

/// The budgets that a plan draws on, as they stand. They are spent in the batch that notes the permit.
pub(super) struct Budgets {
    counters: Vec<Counter>,
    now: Timestamp,
}

/// One budget in this hour.
struct Counter {
    id: String,
    stored: Option<Document>,
    spent: u64,
    budget: Budget,
}

/// So long the numbers of an hour are kept, for whoever looks at what was done: two days.
const KEPT_MILLIS: i64 = 48 * 3_600_000;

impl Budgets {
    /// The budgets of a plan about a resource.
    pub(super) async fn read(
        app: &App,
        resource: &Resource,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let hour = now.seconds().div_euclid(3600);
        let mut counters = Vec::new();
        for (key, limit, budget) in limits(app, resource, plan) {
            let id = format!("changes:{key}:{hour}");
            counters.push(Counter::read(&*app.state, id, limit, budget).await?);
        }
        Ok(Self { counters, now })
    }

    /// What is left of each.
    pub(super) fn left(&self) -> Vec<Budget> {
        self.counters.iter().map(|c| c.budget.clone()).collect()
    }

    /// The writes that spend what the plan costs. They conflict when another run spent meanwhile: then the run asks anew, and
    /// nothing was spent.
    pub(super) fn spend(self, plan: &Plan) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::new();
        for counter in self.counters {
            let spent = counter.spent.saturating_add(counter.budget.cost(plan));
            writes.push(match counter.stored {
                Some(document) => Write::Update(document.with("spent", &spent)?),
                None => {
                    let (id, now) = (counter.id, self.now);
                    Write::Insert(Document::new(Kind::Counter, id, "spent", now, &spent)?)
                }
            });
        }
        let begins_an_hour = writes.iter().any(|write| matches!(write, Write::Insert(_)));
        if begins_an_hour {
            let before = self.now.plus_millis(-KEPT_MILLIS);
            writes.push(Write::Prune(Kind::Counter, before));
        }
        Ok(writes)
    }
}

impl Counter {
    async fn read(
        state: &dyn State,
        id: String,
        limit: u64,
        budget: impl FnOnce(u64) -> Budget,
    ) -> Result<Self, StoreError> {
        let stored = state.get(Kind::Counter, &id).await?;
        let spent = stored.as_ref().map(Document::read::<u64>).transpose()?;
        let spent = spent.unwrap_or(0);
        Ok(Self {
            id,
            stored,
            spent,
            budget: budget(limit.saturating_sub(spent)),
        })
    }
}

/// What limits a plan: the key of its counter, how much there is in an hour, and what it counts.
pub(crate) fn limits(
    app: &App,
    resource: &Resource,
    plan: &Plan,
) -> Vec<(String, u64, impl FnOnce(u64) -> Budget)> {
    let respond = &app.config.respond;
    let of = |of: String, call: Option<Call>| {
        move |left| Budget {
            of,
            call: call.map(|call| (call.service, call.operation)),
            left,
        }
    };
    let account = &resource.account;
    let mut out = vec![(
        account.clone(),
        respond.changes_per_account_hour,
        of(format!("account {account}"), None),
    )];
    // An account counts in every unit above its own.
    let ou = app.account(account).and_then(|account| account.ou.as_ref());
    for unit in ou.iter().flat_map(|ou| ou.up_to_root()) {
        let limit = respond
            .changes_per_ou_hour
            .iter()
            .find(|(named, _)| named.as_str() == unit);
        if let Some((_, limit)) = limit {
            out.push((format!("ou:{unit}"), *limit, of(format!("OU {unit}"), None)));
        }
    }
    for (name, call) in calls(plan) {
        let limits = &respond.changes_per_action_hour;
        if let Some(limit) = limits.get(&name).or_else(|| limits.get("*")) {
            out.push((format!("action:{name}"), *limit, of(name, Some(call))));
        }
    }
    out.push((
        "organisation".to_owned(),
        respond.changes_per_organisation_hour,
        of("the organisation".to_owned(), None),
    ));
    out
}

/// The different calls of a plan, by name.
fn calls(plan: &Plan) -> impl Iterator<Item = (String, Call)> {
    let mut seen = BTreeSet::new();
    let planned = plan.calls.iter();
    let calls = planned.filter_map(|planned| Call::of_task(&planned.resource, &planned.arguments));
    calls
        .map(|call| (format!("{}:{}", call.service, call.operation), call))
        .filter(move |(name, _)| seen.insert(name.clone()))
}
