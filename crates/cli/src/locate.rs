//! Finds the system.

use crate::{failure::Failure, options::Place};
use sbe_client::{
    System,
    system::{self, RELEASE},
};
use std::path::Path;

const DEFAULT_STACK_FILE: &str = ".local/stack.json";

/// The system that the options name, of any release.
pub async fn of_any_release(place: &Place) -> Result<System, Failure> {
    if let Some(env) = &place.env {
        let place =
            system::Place { env: env.clone(), region: place.region.clone(), profile: place.profile.clone() };
        return Ok(System::find(&place).await?);
    }
    if let Some(file) = &place.stack_file {
        return Ok(System::from_file(file)?);
    }
    let file = Path::new(DEFAULT_STACK_FILE);
    if file.exists() {
        return Ok(System::from_file(file)?);
    }
    Err(Failure::NoSystem(format!(
        "no system: there is no {DEFAULT_STACK_FILE} (make run starts a local one); \
         name one with --stack-file FILE, or --env NAME and --region REGION"
    )))
}

/// The system that the options name, which must be of this program's release.
pub async fn of_this_release(place: &Place) -> Result<System, Failure> {
    let system = of_any_release(place).await?;
    if system.is_of_this_release() {
        return Ok(system);
    }
    Err(Failure::OtherRelease(format!(
        "environment {} is of release {}, and this sbe of {RELEASE}: use the sbe of that release",
        system.env, system.release
    )))
}
