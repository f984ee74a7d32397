//! `retry-failed`: attempts again what failed in the last run.

use price_cache_api_types::RetryFailedRequest;

use super::{Failure, say};
use crate::arguments::RetryFailedArguments;
use crate::client::Target;
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
    say(&answer, arguments.json, context)?;
    Ok(Exit::Done)
}
