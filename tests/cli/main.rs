//! `sbe`, the real binary, on the running system.

mod api;
mod decrypt;
mod doctor;
mod help;
mod listen;
mod load;
mod locating;
mod put;
mod tracing;
