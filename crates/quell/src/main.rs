//! Quell: see `quell --help`.

fn main() -> std::process::ExitCode {
    quell::run()
}
