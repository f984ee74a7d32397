//! `retry-failed`: attempts again what failed in the last run.

use price_cache_api_types::{Accepted, RetryFailedRequest};

use super::Failure;
use crate::arguments::RetryFailedArguments;
use crate::client::Target;
use crate::render::text;
use crate::{Context, Exit};

pub(super) async fn execute(
    arguments: &RetryFailedArguments,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let target = Target::run("retry-failed");
    let request = RetryFailedRequest { market: arguments.market.clone(), class: arguments.class.clone() };
    let answer = if request == RetryFailedRequest::default() {
        context.client.post(&target).await?
    } else {
        context.client.post_json(&target, &request).await?
    };
    let accepted: Accepted = answer.json()?;
    context.streams.human(&text::clean(&accepted.message));
    Ok(Exit::Done)
}
