//! The tables: keys, indexes, changes and expiry as the functions expect them.

use super::{
    Doctor,
    check::{Finding, Found, answer_if_any},
};
use aws_sdk_dynamodb::types::{
    IndexStatus, KeySchemaElement, KeyType, Projection, ProjectionType, TableDescription, TableStatus,
    TimeToLiveStatus,
};
use std::collections::BTreeMap;

/// A table as the functions expect it.
struct Expected {
    keys: &'static [Key],
    indexes: &'static [(&'static str, &'static [Key], &'static [&'static str])],
    /// Whether its changes are streamed with old and new images.
    streams: bool,
}

/// Name, `HASH` or `RANGE`, and type of a key.
type Key = (&'static str, &'static str, &'static str);

const SESSIONS: Expected = Expected {
    keys: &[("accountId", "HASH", "S"), ("sessionId", "RANGE", "S")],
    indexes: &[
        ("userId-index", &[("userId", "HASH", "S")], &["sqsUrl", "aesKey", "created", "renewed", "ttl"]),
        ("sessionId-index", &[("sessionId", "HASH", "S")], &["userId", "sqsUrl", "aesKey", "ttl"]),
    ],
    streams: true,
};

const HISTORY: Expected = Expected {
    keys: &[("userId", "HASH", "S"), ("messageId", "RANGE", "S")],
    indexes: &[(
        "created-index",
        &[("userId", "HASH", "S"), ("created", "RANGE", "N")],
        &["isRead", "type", "ttl"],
    )],
    streams: false,
};

/// The table of sessions.
pub(super) async fn sessions(doctor: &Doctor) -> Found {
    table(doctor, &doctor.system.session_table, "sqs-browser-sessions", &SESSIONS).await
}

/// The table of histories.
pub(super) async fn history(doctor: &Doctor) -> Found {
    table(doctor, &doctor.system.history_table, "sqs-browser-messages", &HISTORY).await
}

/// A table as DynamoDB describes it, if it is there.
pub(super) async fn described(doctor: &Doctor, name: &str) -> Result<Option<TableDescription>, Finding> {
    let reply = doctor.system.dynamodb().describe_table().table_name(name).send().await;
    Ok(answer_if_any("dynamodb:DescribeTable", reply)?.and_then(|reply| reply.table))
}

async fn table(doctor: &Doctor, name: &str, own: &str, expected: &Expected) -> Found {
    let Some(table) = described(doctor, name).await? else {
        return Err(Finding::failed(format!("there is no table {name}"), "deploy the template again"));
    };
    let mut faults = judge(&table, expected);
    let used = format!("{}-{own}", doctor.system.env);
    if name != used {
        faults.push(format!("the functions use {used}"));
    }
    let faults: Vec<String> = faults.into_iter().map(|fault| format!("{name}: {fault}")).collect();
    let well = format!("{name} has the keys and indexes of this release");
    let remedy = "keys and indexes cannot be changed in place: make the index anew, or deploy another environment \
                  with this release's template";
    Ok(Finding::of_faults(&faults, well, remedy))
}

fn judge(table: &TableDescription, expected: &Expected) -> Vec<String> {
    let mut faults = Vec::new();
    if !matches!(table.table_status, None | Some(TableStatus::Active | TableStatus::Updating)) {
        faults.push("it is not active".to_owned());
    }
    let types: BTreeMap<&str, &str> = table
        .attribute_definitions()
        .iter()
        .map(|of| (of.attribute_name(), of.attribute_type().as_str()))
        .collect();
    if !has_keys(table.key_schema(), expected.keys, &types) {
        faults.push(format!("its keys are not {}", told(expected.keys)));
    }
    for (name, keys, attributes) in expected.indexes {
        faults.extend(judge_index(table, &types, name, keys, attributes));
    }
    let view = table.stream_specification().and_then(|stream| stream.stream_view_type());
    if expected.streams && view.is_none_or(|view| view.as_str() != "NEW_AND_OLD_IMAGES") {
        faults.push(
            "its changes are not streamed as NEW_AND_OLD_IMAGES, by which queues are removed".to_owned(),
        );
    }
    faults
}

fn judge_index(
    table: &TableDescription,
    types: &BTreeMap<&str, &str>,
    name: &str,
    keys: &[Key],
    attributes: &[&str],
) -> Option<String> {
    let global = table.global_secondary_indexes().iter();
    let global = global.map(|of| (of.index_name(), of.key_schema(), of.projection(), of.index_status()));
    let local = table.local_secondary_indexes().iter();
    let local = local.map(|of| (of.index_name(), of.key_schema(), of.projection(), None));
    let Some((_, schema, projection, status)) = global.chain(local).find(|index| index.0 == Some(name))
    else {
        return Some(format!("it has no index {name}"));
    };
    if !has_keys(schema, keys, types) {
        return Some(format!("the keys of index {name} are not {}", told(keys)));
    }
    let lacking = lacking(projection, attributes);
    if !lacking.is_empty() {
        return Some(format!("index {name} does not project {}", lacking.join(", ")));
    }
    let is_ready = matches!(status, None | Some(IndexStatus::Active | IndexStatus::Updating));
    (!is_ready).then(|| format!("index {name} is not ready yet"))
}

fn has_keys(schema: &[KeySchemaElement], expected: &[Key], types: &BTreeMap<&str, &str>) -> bool {
    let is = |(element, (name, role, of)): (&KeySchemaElement, &Key)| {
        element.attribute_name() == *name
            && *element.key_type() == KeyType::from(*role)
            && types.get(name) == Some(of)
    };
    schema.len() == expected.len() && schema.iter().zip(expected).all(is)
}

/// The attributes that an index should hold and does not.
fn lacking<'a>(projection: Option<&Projection>, attributes: &[&'a str]) -> Vec<&'a str> {
    let of = |projection: &Projection| projection.projection_type() == Some(&ProjectionType::All);
    let has = |name: &str| {
        projection.is_some_and(|held| of(held) || held.non_key_attributes().iter().any(|held| held == name))
    };
    attributes.iter().copied().filter(|name| !has(name)).collect()
}

fn told(keys: &[Key]) -> String {
    let keys: Vec<String> = keys.iter().map(|(name, role, of)| format!("{name} ({role}, {of})")).collect();
    keys.join(" and ")
}

/// Ended sessions expire.
pub(super) async fn sessions_ttl(doctor: &Doctor) -> Found {
    ttl(doctor, &doctor.system.session_table).await
}

/// Old messages expire.
pub(super) async fn history_ttl(doctor: &Doctor) -> Found {
    ttl(doctor, &doctor.system.history_table).await
}

async fn ttl(doctor: &Doctor, table: &str) -> Found {
    let reply = doctor.system.dynamodb().describe_time_to_live().table_name(table).send().await;
    let Some(reply) = answer_if_any("dynamodb:DescribeTimeToLive", reply)? else {
        return Ok(Finding::skipped(format!("there is no table {table}")));
    };
    let description = reply.time_to_live_description;
    let description = description.map(|of| (of.time_to_live_status, of.attribute_name));
    let (status, attribute) = description.unwrap_or_default();
    Ok(judge_ttl(table, status.as_ref(), attribute.as_deref()))
}

fn judge_ttl(table: &str, status: Option<&TimeToLiveStatus>, attribute: Option<&str>) -> Finding {
    let is_on = matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
    if is_on && attribute == Some("ttl") {
        return Finding::passed(format!("items of {table} expire by their ttl"));
    }
    let detail = match attribute {
        Some(attribute) if is_on => format!("items of {table} expire by {attribute}, and not by ttl"),
        _ => {
            format!("items of {table} do not expire: it grows for ever, and ended sessions keep their queues")
        }
    };
    let set = format!(
        "aws dynamodb update-time-to-live --table-name {table} \
         --time-to-live-specification Enabled=true,AttributeName=ttl"
    );
    Finding::failed(detail, set)
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};
    use aws_sdk_dynamodb::types::{AttributeDefinition, LocalSecondaryIndexDescription, ScalarAttributeType};

    fn schema(keys: &[Key]) -> Vec<KeySchemaElement> {
        let element = |(name, role, _): &Key| {
            KeySchemaElement::builder().attribute_name(*name).key_type(KeyType::from(*role)).build().unwrap()
        };
        keys.iter().map(element).collect()
    }

    fn history(created: &str, projected: &[&str]) -> TableDescription {
        let (name, keys, _) = HISTORY.indexes[0];
        let define = |name: &str, of: &str| {
            let of = ScalarAttributeType::from(of);
            AttributeDefinition::builder().attribute_name(name).attribute_type(of).build().unwrap()
        };
        let projection = Projection::builder()
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(projected.iter().map(|name| (*name).to_owned()).collect()))
            .build();
        let index = LocalSecondaryIndexDescription::builder().index_name(name).projection(projection);
        TableDescription::builder()
            .set_key_schema(Some(schema(HISTORY.keys)))
            .attribute_definitions(define("userId", "S"))
            .attribute_definitions(define("messageId", "S"))
            .attribute_definitions(define("created", created))
            .local_secondary_indexes(index.set_key_schema(Some(schema(keys))).build())
            .build()
    }

    #[test]
    fn keys_indexes_and_projections_are_as_expected() {
        assert_eq!(judge(&history("N", &["isRead", "type", "ttl"]), &HISTORY), [""; 0]);
        let faults = judge(&history("N", &["type", "message"]), &HISTORY);
        assert_eq!(faults, ["index created-index does not project isRead, ttl"]);
        let faults = judge(&history("S", &["isRead", "type", "ttl"]), &HISTORY);
        assert_eq!(
            faults,
            ["the keys of index created-index are not userId (HASH, S) and created (RANGE, N)"]
        );
        let faults = judge(&history("N", &["isRead", "type", "ttl"]), &SESSIONS).join("; ");
        for part in ["its keys are not accountId", "no index userId-index", "not streamed"] {
            assert!(faults.contains(part), "{faults}");
        }
    }

    #[test]
    fn items_expire_by_the_attribute_ttl() {
        let outcome = |status, attribute| judge_ttl("t", Some(&status), attribute).outcome;
        assert_eq!(outcome(TimeToLiveStatus::Enabled, Some("ttl")), Outcome::Passed);
        assert_eq!(outcome(TimeToLiveStatus::Enabled, Some("expires")), Outcome::Failed);
        assert_eq!(outcome(TimeToLiveStatus::Disabled, Some("ttl")), Outcome::Failed);
    }
}
