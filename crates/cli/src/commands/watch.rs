//! `--watch`: asks for the status every second and shows it until the run ends.

use std::time::Instant;

use price_cache_api_types::{RunStatus, Status};

use super::Failure;
use crate::client::{Answer, ClientError, Target};
use crate::render::progress::Progress;
use crate::render::{self, text};
use crate::{Context, Exit};

/// A server that restarts is waited for; after this many questions without an answer it is taken for gone.
const UNANSWERED_MAX: u32 = 30;

/// Watches the run that was just started. The exit code tells how it ended.
pub(super) async fn until_ended(context: &mut Context) -> Result<Exit, Failure> {
    let status = follow(context, has_ended).await?;
    let failed = render::status::Totals::of(&status).failed;
    Ok(match status.current_state.status {
        RunStatus::Completed if failed > 0 => Exit::FailedProducts,
        RunStatus::Completed => Exit::Done,
        RunStatus::Paused => Exit::Interrupted,
        RunStatus::Idle | RunStatus::Initializing | RunStatus::Processing | RunStatus::Error => Exit::Failed,
    })
}

/// Watches whatever happens until a run is complete.
pub(super) async fn until_completed(context: &mut Context) -> Result<Exit, Failure> {
    follow(context, |status| status.current_state.status == RunStatus::Completed).await?;
    Ok(Exit::Done)
}

/// Prints the server's answer again and again, until a run is complete.
pub(super) async fn as_json(context: &mut Context) -> Result<Exit, Failure> {
    loop {
        let answer = ask(context).await?;
        context.streams.data_bytes(answer.bytes())?;
        let status: Status = answer.json()?;
        if status.current_state.status == RunStatus::Completed {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(context.poll_interval).await;
    }
}

/// A run has ended when nothing will change without a new command.
fn has_ended(status: &Status) -> bool {
    match status.current_state.status {
        RunStatus::Initializing | RunStatus::Processing => false,
        RunStatus::Error => status.current_state.retry_at.is_none(),
        RunStatus::Idle | RunStatus::Paused | RunStatus::Completed => true,
    }
}

async fn follow(context: &mut Context, is_over: impl Fn(&Status) -> bool) -> Result<Status, Failure> {
    let mut progress = context.streams.progress();
    let result = last_status(context, &mut progress, is_over).await;
    progress.finish();
    let status = result?;
    let theme = context.streams.data_theme();
    context.streams.data(&render::status::status(&status, theme))?;
    Ok(status)
}

/// A wrong address is reported at once; a server that has answered before may be away for a while.
async fn last_status(
    context: &Context,
    progress: &mut Progress,
    is_over: impl Fn(&Status) -> bool,
) -> Result<Status, ClientError> {
    let mut unanswered = UNANSWERED_MAX;
    loop {
        match ask(context).await.and_then(|answer| answer.json::<Status>()) {
            Ok(status) => {
                unanswered = 0;
                progress.update(&status, Instant::now());
                if is_over(&status) {
                    return Ok(status);
                }
            }
            Err(error) if error.exit() == Exit::Unreachable && unanswered < UNANSWERED_MAX => {
                if unanswered == 0 {
                    progress.say(&format!("{}; trying again", text::chain(&error)));
                }
                unanswered += 1;
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(context.poll_interval).await;
    }
}

async fn ask(context: &Context) -> Result<Answer, ClientError> {
    context.client.get(&Target::run("status")).await
}
