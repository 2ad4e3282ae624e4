//! How the tables are billed: by requests, or by units that are set.

use super::{
    Doctor,
    check::{Finding, Found},
    stack::{Stack, stack},
    tables::described,
};
use aws_sdk_dynamodb::types::{BillingMode, ProvisionedThroughputDescription, TableDescription};

/// Units of reading and writing.
type Units = (i64, i64);

/// They are billed as the stack was told to.
pub(super) async fn capacity(doctor: &Doctor) -> Found {
    let (stack, system) = (stack(doctor).await?, &doctor.system);
    let mut faults = Vec::new();
    for (table, prefix) in [(&system.session_table, "Sessions"), (&system.history_table, "Messages")] {
        let should = units_of(stack, prefix)?;
        let found = described(doctor, table).await?;
        faults.extend(found.map(|found| judge(table, &found, should)).unwrap_or_default());
    }
    let kind = stack.parameter("TableCapacity")?;
    Ok(match faults.as_slice() {
        [] => Finding::passed(format!("both tables are {kind}")),
        // Somebody may have meant it: the tables take what they take.
        faults => Finding::warning(
            faults.join("; "),
            "set it by the parameters of TableCapacity and deploy again, or put it back by hand",
        ),
    })
}

/// The units that a table should have; `None` where it is billed by requests.
fn units_of(stack: &Stack, prefix: &str) -> Result<Option<Units>, Finding> {
    if stack.parameter("TableCapacity")? != "provisioned" {
        return Ok(None);
    }
    let units = |kind: &str| stack.number(&format!("{prefix}{kind}Units"));
    Ok(Some((units("Read")?, units("Write")?)))
}

/// What is otherwise of a table, or of an index, which has the table's units.
fn judge(name: &str, table: &TableDescription, should: Option<Units>) -> Vec<String> {
    let mode = table.billing_mode_summary().and_then(|of| of.billing_mode());
    let Some(should) = should else {
        let is_by_requests = mode == Some(&BillingMode::PayPerRequest);
        return (!is_by_requests)
            .then(|| format!("{name} is provisioned, and not on-demand"))
            .into_iter()
            .collect();
    };
    if mode == Some(&BillingMode::PayPerRequest) {
        return vec![format!("{name} is on-demand, and not provisioned")];
    }
    let indexes = table.global_secondary_indexes().iter().map(|of| {
        (format!("index {} of {name}", of.index_name().unwrap_or_default()), of.provisioned_throughput())
    });
    let all = [(name.to_owned(), table.provisioned_throughput())].into_iter().chain(indexes);
    let others = all.map(|(name, of)| (name, units(of))).filter(|(_, is)| *is != should);
    others.map(|(name, is)| format!("{name} has {} units, and not {}", told(is), told(should))).collect()
}

fn units(of: Option<&ProvisionedThroughputDescription>) -> Units {
    let of = of.map(|of| (of.read_capacity_units(), of.write_capacity_units())).unwrap_or_default();
    (of.0.unwrap_or_default(), of.1.unwrap_or_default())
}

fn told((read, write): Units) -> String {
    format!("{read} read and {write} write")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::{BillingModeSummary, GlobalSecondaryIndexDescription};

    fn throughput(read: i64, write: i64) -> ProvisionedThroughputDescription {
        ProvisionedThroughputDescription::builder()
            .read_capacity_units(read)
            .write_capacity_units(write)
            .build()
    }

    fn provisioned(index: Units) -> TableDescription {
        let index = GlobalSecondaryIndexDescription::builder()
            .index_name("i")
            .provisioned_throughput(throughput(index.0, index.1))
            .build();
        TableDescription::builder()
            .provisioned_throughput(throughput(5, 7))
            .global_secondary_indexes(index)
            .build()
    }

    fn on_demand() -> TableDescription {
        let mode = BillingModeSummary::builder().billing_mode(BillingMode::PayPerRequest).build();
        TableDescription::builder().billing_mode_summary(mode).build()
    }

    #[test]
    fn a_table_is_billed_as_it_was_told() {
        assert_eq!(judge("t", &on_demand(), None), [""; 0]);
        assert_eq!(judge("t", &provisioned((5, 7)), Some((5, 7))), [""; 0]);
        assert_eq!(judge("t", &provisioned((5, 7)), None), ["t is provisioned, and not on-demand"]);
        assert_eq!(judge("t", &on_demand(), Some((5, 7))), ["t is on-demand, and not provisioned"]);
    }

    #[test]
    fn an_index_has_the_units_of_its_table() {
        let faults = judge("t", &provisioned((1, 7)), Some((5, 7)));
        assert_eq!(faults, ["index i of t has 1 read and 7 write units, and not 5 read and 7 write"]);
    }

    #[test]
    fn the_units_are_those_of_the_table_s_own_parameters() {
        let on = [("TableCapacity", "provisioned"), ("MessagesReadUnits", "3"), ("MessagesWriteUnits", "4")];
        assert_eq!(units_of(&Stack::with(&on), "Messages"), Ok(Some((3, 4))));
        assert_eq!(units_of(&Stack::with(&[("TableCapacity", "on-demand")]), "Messages"), Ok(None));
        assert!(units_of(&Stack::with(&on), "Sessions").is_err(), "it is not told");
    }
}
