//! What can be typed by the operator beyond accounts: users, AccessKeys, backups, keys, the doctor.

use super::Common;
use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;

const UNLOCK_EXAMPLES: &str = "\
Examples:
  countersign user unlock --account acme --user alice
  countersign user unlock --account 1234567890123456 --owner";

pub(super) const BACKUP_EXAMPLES: &str = "\
Examples:
  countersign backup --output /backup/countersign-2026-01-02.db
      The database as it is at this moment. The server goes on; the file appears when it is whole and checked.
  countersign backup --output /backup/countersign.db --with-keys --passphrase-stdin < passphrase.txt
      Also /backup/countersign.db.keys, the keys under a passphrase.

An existing file is never overwritten. For PostgreSQL the command says how pg_dump does it.";

pub(super) const RESTORE_EXAMPLES: &str = "\
Examples:
  countersign restore --from /backup/countersign.db --data /var/lib/countersign
      The key ring lies in the folder already.
  countersign restore --from countersign.db --keys countersign.db.keys --passphrase-stdin < passphrase.txt
      The key ring comes from the bundle.
  countersign restore --mark
      For PostgreSQL, after pg_restore and before a server starts; or for a SQLite file that was copied by hand.

All sessions end, codes are taken again after some six minutes, recovery codes have to be made anew.";

pub(super) const DOCTOR_EXAMPLES: &str = "\
Examples:
  countersign doctor
  countersign doctor --json | jq '.checks[] | select(.status != \"ok\")'

Exit status: 0 nothing has failed, 1 something has, 2 the command line was wrong.";

pub(super) const CLOCK_EXAMPLES: &str = "\
Examples:
  countersign account clock-reset
      Says how far the clock lies behind, and changes nothing.
  countersign account clock-reset --yes
      Lists the devices that stay locked until the wrong time comes.
  countersign account clock-reset --yes --unbind-stuck
      Unbinds them; their owners log on with the password and bind anew.";

const ROTATE_EXAMPLES: &str = "\
Examples:
  countersign keys rotate
      On one node: makes a key, takes it into use, and seals everything anew. Stopped half-way, run it again.
  countersign keys rotate --prepare
      With several nodes: only puts the key into the key file. Copy that to every node, then run `keys rotate` on one.
  countersign keys rotate --resume
      Only finishes what a rotation has left.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  countersign keys export --output /safe/countersign.keys
      Asks for a passphrase twice, on the terminal.
  countersign keys export --output countersign.keys --passphrase-stdin < passphrase.txt";

const ACCESS_KEY_EXAMPLES: &str = "\
Examples:
  countersign access-key create --account acme
      A key of the owner: whoever has it may everything in the account. Make one for a user instead where that is enough.
  countersign access-key create --account acme --user deployer --json

The secret is shown once. Nobody has more than two keys; the pages list, disable and delete them.";

/// The commands for AccessKeys.
#[derive(Debug, Subcommand)]
pub enum AccessKeyCommand {
    /// Make an AccessKey for the owner of an account, or for a user of it.
    #[command(after_help = ACCESS_KEY_EXAMPLES)]
    Create {
        /// The alias or the id of the account.
        #[arg(long, value_name = "ALIAS_OR_ID")]
        account: String,
        /// The user name, without what follows the @; the owner, if it is left out.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
}

/// The commands for users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Lift every lock on a user or an owner: on the password, the device, the recovery codes.
    #[command(after_help = UNLOCK_EXAMPLES, group = ArgGroup::new("whom").required(true))]
    Unlock {
        /// The alias or the id of the account.
        #[arg(long, value_name = "ALIAS_OR_ID")]
        account: String,
        /// The user name, without what follows the @.
        #[arg(long, value_name = "NAME", group = "whom")]
        user: Option<String>,
        /// The owner of the account.
        #[arg(long, group = "whom")]
        owner: bool,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
    /// List everybody of whom a factor is locked, in all accounts.
    ListLocked {
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
}

/// The flags of `backup`.
#[derive(Debug, Args)]
pub struct BackupFlags {
    /// The file to make.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Also make FILE.keys: the keys under a passphrase.
    #[arg(long)]
    pub with_keys: bool,
    /// Read the passphrase from standard input instead of asking for it.
    #[arg(long, requires = "with_keys")]
    pub passphrase_stdin: bool,
    /// How it is done.
    #[command(flatten)]
    pub common: Common,
}

/// The flags of `restore`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub struct RestoreFlags {
    /// The backup to put in place.
    #[arg(long, value_name = "FILE", group = "what")]
    pub from: Option<PathBuf>,
    /// Mark the database that is in place already.
    #[arg(long, group = "what")]
    pub mark: bool,
    /// The bundle of the keys, when the key ring is not in its place.
    #[arg(long, value_name = "BUNDLE")]
    pub keys: Option<PathBuf>,
    /// Read the passphrase of the bundle from standard input instead of asking for it.
    #[arg(long, requires = "keys")]
    pub passphrase_stdin: bool,
    /// How it is done.
    #[command(flatten)]
    pub common: Common,
}

/// The commands for the keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the versions of the keys, and how many values each seals.
    List {
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
    /// Make a new version of the keys, and seal everything anew with it.
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate {
        /// Only put the new version into the key file.
        #[arg(long)]
        prepare: bool,
        /// Only finish what a rotation has left.
        #[arg(long, conflicts_with = "prepare")]
        resume: bool,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
    /// Write the keys into a file, under a passphrase.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        /// The file to make.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// Read the passphrase from standard input instead of asking for it.
        #[arg(long)]
        passphrase_stdin: bool,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
}

/// The flags of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorFlags {
    /// How it is done.
    #[command(flatten)]
    pub common: Common,
}
