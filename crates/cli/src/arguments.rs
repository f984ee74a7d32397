//! The whole command line as types: options for every command, commands of the server, commands executed in-process.

mod local;
mod remote;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use local::{
    ConfigCommand, DoctorArguments, DumpArguments, InitArguments, LocalCommand, PlanArguments,
    ProbeArguments, RunArguments, SelftestArguments, StoreCommand, StoreMoveArguments,
};
pub use remote::{
    ErrorsArguments, GetArguments, ListArguments, LogsArguments, PricesCommand, RemoteCommand,
    ResetArguments, RetryFailedArguments, StartArguments, StatusArguments, StopArguments,
};

use crate::client::ServerAddress;

/// Ids longer than this do not exist, in bytes.
const ID_LENGTH_MAX: usize = 512;

/// What a person typed.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "price-cache",
    version,
    about = "Walks every product of every market politely, keeps every price and serves it",
    after_help = "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 refused in this state, \
                  4 cannot reach the server, 5 finished with failed products, 130 interrupted.",
    propagate_version = true,
    max_term_width = 110
)]
pub struct Arguments {
    /// The options that every command takes.
    #[command(flatten)]
    pub global: GlobalArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// What the program was called with. Help, the version and mistakes are printed, and end the program: with 0,
    /// or with 2 for a mistake.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::parse()
    }
}

/// What the server program was called with: `price-cache-server` is `price-cache serve` under a name of its own.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "price-cache-server",
    version,
    about = "Serves cached prices and walks every product of every market when told to",
    max_term_width = 110
)]
pub struct ServerArguments {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "price-cache.toml")]
    pub config: PathBuf,
}

impl ServerArguments {
    /// As [`Arguments::from_command_line`].
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::parse()
    }
}

/// Under which title the options of every command stand.
const GLOBAL_HEADING: &str = "Options of every command";

/// The options that every command takes.
#[derive(Clone, Debug, Args)]
pub struct GlobalArguments {
    /// The server that remote commands talk to; by default `server.listen` of the configuration, or http://127.0.0.1:4680
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL_HEADING,
        env = "PRICE_CACHE_SERVER",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub server: Option<ServerAddress>,
    /// The configuration of local commands
    #[arg(long, global = true, help_heading = GLOBAL_HEADING, value_name = "FILE", default_value = "price-cache.toml")]
    pub config: PathBuf,
    /// A file with the API key of the server, for servers that ask for one; by default PRICE_CACHE_API_KEY has it
    #[arg(long, global = true, help_heading = GLOBAL_HEADING, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
}

impl GlobalArguments {
    /// Returns the server that remote commands talk to.
    #[must_use]
    pub fn server(&self) -> ServerAddress {
        self.server.clone().unwrap_or_default()
    }
}

/// A command, by who executes it.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Executed by the binary, in-process.
    #[command(flatten)]
    Local(LocalCommand),
    /// Executed by a server: [`crate::commands::run`].
    #[command(flatten)]
    Remote(RemoteCommand),
}

/// Accepts the ids that a market or product can have.
fn parse_id(text: &str) -> Result<String, String> {
    if text.is_empty() {
        Err("an id cannot be empty".to_owned())
    } else if text.len() > ID_LENGTH_MAX {
        Err(format!("an id has at most {ID_LENGTH_MAX} bytes, this one has {}", text.len()))
    } else if text.chars().any(char::is_control) {
        Err("an id cannot contain control characters".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use clap::{CommandFactory, Parser};

    use super::{Arguments, Command, ConfigCommand, LocalCommand, PricesCommand, RemoteCommand};

    fn parse(words: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(std::iter::once(&"price-cache").chain(words))
    }

    fn remote(words: &[&str]) -> RemoteCommand {
        match parse(words).unwrap().command {
            Command::Remote(command) => command,
            Command::Local(command) => panic!("{command:?} is local"),
        }
    }

    fn local(words: &[&str]) -> LocalCommand {
        match parse(words).unwrap().command {
            Command::Local(command) => command,
            Command::Remote(command) => panic!("{command:?} is remote"),
        }
    }

    #[test]
    fn the_tree_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_for_every_command_may_stand_behind_it() {
        let arguments =
            parse(&["status", "--server", "http://[::1]:99/pc/", "--api-key-file", "key"]).unwrap();
        assert_eq!(arguments.global.server().to_string(), "http://[::1]:99/pc");
        assert_eq!(arguments.global.config.to_str(), Some("price-cache.toml"));
        assert_eq!(arguments.global.api_key_file.unwrap().to_str(), Some("key"));
    }

    #[test]
    fn a_server_that_cannot_be_spoken_to_is_a_usage_error() {
        for (url, reason) in [
            ("https://shop.test", "only http:// URLs"),
            ("127.0.0.1:4680", "http://"),
            ("http://user@host", "user name"),
            ("http://host/?a=b", "query"),
            ("", "http://"),
        ] {
            let error = parse(&["--server", url, "status"]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(reason), "{url}: {error}");
        }
    }

    #[test]
    fn remote_commands() {
        assert!(matches!(remote(&["start", "--watch"]), RemoteCommand::Start(a) if a.watch));
        assert!(matches!(remote(&["start", "--json"]), RemoteCommand::Start(a) if a.json && !a.watch));
        assert!(matches!(remote(&["health"]), RemoteCommand::Health));
        assert!(matches!(remote(&["stop", "--json"]), RemoteCommand::Stop(a) if a.json));
        assert!(
            matches!(remote(&["reset", "--yes", "--keep-prices"]), RemoteCommand::Reset(a) if a.yes && a.keep_prices)
        );
        assert!(matches!(
            remote(&["retry-failed", "--market", "uk", "--class", "timeout"]),
            RemoteCommand::RetryFailed(a) if a.market.as_deref() == Some("uk") && a.class.as_deref() == Some("timeout")
        ));
        assert!(
            matches!(remote(&["status", "--watch", "--json"]), RemoteCommand::Status(a) if a.watch && a.json)
        );
        assert!(
            matches!(remote(&["errors", "--limit", "7"]), RemoteCommand::Errors(a) if a.limit == 7 && !a.json)
        );
        assert!(matches!(remote(&["logs", "--failed"]), RemoteCommand::Logs(a) if a.failed && a.limit == 50));
    }

    #[test]
    fn ids_are_taken_as_they_are_typed() {
        let RemoteCommand::Prices { command: PricesCommand::Get(get) } =
            remote(&["prices", "get", "uk", "--", "-a/b c  "])
        else {
            panic!("another command");
        };
        assert_eq!((get.market.as_str(), get.product.as_str()), ("uk", "-a/b c  "));
        let long = "x".repeat(513);
        for id in ["", "a\nb", long.as_str()] {
            assert_eq!(parse(&["prices", "get", "uk", id]).unwrap_err().exit_code(), 2);
        }
    }

    #[test]
    fn local_commands() {
        assert!(matches!(local(&["run"]), LocalCommand::Run(a) if !a.json));
        assert!(matches!(local(&["serve"]), LocalCommand::Serve));
        assert!(
            matches!(local(&["probe", "--market", "uk"]), LocalCommand::Probe(a) if a.market.as_deref() == Some("uk"))
        );
        assert!(matches!(local(&["plan", "--json"]), LocalCommand::Plan(a) if a.json));
        assert!(matches!(local(&["doctor"]), LocalCommand::Doctor(a) if !a.repair && !a.json));
        assert!(
            matches!(local(&["doctor", "--repair", "--json"]), LocalCommand::Doctor(a) if a.repair && a.json)
        );
        assert!(
            matches!(local(&["selftest"]), LocalCommand::Selftest(a) if a.kills == 20 && a.seed.is_none())
        );
        assert!(
            matches!(local(&["selftest", "--kills", "5", "--seed", "1"]), LocalCommand::Selftest(a) if a.kills == 5 && a.seed == Some(1))
        );
        assert!(matches!(local(&["dump", "out"]), LocalCommand::Dump(a) if a.folder.to_str() == Some("out")));
        let LocalCommand::Config { command: ConfigCommand::Init(init) } =
            local(&["config", "init", "shop.toml", "--force"])
        else {
            panic!("another command");
        };
        assert!(init.force);
        assert_eq!(init.file.unwrap().to_str(), Some("shop.toml"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for words in [
            &["logs", "--clear", "--failed"][..],
            &["logs", "--json", "--failed"],
            &["start", "--watch", "--json"],
            &["prices", "list", "uk", "--all", "--limit", "3"],
            &["errors", "--limit", "0"],
            &["errors", "--limit", "-1"],
            &["selftest", "--kills", "0"],
            &["stat"],
            &[],
        ] {
            assert_eq!(parse(words).unwrap_err().exit_code(), 2, "{words:?}");
        }
    }

    #[test]
    fn help_names_every_command_and_the_exit_codes() {
        let help = Arguments::command().render_long_help().to_string();
        for word in [
            "run",
            "serve",
            "start",
            "stop",
            "reset",
            "retry-failed",
            "status",
            "errors",
            "logs",
            "prices",
            "probe",
            "plan",
            "config",
            "doctor",
            "selftest",
            "dump",
            "Exit codes",
        ] {
            assert!(help.contains(word), "{word} is missing:\n{help}");
        }
    }
}
