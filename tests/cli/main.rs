//! `sbe`, the real binary, on the running system.

mod doctor;
mod locating;
