//! Events a second, for 1 to 100,000 patterns of each kind, side by side with the `quamina` crate in one run.
//!
//! Both ways to match are measured. `whole` (`Snapshot::matching`) reads and checks the whole event, for a name may come
//! again. `known` (`Snapshot::matching_known`) is for events known to be in order, and stops when it has seen every field
//! that patterns name. That is how quamina reads, whether the event is in order or not: the fair pair is `known` and
//! quamina. `whole` does more: it also validates what quamina leaves unread. The events are checked to be in order, and the
//! answers of both ways to be the same.
//!
//! Hits are shown where they differ from quamina's: it compares numbers that no float holds by the nearest float, as
//! EventBridge does not.
//!
//! `bench-pattern [cloudtrail|geojson] [kind…] [count…]`: only these; without arguments all. QUELL_DATA is the folder of real logs, BENCH_ROUNDS
//! how often each figure is taken (the best counts), BENCH_ALONE leaves quamina out.

mod clock;
mod events;
mod memory;
mod patterns;
mod random;

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clock::Clock;
use events::Events;
use patterns::Fields;
use quamina::Quamina;
use quell_pattern::{Pattern, Scratch, Set, Snapshot};
use random::Random;

const COUNTS: [usize; 7] = [1, 10, 100, 800, 1_000, 10_000, 100_000];
/// quamina is given up for a row when building takes more processor time.
const BUILD_MAX: Duration = Duration::from_secs(20);
const ROUND: Duration = Duration::from_millis(150);

/// What building took.
struct Built<T> {
    matcher: T,
    seconds: f64,
    bytes: usize,
}

/// What matching came to.
struct Run {
    events_per_second: f64,
    megabytes_per_second: f64,
    hits: usize,
}

fn main() {
    let folder = std::env::var_os("QUELL_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let rounds = std::env::var("BENCH_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3);
    let (counts, words): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|a| a.parse::<usize>().is_ok());
    let counts: Vec<usize> = counts
        .iter()
        .filter_map(|count| count.parse().ok())
        .collect();
    let cloudtrail = events::cloudtrail(&folder, 500);
    let geojson = events::geojson(500);
    for (events, fields) in [
        (&cloudtrail, Fields::cloudtrail(&cloudtrail)),
        (&geojson, Fields::geojson(&geojson)),
    ] {
        let (kinds, others): (Vec<&String>, Vec<&String>) = words
            .iter()
            .partition(|word| patterns::KINDS.contains(&word.as_str()));
        if !others.is_empty()
            && !others
                .iter()
                .any(|word| events.name.to_lowercase().starts_with(*word))
        {
            continue;
        }
        assert!(events.are_in_order(), "`known` is for events in order");
        let (number, bytes) = (events.texts.len(), events.bytes());
        println!(
            "\n{}: {number} events of {} bytes on average\n",
            events.name,
            bytes / number
        );
        println!(
            "whole validates the whole event; known stops at the last field, as quamina does\n"
        );
        println!(
            "{:<19}{:>8} | {:>9} {:>6} {:>9} {:>6} {:>8} {:>7} | {:>9} {:>9} {:>7} | {:>6} {:>6} | hits",
            "kind",
            "patterns",
            "whole/s",
            "MB/s",
            "known/s",
            "MB/s",
            "build µs",
            "bytes",
            "quamina/s",
            "build µs",
            "bytes",
            "whole×",
            "known×"
        );
        for kind in patterns::KINDS
            .iter()
            .filter(|kind| kinds.is_empty() || kinds.iter().any(|k| k == *kind))
        {
            for count in COUNTS
                .iter()
                .filter(|count| counts.is_empty() || counts.contains(count))
            {
                row(kind, *count, events, &fields, rounds);
            }
        }
    }
}

fn texts(kind: &str, count: usize, fields: &Fields) -> Vec<String> {
    let mut random = Random::new(7);
    (0..count)
        .map(|n| patterns::pattern(kind, n, fields, &mut random))
        .collect()
}

fn row(kind: &str, count: usize, events: &Events, fields: &Fields, rounds: usize) {
    let texts = texts(kind, count, fields);
    let alone = std::env::var_os("BENCH_ALONE").is_some();
    let quamina = if alone { None } else { build_quamina(&texts) };
    let ours = build(&texts.iter().collect::<Vec<_>>());
    // What quamina refuses it is not compared on.
    let common: Option<Vec<&String>> = quamina
        .as_ref()
        .map(|built| &built.matcher.1)
        .filter(|accepted| accepted.len() < count)
        .map(|accepted| accepted.iter().map(|name| &texts[*name]).collect());
    let common = common.map(|texts| build(&texts));
    let mut scratch = Scratch::new();
    let (mut whole, mut known): (Option<Run>, Option<Run>) = (None, None);
    let (mut common_whole, mut common_known, mut other) = (None, None, None);
    for _ in 0..rounds {
        keep(&mut whole, run_whole(events, &ours.matcher, &mut scratch));
        if let Some(common) = &common {
            let run = run_whole(events, &common.matcher, &mut scratch);
            keep(&mut common_whole, run);
        }
        if let Some(built) = &quamina {
            keep_quamina(&mut other, events, &built.matcher.0);
        }
        if let Some(common) = &common {
            let run = run_known(events, &common.matcher, &mut scratch);
            keep(&mut common_known, run);
        }
        keep(&mut known, run_known(events, &ours.matcher, &mut scratch));
    }
    let (whole, known) = (whole.expect("a round"), known.expect("a round"));
    assert_eq!(whole.hits, known.hits, "{kind} {count}");
    print!(
        "{kind:<19}{count:>8} | {:>9.0} {:>6.0} {:>9.0} {:>6.0} {:>8.2} {:>7} |",
        whole.events_per_second,
        whole.megabytes_per_second,
        known.events_per_second,
        known.megabytes_per_second,
        ours.seconds * 1e6 / count as f64,
        ours.bytes / count,
    );
    let common_whole = common_whole.as_ref().unwrap_or(&whole);
    let common_known = common_known.as_ref().unwrap_or(&known);
    match (other, quamina) {
        (Some(other), Some(built)) => println!(
            " {:>9.0} {:>9.2} {:>7} | {:>6.2} {:>6.2} | {}{}{}",
            other.events_per_second,
            built.seconds * 1e6 / count as f64,
            built.bytes / count,
            common_whole.events_per_second / other.events_per_second,
            common_known.events_per_second / other.events_per_second,
            whole.hits,
            if built.matcher.1.len() < count {
                format!(
                    " (compared on the {} quamina accepts)",
                    built.matcher.1.len()
                )
            } else {
                String::new()
            },
            if other.hits != common_whole.hits {
                format!(" (quamina: {}, not {})", other.hits, common_whole.hits)
            } else {
                String::new()
            },
        ),
        _ => println!(
            " {:>9} {:>9} {:>7} | {:>6} {:>6} | {}",
            "-", "-", "-", "-", "-", whole.hits
        ),
    }
}

fn run_whole(events: &Events, matcher: &Snapshot<usize>, scratch: &mut Scratch) -> Run {
    run(events, |event| {
        let names = matcher.matching(event.as_bytes(), scratch);
        names.expect("an event").len()
    })
}

fn run_known(events: &Events, matcher: &Snapshot<usize>, scratch: &mut Scratch) -> Run {
    run(events, |event| {
        let names = matcher.matching_known(event, scratch);
        names.expect("an event").len()
    })
}

/// It panics over some large sets; then there is no figure.
fn keep_quamina(best: &mut Option<Run>, events: &Events, matcher: &Quamina<usize>) {
    let matching = |event: &str| {
        let names = matcher.matches_for_event(event.as_bytes());
        names.expect("an event").len()
    };
    std::panic::set_hook(Box::new(|panic| eprintln!("quamina: {panic}")));
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(events, matching)));
    let _ = std::panic::take_hook();
    match run {
        Ok(run) => keep(best, run),
        Err(_) => *best = None,
    }
}

fn keep(best: &mut Option<Run>, run: Run) {
    if best
        .as_ref()
        .is_none_or(|best| run.events_per_second > best.events_per_second)
    {
        *best = Some(run);
    }
}

fn build(texts: &[&String]) -> Built<Snapshot<usize>> {
    let parsed: Vec<Pattern> = texts
        .iter()
        .map(|text| Pattern::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")))
        .collect();
    let start = Instant::now();
    let (matcher, bytes) = memory::counted(|| {
        let mut set = Set::new();
        for (name, pattern) in parsed.into_iter().enumerate() {
            set.add(name, pattern);
        }
        set.snapshot()
    });
    Built {
        matcher,
        seconds: start.elapsed().as_secs_f64(),
        bytes,
    }
}

/// With the numbers of the patterns it accepts; `None` when it takes too long.
fn build_quamina(texts: &[String]) -> Option<Built<(Quamina<usize>, Vec<usize>)>> {
    let (start, clock) = (Instant::now(), Clock::start());
    let (built, bytes) = memory::counted(|| {
        let mut matcher = Quamina::new();
        let mut accepted = Vec::new();
        for (name, text) in texts.iter().enumerate() {
            if matcher.add_pattern(name, text).is_ok() {
                accepted.push(name);
            }
            // A look at the clock takes as long as adding a pattern may.
            if name % 64 == 0 && clock.elapsed() > BUILD_MAX {
                return None;
            }
        }
        (!accepted.is_empty()).then_some((matcher, accepted))
    });
    Some(Built {
        matcher: built?,
        seconds: start.elapsed().as_secs_f64(),
        bytes,
    })
}

/// Matches all events again and again for a while.
fn run(events: &Events, mut matching: impl FnMut(&str) -> usize) -> Run {
    let mut hits = 0;
    for text in &events.texts {
        hits += matching(text);
    }
    let (start, mut passes) = (Clock::start(), 0);
    while start.elapsed() < ROUND {
        for text in &events.texts {
            black_box(matching(text));
        }
        passes += 1;
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(passes);
    Run {
        events_per_second: events.texts.len() as f64 / seconds,
        megabytes_per_second: events.bytes() as f64 / seconds / 1e6,
        hits,
    }
}
