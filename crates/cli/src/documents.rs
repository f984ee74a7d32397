//! What is written from the command line's own definition: shell completions and the manual page.

use std::io;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::arguments::Arguments;

/// The completions of a shell, to be loaded by it.
#[must_use]
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut text);
    text
}

/// The manual page in roff: the program, then each of its commands.
///
/// # Errors
/// When a part cannot be rendered.
pub fn manual() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut command = Arguments::command();
    command.build();
    Man::new(command.clone()).render(&mut text)?;
    render_commands(&command, "", &mut text)?;
    Ok(text)
}

/// Each command as a section of its own, `config check` after `config`.
fn render_commands(parent: &Command, prefix: &str, text: &mut Vec<u8>) -> io::Result<()> {
    for command in parent.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("{prefix}{}", command.get_name());
        text.extend_from_slice(format!(".SH {}\n", name.to_uppercase()).as_bytes());
        let page = Man::new(command.clone());
        page.render_synopsis_section(text)?;
        page.render_description_section(text)?;
        page.render_options_section(text)?;
        render_commands(command, &format!("{name} "), text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{completions, manual};
    use clap_complete::Shell;

    #[test]
    fn completions_know_the_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = String::from_utf8(completions(shell)).unwrap();
            for word in ["retry-failed", "doctor", "prices"] {
                assert!(text.contains(word), "{shell} lacks {word}");
            }
        }
    }

    #[test]
    fn the_manual_has_every_command() {
        let text = String::from_utf8(manual().unwrap()).unwrap();
        for section in [".SH RUN", ".SH RETRY-FAILED", ".SH CONFIG CHECK", ".SH PRICES GET"] {
            assert!(text.lines().any(|line| line == section), "no section {section}");
        }
    }
}
