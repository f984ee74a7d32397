//! `status`: where the run is, once or again and again.

use price_cache_api_types::Status;

use super::{Failure, watch};
use crate::arguments::StatusArguments;
use crate::client::Target;
use crate::render;
use crate::{Context, Exit};

pub(super) async fn execute(arguments: &StatusArguments, context: &mut Context) -> Result<Exit, Failure> {
    match (arguments.watch, arguments.json) {
        (true, true) => watch::as_json(context).await,
        (true, false) => watch::until_completed(context).await,
        (false, true) => {
            let answer = context.client.get(&Target::run("status")).await?;
            context.streams.data_bytes(answer.bytes())?;
            Ok(Exit::Done)
        }
        (false, false) => {
            let status: Status = context.client.get(&Target::run("status")).await?.json()?;
            let theme = context.streams.data_theme();
            context.streams.data(&render::status::status(&status, theme))?;
            Ok(Exit::Done)
        }
    }
}
