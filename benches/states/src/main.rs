//! What runs cost: `quell-bench-states [waiting|steps|replay]`, all of them without an argument.
//!
//! Every figure is measured with the product's own runner on its own store, in a temporary folder; `TMPDIR` says on
//! which disk.

mod bench;
mod replay;
mod steps;
mod waiting;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    if wants("steps") {
        steps::measure().await;
    }
    if wants("replay") {
        replay::measure();
    }
    if wants("waiting") {
        waiting::measure().await;
    }
}
