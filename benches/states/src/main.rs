//! What runs cost: `quell-bench-states [stores|steps|replay|waiting|records]`, all of them without an argument.
//!
//! Every figure is measured with the product's own runner on its own store, in a folder below `/var/tmp`, or below
//! `TMPDIR`.

mod bench;
mod records;
mod replay;
mod server;
mod steps;
mod stores;
mod waiting;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    if wants("stores") {
        stores::measure().await;
    }
    if wants("steps") {
        steps::measure().await;
    }
    if wants("replay") {
        replay::measure();
    }
    if wants("waiting") {
        waiting::measure().await;
    }
    if wants("records") {
        records::measure().await;
    }
}
