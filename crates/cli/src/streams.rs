//! Where a command writes and reads: data on stdout, words for people on stderr, answers from stdin.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use console::Term;

use crate::render::progress::Progress;
use crate::render::{Theme, Tone, text};

/// Lines longer than this are no answer to a question, in bytes.
const ANSWER_LENGTH_MAX: u64 = 1024;

/// The three streams of a command, replaceable in tests.
pub struct Streams {
    data: Box<dyn Write + Send>,
    human: Box<dyn Write + Send>,
    human_again: Box<dyn Fn() -> Box<dyn Write + Send> + Send>,
    input: Box<dyn BufRead + Send>,
    data_theme: Theme,
    human_theme: Theme,
    is_input_terminal: bool,
    can_draw_bars: bool,
}

impl Streams {
    /// Stdout, stderr and stdin. Colour only on terminals that want it (`NO_COLOR`, `CLICOLOR`, `TERM`).
    #[must_use]
    pub fn system() -> Self {
        Self {
            data_theme: theme(&io::stdout(), &Term::stdout()),
            human_theme: theme(&io::stderr(), &Term::stderr()),
            // Nothing is stripped on the way: what is printed unchanged must stay unchanged. The themes decide on colour.
            data: Box::new(AutoStream::always_ansi(io::stdout())),
            human: Box::new(AutoStream::always_ansi(io::stderr())),
            human_again: Box::new(|| Box::new(AutoStream::always_ansi(io::stderr()))),
            input: Box::new(BufReader::new(io::stdin())),
            is_input_terminal: io::stdin().is_terminal(),
            can_draw_bars: io::stderr().is_terminal() && can_move_cursor(),
        }
    }

    /// Streams of the caller's choice, none of them a terminal unless `is_input_terminal` says so for the input.
    #[must_use]
    pub fn new(
        data: impl Write + Send + 'static,
        human: impl Write + Clone + Send + 'static,
        input: impl BufRead + Send + 'static,
        is_input_terminal: bool,
    ) -> Self {
        Self {
            data: Box::new(data),
            human: Box::new(human.clone()),
            human_again: Box::new(move || Box::new(human.clone())),
            input: Box::new(input),
            data_theme: Theme::PLAIN,
            human_theme: Theme::PLAIN,
            is_input_terminal,
            can_draw_bars: false,
        }
    }

    /// How wide stdout is, and whether it takes colour.
    #[must_use]
    pub const fn data_theme(&self) -> Theme {
        self.data_theme
    }

    /// How wide stderr is, and whether it takes colour.
    #[must_use]
    pub const fn human_theme(&self) -> Theme {
        self.human_theme
    }

    /// Progress on stderr: bars when it is a terminal, lines when it is not.
    #[must_use]
    pub fn progress(&self) -> Progress {
        if self.can_draw_bars {
            Progress::bars(self.human_theme)
        } else {
            Progress::lines((self.human_again)())
        }
    }

    /// Whether a person can be asked.
    #[must_use]
    pub const fn is_input_terminal(&self) -> bool {
        self.is_input_terminal
    }

    /// Writes a text and a line feed to stdout.
    ///
    /// # Errors
    /// When it cannot be written; a reader that went away is [`io::ErrorKind::BrokenPipe`].
    pub fn data(&mut self, text: &str) -> io::Result<()> {
        self.data_bytes(text.as_bytes())
    }

    /// Writes bytes, unchanged, and a line feed to stdout.
    ///
    /// # Errors
    /// As [`Streams::data`].
    pub fn data_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.data.write_all(bytes)?;
        self.data.write_all(b"\n")?;
        self.data.flush()
    }

    /// Writes a text and a line feed to stderr. Nobody is left to tell when that fails.
    pub fn human(&mut self, text: &str) {
        let _ = writeln!(self.human, "{text}").and_then(|()| self.human.flush());
    }

    /// Reports an error with all its causes on stderr, as one line that begins with `error:`.
    pub fn error(&mut self, error: &dyn std::error::Error) {
        let line = text::chain(error);
        let label = self.human_theme.paint(Tone::Bad, "error:");
        self.human(&format!("{label} {line}"));
    }

    /// Asks on stderr and reads one line; `None` when there is no more input.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let _ = write!(self.human, "{question} ").and_then(|()| self.human.flush());
        let mut answer = String::new();
        let length = io::Read::take(&mut self.input, ANSWER_LENGTH_MAX).read_line(&mut answer)?;
        Ok((length > 0).then(|| answer.trim().to_owned()))
    }
}

fn theme<S: anstream::stream::RawStream>(stream: &S, terminal: &Term) -> Theme {
    Theme {
        width: stream.is_terminal().then(|| terminal.size().1),
        color: AutoStream::choice(stream) != ColorChoice::Never,
    }
}

/// Whether the terminal is more than a printer: editors and CI systems that are not say `TERM=dumb`.
fn can_move_cursor() -> bool {
    std::env::var_os("TERM").is_none_or(|kind| kind != "dumb")
}
