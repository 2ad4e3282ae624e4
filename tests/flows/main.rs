//! Flows from a backend's call to a browser's decrypted message, on the running system.

mod bad_input;
mod history;
mod isolation;
mod publish;
mod recipes;
mod sessions;
mod vectors;
