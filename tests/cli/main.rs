//! `sbe`, the real binary, on the running system.

mod api;
mod cost;
mod decrypt;
mod doctor;
mod failed;
mod help;
mod listen;
mod load;
mod locating;
mod own;
mod purge;
mod put;
mod rejected;
mod remove_all;
mod tracing;
