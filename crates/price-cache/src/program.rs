//! From the command line to an exit code.

use std::process::ExitCode;

use price_cache_cli::arguments::{Arguments, Command, GlobalArguments, LocalCommand, ServerArguments};
use price_cache_cli::{Exit, Streams, documents};

use crate::commands;
use crate::configuration::ConfigurationError;

/// The program `price-cache`.
pub fn client_main() -> ExitCode {
    let Arguments { mut global, command } = Arguments::from_command_line();
    global.server = global.server.or_else(|| commands::configured_server(&global.config));
    let mut streams = Streams::system();
    let Some(runtime) = runtime(&mut streams) else { return Exit::Failed.into() };
    let exit = match command {
        Command::Remote(command) => {
            runtime.block_on(price_cache_cli::commands::run(&command, &global, streams))
        }
        Command::Local(command) => {
            let result = runtime.block_on(local(&command, &global, &mut streams));
            ended(result, &mut streams)
        }
    };
    // Whatever still hangs in a system call must not keep the program.
    runtime.shutdown_background();
    exit.into()
}

/// The program `price-cache-server`.
pub fn server_main() -> ExitCode {
    let arguments = ServerArguments::from_command_line();
    let mut streams = Streams::system();
    let Some(runtime) = runtime(&mut streams) else { return Exit::Failed.into() };
    let result = runtime.block_on(commands::serve::execute(&arguments.config, &mut streams));
    runtime.shutdown_background();
    ended(result, &mut streams).into()
}

fn runtime(streams: &mut Streams) -> Option<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| streams.error(&error)).ok()
}

async fn local(
    command: &LocalCommand,
    global: &GlobalArguments,
    streams: &mut Streams,
) -> anyhow::Result<Exit> {
    let config = &global.config;
    match command {
        LocalCommand::Run(arguments) => commands::run::execute(config, arguments, streams).await,
        LocalCommand::Serve => commands::serve::execute(config, streams).await,
        LocalCommand::Probe(arguments) => commands::probe::execute(config, arguments, streams).await,
        LocalCommand::Plan(arguments) => commands::plan::execute(config, arguments, streams).await,
        LocalCommand::Config { command } => commands::config::execute(config, command, streams),
        LocalCommand::Doctor(arguments) => commands::doctor::execute(config, arguments, streams).await,
        LocalCommand::Store { command } => commands::store::execute(config, command, streams),
        LocalCommand::Selftest(arguments) => commands::selftest::execute(arguments, streams).await,
        LocalCommand::Dump(arguments) => commands::dump::execute(global, arguments, streams).await,
        LocalCommand::Completions { shell } => {
            streams.data_bytes(&documents::completions(*shell))?;
            Ok(Exit::Done)
        }
        LocalCommand::Man => {
            streams.data_bytes(&documents::manual()?)?;
            Ok(Exit::Done)
        }
    }
}

fn ended(result: anyhow::Result<Exit>, streams: &mut Streams) -> Exit {
    let error = match result {
        Ok(exit) => return exit,
        Err(error) => error,
    };
    match error.downcast_ref::<ConfigurationError>() {
        // It shows lines of the file, which must keep their shape.
        Some(error) => {
            streams.human(&error.to_string());
            Exit::Usage
        }
        // The reader of the output has seen enough.
        None if is_broken_pipe(&error) => Exit::Done,
        None => {
            streams.error(error.as_ref());
            Exit::Failed
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
