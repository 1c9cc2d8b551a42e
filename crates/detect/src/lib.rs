//! Detections: Sigma rules and EventBridge event patterns, from records to findings. Pure.

mod content;
mod engine;
mod sigma;

pub use content::{DetectionFile, Language};
pub use engine::{Detection, Engine};
