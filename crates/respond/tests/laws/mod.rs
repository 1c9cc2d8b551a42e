//! What every playbook keeps, whatever happens to any of its changing steps: a run ends done, undone, or parked with a
//! person; done means that what was planned is there and nothing else changed; undone means that all is as it was, but
//! for what is kept on purpose.

mod cover;
mod planted;
mod sabotage;

use std::collections::BTreeSet;

use quell_model::Call;
use quell_respond::Playbook;
use serde_json::Value;

use crate::harness::case::Case;
use crate::harness::drive::{self, Blow, End, KIND};
use crate::harness::life::{Life, Stands, live, recorded};
use crate::harness::{ids, load};
use crate::world::{World, Worlds};

/// Playbooks of which half is better than nothing: to take the deny off an intruder, because one of their credentials could
/// not be switched off, would let them go. What was done stays, and a person is called.
const HALF_STAYS: &[&str] = &["PB-001"];

/// So much is said of what went wrong: states are long.
const SAID_CHARS: usize = 1_500;

/// A kind of step: the document, the stage, what is called before it, and what it calls.
type Kind = (&'static str, usize, Option<String>, String);

/// What happens to one step, and whether every time.
#[derive(Clone, Copy, Debug)]
struct Happening {
    name: &'static str,
    blow: Blow,
    always: bool,
}

const fn once(name: &'static str, blow: Blow) -> Happening {
    let always = false;
    Happening { name, blow, always }
}

/// What a run gets over by itself. The five in the middle are the points at which Quell can die around a call.
const GOT_OVER: &[Happening] = &[
    once("fails once", Blow::Refused),
    once("arrives twice", Blow::Twice),
    once("dies before the intent", Blow::BeforeIntent),
    once("dies after the intent, nothing sent", Blow::Unsent),
    once("sent, and no reply comes", Blow::NoReply),
    once("dies before the reply is noted", Blow::ReplyLost),
    once("dies after the reply is noted", Blow::Recorded),
];

/// What ends a run before its time.
const FATAL: &[Happening] = &[
    Happening {
        name: "fails always",
        blow: Blow::Refused,
        always: true,
    },
    once("the guard gives no permit any more", Blow::Halted),
];

impl Happening {
    /// What happens to the `step`-th of the changing calls that a calm run makes.
    fn to<'a>(self, step: usize, calm: &'a [Call]) -> impl Fn(usize, &Call) -> Blow + 'a {
        move |attempt, call| {
            let struck = match self.always {
                true => *call == calm[step],
                false => attempt == step,
            };
            if struck { self.blow } else { Blow::None }
        }
    }
}

/// A playbook on one of its cases, and how that goes when nothing happens.
struct Trial<'a> {
    playbook: &'a Playbook,
    name: &'a str,
    case: &'a Case,
    before: Value,
    after: Value,
    calm: End,
    calm_back: End,
    /// What is not tried again: it was tried on an earlier case.
    tried: BTreeSet<Kind>,
    /// What was held.
    held: usize,
    /// What was not.
    broken: Vec<String>,
}

impl<'a> Trial<'a> {
    fn new(playbook: &'a Playbook, name: &'a str, case: &'a Case) -> Self {
        let mut world = Worlds::of(&case.world);
        let before = world.image();
        let calm = drive::respond(playbook, case, &mut world, KIND);
        let after = world.image();
        let undo = recorded(&calm).unwrap_or_else(|| panic!("{name}: {:?}", calm.status));
        let calm_back = drive::undo(playbook, case, undo, &mut world, KIND);
        Self {
            playbook,
            name,
            case,
            before,
            after,
            calm,
            calm_back,
            tried: BTreeSet::new(),
            held: 0,
            broken: Vec::new(),
        }
    }

    /// Whether a step of this kind is tried here; with `QUELL_LAWS=all`, every step is.
    fn is_new(
        &mut self,
        document: &'static str,
        stage: usize,
        calls: &[Call],
        step: usize,
    ) -> bool {
        let operation = |step: usize| cover::name_of(&calls[step]);
        let before = step.checked_sub(1).map(operation);
        self.tried
            .insert((document, stage, before, operation(step)))
            || cover::all()
    }

    fn world(&self) -> Worlds {
        Worlds::of(&self.case.world)
    }

    /// Holds what was seen against what must be.
    fn hold(&mut self, what: &str, seen: Result<(), String>) {
        match seen {
            Ok(()) => self.held += 1,
            Err(how) => {
                let how: String = how.chars().take(SAID_CHARS).collect();
                self.broken.push(format!("{}: {what}: {how}", self.name));
            }
        }
    }

    /// All laws; `tried` are the kinds of steps that were tried on earlier cases.
    fn all(mut self, tried: &mut BTreeSet<Kind>) -> (usize, Vec<String>) {
        self.tried = std::mem::take(tried);
        self.without_a_permit();
        self.the_response();
        self.the_undo();
        self.repeated();
        *tried = self.tried;
        (self.held, self.broken)
    }

    /// A no at the gate, at each of them: nothing is done after it. A dry run is the same up to the first gate.
    fn without_a_permit(&mut self) {
        for gate in 0..self.calm.plans.len() {
            let mut world = self.world();
            let end = drive::refused_at(self.playbook, self.case, &mut world, gate);
            let what = format!("refused at gate {gate}");
            let earlier: usize = self.calm.plans[..gate]
                .iter()
                .map(|plan| plan.calls.len())
                .sum();
            let mut seen = same("calls", &end.attempts, &earlier);
            seen = seen.and(is_parked(&end.stands()));
            seen = seen.and(same_image(&world, &self.calm.images[gate]));
            if gate == 0 {
                let nothing = self.world().evidence();
                seen = seen.and(same("evidence", &world.evidence(), &nothing));
            }
            seen = seen.and_then(|()| self.taken_back_by_a_person(&end, &mut world));
            self.hold(&what, seen);
        }
    }

    /// What happens to each changing step of the response.
    fn the_response(&mut self) {
        for step in 0..self.calm.made.len() {
            let (calls, stage) = (self.calm.made.clone(), self.calm.stages[step]);
            if !self.is_new("respond", stage, &calls, step) {
                continue;
            }
            let operation = self.calm.made[step].operation.clone();
            for happening in GOT_OVER {
                let mut world = self.world();
                let calls = self.calm.made.clone();
                let life = self.live(&mut world, &happening.to(step, &calls));
                let seen = is_done(&life).and(same_image(&world, &self.after));
                let seen = seen.and_then(|()| self.taken_back_by_a_person(&life.first, &mut world));
                self.hold(&at("respond", step, &operation, happening.name), seen);
            }
            for happening in FATAL {
                let mut world = self.world();
                let calls = self.calm.made.clone();
                let life = self.live(&mut world, &happening.to(step, &calls));
                let seen = self.ended_before_its_time(life, step, &mut world);
                self.hold(&at("respond", step, &operation, happening.name), seen);
            }
            self.two_at_once(step);
            self.the_way_back_fails(step);
        }
    }

    /// A reply is lost, and a later step fails for good: what nobody noted is taken back too.
    fn two_at_once(&mut self, step: usize) {
        let calls = self.calm.made.clone();
        // The next, and the last.
        let later: BTreeSet<usize> = [step + 1, calls.len() - 1].into();
        for later in later
            .into_iter()
            .filter(|later| (step + 1..calls.len()).contains(later))
        {
            let lost = once("", Blow::ReplyLost).to(step, &calls);
            let fails = FATAL[0].to(later, &calls);
            let fate = |attempt: usize, call: &Call| match lost(attempt, call) {
                Blow::None => fails(attempt, call),
                blow => blow,
            };
            let mut world = self.world();
            let life = self.live(&mut world, &fate);
            let seen = self.ended_before_its_time(life, later, &mut world);
            let what = format!("its reply is lost, and step {later} fails always");
            self.hold(&at("respond", step, &calls[step].operation, &what), seen);
        }
    }

    /// A step fails for good, and each step of the way back in turn: a person is told, and a second try does it.
    fn the_way_back_fails(&mut self, step: usize) {
        let calls = self.calm.made.clone();
        let fails = FATAL[0].to(step, &calls);
        let whole = self.live(&mut self.world(), &fails);
        let back = whole.back.map(|back| back.made).unwrap_or_default();
        // The first, and the last.
        let undoing: BTreeSet<usize> = [0, back.len().saturating_sub(1)].into();
        for undoing in undoing.into_iter().filter(|undoing| *undoing < back.len()) {
            let mut world = self.world();
            let fate = FATAL[0].to(undoing, &back);
            let life = live(self.playbook, self.case, &mut world, &fails, &fate);
            let mut seen = is_parked(&life.stands);
            seen = seen.and_then(|()| self.taken_back_by_a_person(&life.first, &mut world));
            let what = format!("fails always, and so does step {undoing} of the way back");
            self.hold(&at("respond", step, &calls[step].operation, &what), seen);
        }
    }

    /// What happens to each changing step of the undo.
    fn the_undo(&mut self) {
        for step in 0..self.calm_back.made.len() {
            let calls = self.calm_back.made.clone();
            if !self.is_new("undo", 0, &calls, step) {
                continue;
            }
            let operation = self.calm_back.made[step].operation.clone();
            for happening in GOT_OVER.iter().chain(FATAL) {
                let mut world = self.world();
                let first = drive::respond(self.playbook, self.case, &mut world, KIND);
                let calls = self.calm_back.made.clone();
                let fate = happening.to(step, &calls);
                let undo = recorded(&first).unwrap();
                let back = drive::undo(self.playbook, self.case, undo, &mut world, &fate);
                let is_fatal = happening.always || happening.blow == Blow::Halted;
                let seen = match is_fatal {
                    true if back.outcome() == "undone" => same_image(&world, &self.before),
                    true => is_parked(&back.stands())
                        .and_then(|()| self.taken_back_by_a_person(&first, &mut world)),
                    false => same("outcome", &back.outcome(), &"undone")
                        .and(same_image(&world, &self.before)),
                };
                self.hold(&at("undo", step, &operation, happening.name), seen);
            }
        }
    }

    /// A second run finds that there is nothing to do.
    fn repeated(&mut self) {
        let mut world = self.world();
        drop(drive::respond(self.playbook, self.case, &mut world, KIND));
        let again = drive::respond(self.playbook, self.case, &mut world, KIND);
        let seen = same("calls", &again.attempts, &0).and(same_image(&world, &self.after));
        self.hold("the same run again", seen);
    }

    /// Whether the plan says how a call is taken back; what is kept is not.
    fn has_a_way_back(&self, call: &Call) -> bool {
        let planned = self.calm.plans.iter().flat_map(|plan| &plan.calls);
        let of = |resource: &str, arguments: &Value| Call::of_task(resource, arguments);
        planned
            .filter(|planned| of(&planned.resource, &planned.arguments).as_ref() == Some(call))
            .any(|planned| !planned.undo.is_empty())
    }

    /// What its last stage had done is taken back, and what earlier ones had done stays for a person to decide on; or all of
    /// it stays, where half is better than nothing.
    fn ended_before_its_time(
        &self,
        life: Life,
        step: usize,
        world: &mut Worlds,
    ) -> Result<(), String> {
        let stage = self.calm.stages[step];
        if let Stands::Done(outcome) = &life.stands {
            // The step was needless: another had its effect.
            same_image(world, &self.after).map_err(|how| format!("it ended «{outcome}»: {how}"))?;
            return self.taken_back_by_a_person(&life.first, world);
        }
        let said = || {
            format!(
                "{:?} {:?}",
                life.first.status,
                life.back.as_ref().map(|back| &back.status)
            )
        };
        let half = Stands::Parked("Quell.VerifyFailed".to_owned());
        let stays = HALF_STAYS.contains(&self.playbook.id.as_str()) && life.stands == half;
        if !stays {
            let left = same_image(world, &self.calm.images[stage]);
            left.map_err(|how| format!("{how}: {}", said()))?;
        }
        self.taken_back_by_a_person(&life.first, world)
    }

    fn live(&self, world: &mut Worlds, fate: drive::Fate<'_>) -> Life {
        live(self.playbook, self.case, world, fate, KIND)
    }

    /// A person has what was done taken back: all is as it was, and what is kept stays.
    fn taken_back_by_a_person(&self, first: &End, world: &mut Worlds) -> Result<(), String> {
        let kept = world.evidence();
        let Some(undo) = recorded(first) else {
            return same_image(world, &self.before);
        };
        let back = drive::undo(self.playbook, self.case, undo, world, KIND);
        match back.stands() {
            Stands::Done(_) => {}
            other => {
                return Err(format!(
                    "taken back by a person, it stands {other:?}: {:?}",
                    back.status
                ));
            }
        }
        same_image(world, &self.before).and(same("evidence", &world.evidence(), &kept))
    }
}

fn at(document: &str, step: usize, operation: &str, what: &str) -> String {
    format!("{document}, step {step} ({operation}), {what}")
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, wanted: &T) -> Result<(), String> {
    match seen == wanted {
        true => Ok(()),
        false => Err(format!("{what}: {seen:?}, not {wanted:?}")),
    }
}

fn same_image(world: &Worlds, wanted: &Value) -> Result<(), String> {
    let seen = world.image();
    match seen == *wanted {
        true => Ok(()),
        false => Err(format!("the world is {seen}, not {wanted}")),
    }
}

fn is_done(life: &Life) -> Result<(), String> {
    match &life.stands {
        Stands::Done(_) => Ok(()),
        other => Err(format!("it stands {other:?}: {:?}", life.first.status)),
    }
}

fn is_parked(stands: &Stands) -> Result<(), String> {
    match stands {
        Stands::Parked(_) => Ok(()),
        other => Err(format!("it stands {other:?}")),
    }
}

#[test]
fn every_step_of_every_playbook_may_fail_be_repeated_and_die_anywhere() {
    let (mut all, mut broken) = (0, Vec::new());
    for id in ids() {
        let playbook = load(&id);
        let cases = cover::cases(&playbook);
        let (mut held, mut tried, count) = (0, BTreeSet::new(), cases.len());
        for (name, case) in &cases {
            let (some, faults) = Trial::new(&playbook, name, case).all(&mut tried);
            held += some;
            broken.extend(faults);
        }
        println!("{id}: {held} laws held over {count} cases");
        assert!(held > 0, "{id}");
        all += held;
    }
    println!("all playbooks: {all} laws held, {} broken", broken.len());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
