//! `start`: starts, resumes or retries, by the state of the run.

use super::{Failure, say, watch};
use crate::arguments::StartArguments;
use crate::client::Target;
use crate::{Context, Exit};

pub(super) async fn execute(arguments: &StartArguments, context: &mut Context) -> Result<Exit, Failure> {
    let answer = context.client.post(&Target::run("start")).await?;
    say(&answer, arguments.json, context)?;
    if arguments.watch { watch::until_ended(context).await } else { Ok(Exit::Done) }
}
