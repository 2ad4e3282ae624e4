//! The failed and the rejected queue: what waits there for a person.
//!
//! # Layout
//!
//! - [`queue`]: an entry that is held, is deleted or given back
//! - [`selection`]: which entries are meant
//! - [`peek`]: looks at all entries and leaves them there
//! - [`list`]: what was seen, entry by entry or in groups
//! - [`record`]: the record of the stream that an entry only points to
//! - [`choice`]: which ones a command is about to act on
//! - [`sweep`]: acts on entries one by one; those that are done go
//! - [`pace`]: how many a second

pub mod choice;
pub mod list;
pub mod pace;
pub mod peek;
pub mod queue;
pub mod record;
pub mod selection;
pub mod sweep;

/// What is told of an entry without its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Facts {
    /// Whose it is: the function that gave up, or the way by which a message came.
    pub origin: String,
    /// Why it is there.
    pub reason: String,
}
