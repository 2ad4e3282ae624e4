//! The dashboard.

use super::{
    Doctor,
    check::{Finding, Found, answer_if_any},
};

/// It is there.
pub(super) async fn dashboard(doctor: &Doctor) -> Found {
    let name = format!("{}-sqs-browser", doctor.system.env);
    let get = doctor.system.cloudwatch().get_dashboard().dashboard_name(&name).send().await;
    Ok(match answer_if_any("cloudwatch:GetDashboard", get)? {
        Some(_) => Finding::passed(format!("{name} is there; what it shows is not looked at")),
        None => Finding::failed(format!("there is no dashboard {name}"), "deploy the template again"),
    })
}
