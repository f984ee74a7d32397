//! `errors`: the products that failed and why.

use price_cache_api_types::FailedProductsPage;

use super::{Failure, PAGE_LENGTH};
use crate::arguments::ErrorsArguments;
use crate::client::Target;
use crate::render::{self, number};
use crate::{Context, Exit};

pub(super) async fn execute(arguments: &ErrorsArguments, context: &mut Context) -> Result<Exit, Failure> {
    if arguments.json {
        let target = target(arguments, arguments.after.as_ref(), arguments.limit);
        let answer = context.client.get(&target).await?;
        context.streams.data_bytes(answer.bytes())?;
        return Ok(Exit::Done);
    }
    let mut errors = Vec::new();
    let mut after = arguments.after.clone();
    loop {
        let wanted = arguments.limit.saturating_sub(errors.len() as u64).min(PAGE_LENGTH);
        let page: FailedProductsPage =
            context.client.get(&target(arguments, after.as_ref(), wanted)).await?.json()?;
        errors.extend(page.errors);
        // A server that names the same point twice would be asked for ever.
        let is_stuck = page.next == after;
        after = page.next;
        if is_stuck || after.is_none() || errors.len() as u64 >= arguments.limit {
            break;
        }
    }
    if errors.is_empty() {
        context.streams.human("no product failed");
        return Ok(Exit::Done);
    }
    let table = render::failed_products(&errors, context.streams.data_theme());
    context.streams.data(&table)?;
    let shown = number::counted(errors.len() as u64, "failed product");
    match after {
        Some(after) => {
            let after = render::text::clean(&after).into_owned();
            context.streams.human(&format!("{shown}; there are more: --limit COUNT, or --after {after}"));
        }
        None => context.streams.human(&shown),
    }
    Ok(Exit::Done)
}

fn target(arguments: &ErrorsArguments, after: Option<&String>, limit: u64) -> Target {
    Target::run("errors")
        .query_if_some("market", arguments.market.as_ref())
        .query_if_some("class", arguments.class.as_ref())
        .query_if_some("after", after)
        .query("limit", limit)
}
