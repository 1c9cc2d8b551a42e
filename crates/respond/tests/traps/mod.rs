//! Where responders to incidents have gone wrong before, each as a test of its own. `docs/traps.md` has all of them.

mod every;
mod isolation;
