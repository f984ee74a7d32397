//! `stop`: pauses the run.

use super::{Failure, say};
use crate::arguments::StopArguments;
use crate::client::Target;
use crate::{Context, Exit};

pub(super) async fn execute(arguments: &StopArguments, context: &mut Context) -> Result<Exit, Failure> {
    let answer = context.client.post(&Target::run("stop")).await?;
    say(&answer, arguments.json, context)?;
    Ok(Exit::Done)
}
