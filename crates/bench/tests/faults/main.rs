//! What fan-out survives: every way in which AWS fails, at 1, 10 and 50 %.
//!
//! `docs/PERFORMANCE.md`: "Nothing is lost. No session gets a message twice unless an answer of AWS
//! was lost."
//!
//! A seed decides which calls fail, so that every run sees the same faults.

#[cfg(test)]
mod cleanup;
#[cfg(test)]
mod dispatcher;
#[cfg(test)]
mod handed_on;
#[cfg(test)]
mod history;
#[cfg(test)]
mod offline;
#[cfg(test)]
mod presence;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod sender;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod unanswered;
#[cfg(test)]
mod unread;
