//! `reset`: clears the run, after asking.

use price_cache_api_types::ResetRequest;

use super::{Failure, say};
use crate::arguments::ResetArguments;
use crate::client::Target;
use crate::{Context, Exit};

pub(super) async fn execute(arguments: &ResetArguments, context: &mut Context) -> Result<Exit, Failure> {
    if !arguments.yes && !confirm(arguments, context)? {
        context.streams.human("nothing was changed");
        return Ok(Exit::Failed);
    }
    let target = Target::run("reset");
    let answer = if arguments.keep_prices {
        context.client.post_json(&target, &ResetRequest { keep_prices: true }).await?
    } else {
        context.client.post(&target).await?
    };
    say(&answer, arguments.json, context)?;
    Ok(Exit::Done)
}

fn confirm(arguments: &ResetArguments, context: &mut Context) -> Result<bool, Failure> {
    if !context.streams.is_input_terminal() {
        return Err(Failure::Unconfirmed);
    }
    let what = if arguments.keep_prices {
        "the run, the analytics and the logs (the prices stay)"
    } else {
        "the run, ALL CACHED PRICES, the analytics and the logs"
    };
    let question = format!("Clear {what} of {}? [y/N]", context.client.server());
    let answer = context.streams.ask(&question)?;
    Ok(answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes")))
}
