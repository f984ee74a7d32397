//! `health`: whether the server can do its work, for monitoring. It needs no API key.

use price_cache_api_types::Health;

use super::Failure;
use crate::client::Target;
use crate::{Context, Exit};

pub(super) async fn execute(context: &mut Context) -> Result<Exit, Failure> {
    // A server that is not ready answers 503, and says why.
    let _: Health = context.client.get(&Target::path(&["health", "ready"])).await?.json()?;
    context.streams.human("ready");
    Ok(Exit::Done)
}
