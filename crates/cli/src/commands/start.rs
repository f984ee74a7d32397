//! `start`: starts, resumes or retries, by the state of the run.

use price_cache_api_types::Accepted;

use super::{Failure, watch};
use crate::arguments::StartArguments;
use crate::client::Target;
use crate::{Context, Exit};

pub(super) async fn execute(arguments: &StartArguments, context: &mut Context) -> Result<Exit, Failure> {
    let accepted: Accepted = context.client.post(&Target::run("start")).await?.json()?;
    context.streams.human(&crate::render::text::clean(&accepted.message));
    if arguments.watch { watch::until_ended(context).await } else { Ok(Exit::Done) }
}
