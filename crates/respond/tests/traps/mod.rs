//! Where responders to incidents have gone wrong before, each as a test of its own.

mod isolation;
