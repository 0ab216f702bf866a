//! The binary `countersign`. Everything it does is in the library of the same name.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::run(countersign::Cli::parse())
}
