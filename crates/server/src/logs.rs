//! The log: one line an event on standard error, text for people, JSON for programs. Nothing that is logged holds a secret.

use crate::config::LogFormat;
use crate::failure::Failure;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Begins to log. `filter` is levels by module, as `info` or `info,countersign=debug`.
pub(crate) fn begin(filter: &str, format: Option<LogFormat>) -> Result<(), Failure> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|error| Failure::new(format!("log cannot be used: {error}. Write it like info,countersign=debug")))?;
    let terminal = std::io::stderr().is_terminal();
    let chosen = format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    // A log that cannot be written, on a full disk for instance, must not stop the request: it is told of on the very stream
    // that just failed, which panics.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let begun = match chosen {
        LogFormat::Text => builder.with_ansi(terminal).with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    };
    begun.map_err(|error| Failure::new(format!("the log does not start: {error}")))?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // Without its message: that could hold what a person typed.
        tracing::error!(place, "a part of the server panicked");
    }));
    Ok(())
}
