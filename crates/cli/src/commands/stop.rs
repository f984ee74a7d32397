//! `stop`: pauses the run.

use price_cache_api_types::Accepted;

use super::Failure;
use crate::client::Target;
use crate::{Context, Exit};

pub(super) async fn execute(context: &mut Context) -> Result<Exit, Failure> {
    let accepted: Accepted = context.client.post(&Target::run("stop")).await?.json()?;
    context.streams.human(&crate::render::text::clean(&accepted.message));
    Ok(Exit::Done)
}
