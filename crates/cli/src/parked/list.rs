//! What was seen, entry by entry or in groups; never content.

use super::{
    Facts,
    peek::{Peeked, peek},
    queue::{Held, Queue},
    record::{Record, retention},
    selection::Selection,
};
use crate::{
    context::Context,
    failure::Failure,
    output::{print, report},
    table::{shortened, table},
    times,
};
use sbe_core::history::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Entries that are listed unless more are asked for.
const SHOWN: u32 = 100;

/// Characters of a reason in a table.
const REASON: usize = 100;

/// An entry without its content.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// When it was parked, in epoch milliseconds.
    pub parked: i64,
    /// The size of what was parked, in bytes.
    pub size: usize,
    /// Whose it is.
    #[serde(flatten)]
    pub facts: Facts,
    /// When the record came that it points to, where it has nothing else.
    #[serde(skip)]
    pub arrived: Option<Timestamp>,
    /// What is known of that record.
    #[serde(flatten)]
    pub record: Option<Record>,
}

/// One of the queues, and how its entries are read.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The queue.
    pub queue: &'a Queue,
    /// Reads an entry.
    pub facts: fn(&str) -> Facts,
    /// When the record of the stream came that an entry points to, if it does.
    pub arrived: fn(&str) -> Option<Timestamp>,
    /// The head of the column that says whose an entry is.
    pub origin: &'static str,
}

impl Reader<'_> {
    /// The selected entries, oldest first; more than the limit are not asked for.
    pub async fn rows(
        &self,
        selection: &Selection,
        origin: Option<&str>,
        context: &Context,
    ) -> Result<Peeked<Row>, Failure> {
        let now = times::now().0 / 1000;
        let look = |held: Held| {
            let facts = (self.facts)(&held.body);
            let is_meant = selection.takes(&held, &facts, origin, now);
            let arrived = (self.arrived)(&held.body);
            let size = held.body.len();
            is_meant.then_some(Row { parked: held.sent, size, id: held.id, facts, arrived, record: None })
        };
        let mut peeked = peek(self.queue, &context.interrupt, look).await?;
        if peeked.is_cut_off {
            report(format_args!("the {} queue has more entries than can be seen at a time", self.queue.name));
        }
        peeked.seen.sort_by(|a, b| (a.parked, &a.id).cmp(&(b.parked, &b.id)));
        Ok(peeked)
    }

    /// Lists entries, or groups of them.
    pub async fn list(
        &self,
        selection: &Selection,
        origin: Option<&str>,
        grouped: bool,
        context: &Context,
    ) -> Result<(), Failure> {
        let mut rows = self.rows(selection, origin, context).await?.seen;
        look_for_records(&mut rows, context).await;
        if grouped {
            self.print_groups(&rows, context);
            report_gone(&rows);
            return Ok(());
        }
        let limit = usize::try_from(selection.like.limit.unwrap_or(SHOWN)).unwrap_or(usize::MAX);
        let shown = &rows[..rows.len().min(limit)];
        if context.output.json {
            for row in shown {
                print(json!(row));
            }
        } else if !shown.is_empty() {
            print(self.table_of_rows(shown));
        }
        if rows.len() > shown.len() {
            report(format_args!(
                "{} entries in all: --limit N shows more, --summary counts them",
                rows.len()
            ));
        } else if rows.is_empty() {
            report(format_args!("no entries"));
        }
        report_gone(&rows);
        Ok(())
    }

    /// The entries as a table, with a column for records if one of them has one.
    fn table_of_rows(&self, rows: &[Row]) -> String {
        let cells = cells(rows);
        if rows.iter().all(|row| row.record.is_none()) {
            return table(["ID", "PARKED", "BYTES", self.origin, "REASON"], &cells);
        }
        let now = times::now();
        let told = |row: &Row| row.record.map(|record| record.told(now)).unwrap_or_default();
        let with = |([id, parked, size, origin, reason], row): ([String; 5], &Row)| {
            [id, parked, size, origin, told(row), reason]
        };
        let cells: Vec<[String; 6]> = cells.into_iter().zip(rows).map(with).collect();
        table(["ID", "PARKED", "BYTES", self.origin, "RECORD", "REASON"], &cells)
    }

    fn print_groups(&self, rows: &[Row], context: &Context) {
        let groups = groups(rows);
        if context.output.json {
            print(json!(groups));
        } else {
            print(self.table_of(&groups));
        }
    }

    /// The groups as a table.
    pub fn table_of(&self, groups: &[Group]) -> String {
        let cells: Vec<[String; 5]> = groups
            .iter()
            .map(|group| {
                let [oldest, newest] = [group.oldest, group.newest].map(at);
                [
                    group.entries.to_string(),
                    oldest,
                    newest,
                    group.facts.origin.clone(),
                    shortened(&group.facts.reason, REASON),
                ]
            })
            .collect();
        table(["ENTRIES", "OLDEST", "NEWEST", self.origin, "REASON"], &cells)
    }
}

/// Notes how long the records are kept that entries point to. The stream is asked only if there are such.
async fn look_for_records(rows: &mut [Row], context: &Context) {
    if rows.iter().all(|row| row.arrived.is_none()) {
        return;
    }
    let Some(retention) = retention(&context.system).await else { return };
    let now = times::now();
    for row in rows {
        row.record = row.arrived.map(|arrived| Record::new(arrived, retention, now));
    }
}

/// Entries without their record cannot be replayed, whatever is mended.
fn report_gone(rows: &[Row]) {
    let gone = rows.iter().filter(|row| row.record.is_some_and(|record| record.record_is_gone)).count();
    if gone > 0 {
        report(format_args!(
            "the stream does not have the records of {gone} of them any more: publish those messages again, then drop them"
        ));
    }
}

fn cells(rows: &[Row]) -> Vec<[String; 5]> {
    let cells = |row: &Row| {
        let Row { id, parked, size, facts, .. } = row;
        [id.clone(), at(*parked), size.to_string(), facts.origin.clone(), shortened(&facts.reason, REASON)]
    };
    rows.iter().map(cells).collect()
}

/// Epoch milliseconds, for people.
pub fn at(millis: i64) -> String {
    times::readable(sbe_core::history::Timestamp(millis.saturating_mul(1000)))
}

/// Entries of one origin and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Whose they are, and why they are there.
    #[serde(flatten)]
    pub facts: Facts,
    /// How many.
    pub entries: u64,
    /// When the first one was parked, in epoch milliseconds.
    pub oldest: i64,
    /// When the last one was parked, in epoch milliseconds.
    pub newest: i64,
}

/// Groups by origin and reason, the largest first.
pub fn groups(rows: &[Row]) -> Vec<Group> {
    let mut groups = BTreeMap::<&Facts, Group>::new();
    for row in rows {
        let group = groups.entry(&row.facts).or_insert_with(|| Group {
            facts: row.facts.clone(),
            entries: 0,
            oldest: row.parked,
            newest: row.parked,
        });
        group.entries += 1;
        group.oldest = group.oldest.min(row.parked);
        group.newest = group.newest.max(row.parked);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.entries));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_reasons_of_a_function_are_one_group() {
        let row = |origin: &str, parked| Row {
            id: String::new(),
            parked,
            size: 1,
            facts: Facts { origin: origin.into(), reason: "r".into() },
            arrived: None,
            record: None,
        };
        let groups = groups(&[row("a", 5), row("b", 3), row("b", 1), row("b", 2)]);
        let seen: Vec<_> = groups
            .iter()
            .map(|group| (group.facts.origin.as_str(), group.entries, group.oldest, group.newest))
            .collect();
        assert_eq!(seen, [("b", 3, 1, 3), ("a", 1, 5, 5)]);
    }
}
