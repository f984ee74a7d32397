//! `prices get` and `prices list`: what the cache holds.

use price_cache_api_types::{PriceEntry, PricePage};

use super::{Failure, PAGE_LENGTH};
use crate::arguments::{GetArguments, ListArguments};
use crate::client::Target;
use crate::render::{self, number, text};
use crate::{Context, Exit};

/// One price: the amount and currency on stdout, its age and troubles on stderr.
pub(super) async fn get(arguments: &GetArguments, context: &mut Context) -> Result<Exit, Failure> {
    let target = Target::path(&["api", "prices", &arguments.market, &arguments.product]);
    let answer = context.client.get(&target).await?;
    if arguments.json {
        context.streams.data_bytes(answer.bytes())?;
        return Ok(Exit::Done);
    }
    let entry: PriceEntry = answer.json()?;
    if let Some(price) = &entry.price {
        context.streams.data(&text::clean(&format!("{} {}", price.amount, price.currency)))?;
    }
    context.streams.human(&render::price_note(&entry));
    Ok(if entry.price.is_some() { Exit::Done } else { Exit::Failed })
}

/// The prices of a market, page by page: memory does not grow with the market.
pub(super) async fn list(arguments: &ListArguments, context: &mut Context) -> Result<Exit, Failure> {
    let limit = if arguments.all { u64::MAX } else { arguments.limit };
    let mut after = arguments.after.clone();
    let mut shown: u64 = 0;
    loop {
        // A single JSON answer is asked for with the limit as it was typed, so that the server judges it.
        let is_single = arguments.json && !arguments.all;
        let wanted = if is_single { limit } else { limit.saturating_sub(shown).min(PAGE_LENGTH) };
        let target = Target::path(&["api", "prices", &arguments.market])
            .query_if_some("after", after.as_ref())
            .query("limit", wanted);
        let answer = context.client.get(&target).await?;
        if arguments.json {
            context.streams.data_bytes(answer.bytes())?;
            if is_single {
                return Ok(Exit::Done);
            }
        }
        let page: PricePage = answer.json()?;
        if !arguments.json && !page.prices.is_empty() {
            context.streams.data(&render::price_list(
                &page.prices,
                shown == 0,
                context.streams.data_theme(),
            ))?;
        }
        shown = shown.saturating_add(page.prices.len() as u64);
        // A server that names the same point twice would be asked for ever.
        let is_stuck = page.next == after;
        after = page.next;
        if is_stuck || after.is_none() || shown >= limit {
            break;
        }
    }
    if !arguments.json {
        let entries = number::counted(shown, "product");
        match after {
            Some(after) => {
                let after = text::clean(&after).into_owned();
                context.streams.human(&format!("{entries}; there are more: --all, or --after {after}"));
            }
            None => context.streams.human(&entries),
        }
    }
    Ok(Exit::Done)
}
