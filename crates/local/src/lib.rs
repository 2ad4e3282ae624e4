//! The whole system on one machine.
//!
//! What runs here is what is deployed: the SAM template, translated by AWS's own translator, is
//! created as a CloudFormation stack on MiniStack, which runs the real function binaries, verifies
//! signatures and enforces the template's IAM roles. What MiniStack lacks is filled in as thinly
//! as can be; `docs/LOCAL.md` names each gap.
//!
//! # Layout
//!
//! - [`options`]: the command line
//! - [`prerequisites`]: Python and the virtual environment with pinned packages
//! - [`web`]: builds the browser client
//! - [`functions`]: builds the function binaries
//! - [`emulator`]: the MiniStack process
//! - [`shell`]: programs without what the shell says of AWS
//! - [`deploy`]: translates the template and creates the stack
//! - [`cognito`]: a front for cognito-identity
//! - [`identities`]: which identities live, and what opens them
//! - [`roles`]: the role and credentials of one identity
//! - [`sweeper`]: removes expired items, as DynamoDB's TTL does
//! - [`example`]: an application's backend, as an example: sessions, publishing, history
//! - [`demo`]: serves the page, the browser client and the example backend
//! - [`cost`]: the page's calculator
//! - [`unreached`]: the page's list of users who were not there
//! - [`stack`]: `.local/stack.json`, by which other programs reach the system
//! - [`tour`]: the commands to paste
//! - [`progress`]: says what is going on

pub mod cognito;
pub mod cost;
pub mod demo;
pub mod deploy;
pub mod emulator;
pub mod example;
pub mod functions;
pub mod identities;
pub mod options;
pub mod prerequisites;
pub mod progress;
pub mod roles;
pub mod shell;
pub mod stack;
pub mod sweeper;
pub mod tour;
pub mod unreached;
pub mod web;

mod run;

pub use run::run;
