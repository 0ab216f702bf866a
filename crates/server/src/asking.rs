//! Passwords and passphrases: asked for on the terminal, or read from standard input. Never on the command line, where
//! everybody on the host sees them.

use crate::failure::Failure;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use std::io::{IsTerminal as _, Read as _};

/// More than the longest password has.
const MAX_INPUT_BYTES: u64 = 8 * 1024;

/// How a passphrase comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passphrase {
    /// By standard input.
    Stdin,
    /// Asked for, once: it is known already.
    Known,
    /// Asked for twice: it is a new one.
    New,
}

impl Passphrase {
    /// Reads it.
    pub(crate) fn read(self) -> Result<SecretString, Failure> {
        match self {
            Self::Stdin => from_stdin("passphrase"),
            Self::Known => {
                require_terminal("passphrase")?;
                asked("Passphrase: ")
            }
            Self::New => asked_twice("passphrase", ["Passphrase: ", "Passphrase again: "]),
        }
    }
}

/// A new password from the terminal.
pub(crate) fn password_asked_twice() -> Result<SecretString, Failure> {
    asked_twice("password", ["Password: ", "Password again: "])
}

/// A password from standard input.
pub(crate) fn password_from_stdin() -> Result<SecretString, Failure> {
    from_stdin("password")
}

fn asked_twice(what: &str, [first, second]: [&str; 2]) -> Result<SecretString, Failure> {
    require_terminal(what)?;
    let (first, second) = (asked(first)?, asked(second)?);
    if first.expose_secret() == second.expose_secret() {
        return Ok(first);
    }
    Err(Failure::new(format!("the two {what}s differ: nothing was done, try again")))
}

fn require_terminal(what: &str) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::new(format!("there is no terminal to ask for the {what}: pass it with --{what}-stdin")))
}

fn asked(prompt: &str) -> Result<SecretString, Failure> {
    let typed = rpassword::prompt_password(prompt);
    let typed = typed.map_err(|error| Failure::new(format!("what was typed cannot be read: {error}")))?;
    Ok(SecretString::from(typed))
}

/// One line; what ends it is not part of it.
fn from_stdin(what: &str) -> Result<SecretString, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    let read = std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_string(&mut text);
    read.map_err(|error| Failure::new(format!("the {what} cannot be read from standard input: {error}")))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains(['\n', '\r']) {
        return Err(Failure::new(format!("standard input has to hold the {what} and nothing else, on one line")));
    }
    Ok(SecretString::from(line))
}
