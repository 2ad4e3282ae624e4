//! What a scenario costs a month: units from rules, dollars from `docs/prices.json`.
//!
//! `docs/COST.md` explains the rules. They are in one place: `sbe cost` prints an [`Estimate`], and the server of the
//! demo page answers its calculator with one.
//!
//! # Layout
//!
//! - [`prices`]: the dated file of prices
//! - [`scenario`]: who receives how much, and with which settings
//! - [`polling`]: the requests of a browser by time and by message
//! - [`own`]: the units of this system
//! - [`peers`]: the units of API Gateway `WebSockets`, `AppSync` Events and `IoT` Core
//! - [`mod@estimate`]: all of them in dollars, and what would change the order

pub mod estimate;
pub mod own;
pub mod peers;
pub mod polling;
pub mod prices;
pub mod scenario;

pub use estimate::{Estimate, estimate};
pub use prices::Prices;
pub use scenario::Scenario;
