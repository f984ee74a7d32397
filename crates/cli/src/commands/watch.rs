//! `--watch`: asks for the status every second and shows it until the run ends. A server that goes away meanwhile, as for
//! a restart, is waited for.

use std::time::Instant;

use price_cache_api_types::{RunStatus, Status};

use super::Failure;
use crate::client::{Answer, ClientError, Target};
use crate::render::progress::Progress;
use crate::render::{self, text};
use crate::{Context, Exit};

/// A server that restarts is waited for; after this many questions without an answer it is taken for gone.
const UNANSWERED_MAX: u32 = 60;

/// What a person reads who ends the watch with Ctrl-C.
const LEFT: &str = "no longer watching; a run goes on without it, until `price-cache stop`";

/// Watches the run that was just started. The exit code tells how it ended.
pub(super) async fn until_ended(context: &mut Context) -> Result<Exit, Failure> {
    let Some(status) = follow(context, has_ended).await? else { return Ok(Exit::Interrupted) };
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
    let completed = follow(context, |status| status.current_state.status == RunStatus::Completed).await?;
    Ok(if completed.is_some() { Exit::Done } else { Exit::Interrupted })
}

/// Prints the server's answer again and again, until a run is complete.
pub(super) async fn as_json(context: &mut Context) -> Result<Exit, Failure> {
    unless_left(print_answers(context)).await.unwrap_or(Ok(Exit::Interrupted))
}

async fn print_answers(context: &mut Context) -> Result<Exit, Failure> {
    let mut absence = Absence::default();
    loop {
        match ask(context).await.and_then(|answer| Ok((answer.json::<Status>()?, answer))) {
            Ok((status, answer)) => {
                absence.end();
                context.streams.data_bytes(answer.bytes())?;
                if status.current_state.status == RunStatus::Completed {
                    return Ok(Exit::Done);
                }
            }
            Err(error) => {
                if let Some(sentence) = absence.goes_on(error)? {
                    context.streams.human(&sentence);
                }
            }
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

/// Shows progress until it is over; `None` when Ctrl-C came first.
async fn follow(context: &mut Context, is_over: impl Fn(&Status) -> bool) -> Result<Option<Status>, Failure> {
    let mut progress = context.streams.progress();
    let result = unless_left(last_status(context, &mut progress, is_over)).await;
    progress.finish();
    let Some(status) = result.transpose()? else {
        context.streams.human(LEFT);
        return Ok(None);
    };
    let theme = context.streams.data_theme();
    context.streams.data(&render::status::status(&status, theme))?;
    Ok(Some(status))
}

async fn last_status(
    context: &Context,
    progress: &mut Progress,
    is_over: impl Fn(&Status) -> bool,
) -> Result<Status, ClientError> {
    let mut absence = Absence::default();
    loop {
        match ask(context).await.and_then(|answer| answer.json::<Status>()) {
            Ok(status) => {
                absence.end();
                progress.update(&status, Instant::now());
                if is_over(&status) {
                    return Ok(status);
                }
            }
            Err(error) => {
                if let Some(sentence) = absence.goes_on(error)? {
                    progress.lost(&sentence);
                }
            }
        }
        tokio::time::sleep(context.poll_interval).await;
    }
}

/// How long a server has been away that answered before, or that said itself that it needs a moment.
#[derive(Default)]
struct Absence {
    has_answered: bool,
    unanswered: u32,
    said: Option<String>,
}

impl Absence {
    fn end(&mut self) {
        *self = Self { has_answered: true, ..Self::default() };
    }

    /// What is to be said about it, unless that was said already; the error itself where there is nothing to wait for:
    /// a wrong address is reported at once.
    fn goes_on(&mut self, error: ClientError) -> Result<Option<String>, ClientError> {
        let is_away = error.is_unready() || (self.has_answered && error.exit() == Exit::Unreachable);
        if !is_away || self.unanswered >= UNANSWERED_MAX {
            return Err(error);
        }
        self.unanswered += 1;
        let sentence = Some(format!("{}; trying again", text::chain(&error)));
        let is_news = sentence != self.said;
        self.said.clone_from(&sentence);
        Ok(sentence.filter(|_| is_news))
    }
}

/// What the future brings; `None` when Ctrl-C came first.
async fn unless_left<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        brought = future => Some(brought),
        Ok(()) = tokio::signal::ctrl_c() => None,
    }
}

async fn ask(context: &Context) -> Result<Answer, ClientError> {
    context.client.get(&Target::run("status")).await
}
