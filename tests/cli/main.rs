//! `sbe`, the real binary, on the running system.

mod locating;
mod tracing;
