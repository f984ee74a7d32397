//! The commands that a server executes: one file each, with a common way to end.

mod errors;
mod health;
mod logs;
mod prices;
mod reset;
mod retry_failed;
mod start;
mod status;
mod stop;
mod watch;

use std::io;

use price_cache_api_types::ResetAnswer;

use crate::arguments::{GlobalArguments, PricesCommand, RemoteCommand};
use crate::client::{Answer, ApiKey, ClientError};
use crate::render::text;
use crate::{Context, Exit, Streams};

/// Entries asked for at a time when an answer is read page by page.
const PAGE_LENGTH: u64 = 500;

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The server did not answer, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Stdout does not take the output, or stdin gives no answer.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
    /// A question that nobody is there to answer.
    #[error("reset asks before it clears anything, and there is no terminal to ask on; say --yes")]
    Unconfirmed,
}

/// Executes a command as the program does: with the API key of `--api-key-file` or `PRICE_CACHE_API_KEY`, and these streams.
pub async fn run(command: &RemoteCommand, global: &GlobalArguments, mut streams: Streams) -> Exit {
    match ApiKey::given(global.api_key_file.as_deref()) {
        Ok(key) => execute(command, &mut Context::new(global, key, streams)).await,
        Err(error) => {
            streams.error(&error);
            Exit::Usage
        }
    }
}

/// Executes a command and says on stderr what went wrong, if anything did.
pub async fn execute(command: &RemoteCommand, context: &mut Context) -> Exit {
    let result = match command {
        RemoteCommand::Start(arguments) => start::execute(arguments, context).await,
        RemoteCommand::Stop(arguments) => stop::execute(arguments, context).await,
        RemoteCommand::Reset(arguments) => reset::execute(arguments, context).await,
        RemoteCommand::RetryFailed(arguments) => retry_failed::execute(arguments, context).await,
        RemoteCommand::Status(arguments) => status::execute(arguments, context).await,
        RemoteCommand::Health => health::execute(context).await,
        RemoteCommand::Errors(arguments) => errors::execute(arguments, context).await,
        RemoteCommand::Logs(arguments) => logs::execute(arguments, context).await,
        RemoteCommand::Prices { command: PricesCommand::Get(arguments) } => {
            prices::get(arguments, context).await
        }
        RemoteCommand::Prices { command: PricesCommand::List(arguments) } => {
            prices::list(arguments, context).await
        }
    };
    result.unwrap_or_else(|failure| report(&failure, context))
}

/// What the server says to a command: its sentence for a person, or all of it for a program.
fn say(answer: &Answer, json: bool, context: &mut Context) -> Result<(), Failure> {
    if json {
        context.streams.data_bytes(answer.bytes())?;
    } else {
        // The answers of the other commands have a state besides.
        let said: ResetAnswer = answer.json()?;
        context.streams.human(&text::clean(&said.message));
    }
    Ok(())
}

fn report(failure: &Failure, context: &mut Context) -> Exit {
    match failure {
        // The reader of a pipe has seen enough.
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Failure::Output(_) => {
            context.streams.error(failure);
            Exit::Failed
        }
        Failure::Unconfirmed => {
            context.streams.error(failure);
            Exit::Usage
        }
        Failure::Client(error) => {
            context.streams.error(error);
            if error.is_absent() {
                let config = context.config.display();
                context.streams.human(&format!(
                    "start one with `price-cache serve --config {config}`, or name another with --server URL"
                ));
            }
            if error.wants_key() {
                context
                    .streams
                    .human("give the server's API key with --api-key-file FILE or in PRICE_CACHE_API_KEY");
            }
            error.exit()
        }
    }
}

#[cfg(test)]
mod tests;
