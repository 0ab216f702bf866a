//! What can be typed.

mod operate;

pub use operate::{AccessKeyCommand, BackupFlags, DoctorFlags, KeysCommand, RestoreFlags, UserCommand};

use crate::config::Layer;
use crate::public_url::PublicUrl;
use clap::{Args, Parser, Subcommand};
use countersign_model::Timestamp;
use countersign_model::names::{AccountAlias, EmailAddress};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  countersign serve                    Serve the pages at http://localhost:8080; everything is kept in ./data
  countersign serve --demo             Look around in a furnished house that goes away when it stops
  countersign account create --alias acme --owner owner@example.com
  countersign account list --json
  countersign backup --output /backup/countersign.db
  countersign doctor                   Is everything as it should be?

Exit status: 0 done, 1 refused or failed with the reason on standard error, 2 the command line was wrong.";

const SERVE_EXAMPLES: &str = "\
Examples:
  countersign serve
      The pages at http://localhost:8080, for this machine alone. The first start prints a link that makes
      the first account.
  countersign serve --listen 0.0.0.0:443 --public-url https://logon.example.com \\
          --tls-cert cert.pem --tls-key key.pem
      For everybody, TLS ended here.
  countersign serve --public-url https://logon.example.com --trusted-proxy-hops 1
      For everybody, behind a proxy on this machine that ends TLS.
  countersign serve --demo
      A throw-away account with an owner, an administrator and forty users in every state.

Every flag but --demo is also a key of the configuration file and a variable of the environment:
--public-url is public_url = \"…\" and COUNTERSIGN_PUBLIC_URL. A flag overrides the environment, which
overrides the file. The file alone, or the environment, has: suffix, issuer, hash_memory_mib, [mail],
log, log_format.

Stop it with Ctrl-C or SIGTERM.";

const CREATE_EXAMPLES: &str = "\
Examples:
  countersign account create --alias acme --owner owner@example.com
      Asks for the password twice, on the terminal.
  countersign account create --alias acme --owner owner@example.com --password-stdin --json < password.txt";

const RESET_PASSWORD_EXAMPLES: &str = "\
Examples:
  countersign account reset-password --account acme
      Prints a random password, once. The owner has to change it at the next logon.
  countersign account reset-password --account 1234567890123456 --password-stdin < password.txt";

const MAIL_TEST_EXAMPLES: &str = "\
Example:
  countersign mail test --to owner@example.com --config /etc/countersign.toml";
const VERIFY_EXAMPLES: &str = "\
Examples:
  countersign audit verify
      All logs, in the database.
  countersign audit verify --account acme --checkpoint /mnt/elsewhere/audit-checkpoints.jsonl
      Also finds a log that became shorter, or was replaced by another one or an old copy.
  countersign audit verify --export acme.jsonl --public-key countersign.pub
      An export, without database and keys.

Exit status: 0 everything is as it was written, 1 somebody meddled, 2 it cannot be told.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  countersign audit export --account acme --output acme.jsonl
  countersign audit export --account acme --since 2026-01-01 --until 2026-02-01 --format csv > january.csv

Times are UTC: 2026-01-31, or 2026-01-31T18:00:00Z. A jsonl export can be verified; csv is for spreadsheets.";

/// Countersign guards logon: accounts with an owner, RAM users under them, passwords and second factors.
///
/// One binary that an organisation runs for itself. `serve` starts it; the other commands are for the operator, on the
/// host, and work whether the server runs or not.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeFlags>),
    /// Make and list accounts, and let an owner back in.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Lift the locks on somebody, and see who is locked.
    #[command(subcommand)]
    User(UserCommand),
    /// Make the first AccessKey of an account, for programs that call the API.
    #[command(subcommand)]
    AccessKey(AccessKeyCommand),
    /// Copy the database, while the server runs or not; with the keys on demand.
    #[command(after_help = operate::BACKUP_EXAMPLES)]
    Backup(BackupFlags),
    /// Put a backup in place, and end whatever it holds open.
    #[command(after_help = operate::RESTORE_EXAMPLES)]
    Restore(RestoreFlags),
    /// See the keys that seal secrets, and rotate them.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Look at the whole installation, and say what to do.
    #[command(after_help = operate::DOCTOR_EXAMPLES)]
    Doctor(DoctorFlags),
    /// See whether mail arrives.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Verify and export the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// The flags of `serve`.
#[derive(Debug, Args)]
pub struct ServeFlags {
    /// Where everything is kept.
    #[command(flatten)]
    pub place: Place,
    /// Address and port of the pages [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Address and port of the RAM API, for SDKs [default: 127.0.0.1:8081].
    #[arg(long, value_name = "ADDR")]
    pub api_listen: Option<SocketAddr>,
    /// Address and port of /healthz, /readyz and /metrics; keep it private [default: 127.0.0.1:8082].
    #[arg(long, value_name = "ADDR")]
    pub ops_listen: Option<SocketAddr>,
    /// The address that people type; links and cookies come from it [default: `http://localhost:8080`].
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,
    /// The certificate chain, PEM. Read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate, PEM.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// How many proxies stand in front, each adding the client's address to X-Forwarded-For [default: 0].
    #[arg(long, value_name = "N")]
    pub trusted_proxy_hops: Option<usize>,
    /// Serve plain http to other machines: whoever is on the way reads passwords and codes.
    #[arg(long)]
    pub danger_insecure_http: bool,
    /// Start although security keys and passkeys were registered at another host: they serve nobody here.
    #[arg(long)]
    pub danger_strand_keys: bool,
    /// Look around: a throw-away account with forty users, in a folder that goes away at the end.
    #[arg(long, conflicts_with_all = ["data", "database"])]
    pub demo: bool,
}

/// Where everything is kept.
#[derive(Debug, Args)]
pub struct Place {
    /// The folder of the database and the key ring [default: ./data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A PostgreSQL URL instead of SQLite in the folder. Others on the host can read it here: the variable
    /// `COUNTERSIGN_DATABASE` is the better place.
    #[arg(long, value_name = "URL")]
    pub database: Option<SecretString>,
    /// The configuration file [default: countersign.toml in the data folder, if there is one].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The commands for accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account with its owner.
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// The alias: 3 to 32 lower-case letters, digits and hyphens. Users log on as name@ALIAS.
        #[arg(long, value_parser = alias)]
        alias: AccountAlias,
        /// The owner's email address, with which he logs on.
        #[arg(long, value_name = "EMAIL", value_parser = email)]
        owner: EmailAddress,
        /// Read the password from standard input instead of asking for it.
        #[arg(long)]
        password_stdin: bool,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
    /// List all accounts.
    List {
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
    /// Take the MFA device off the owner of an account, who lost it. His sessions end.
    ResetMfa {
        /// The alias or the id of the account.
        #[arg(long, value_name = "ALIAS_OR_ID")]
        account: String,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
    /// Give the owner of an account a new password. His sessions end.
    #[command(after_help = RESET_PASSWORD_EXAMPLES)]
    ResetPassword {
        /// The alias or the id of the account.
        #[arg(long, value_name = "ALIAS_OR_ID")]
        account: String,
        /// Read the new password from standard input instead of making a random one.
        #[arg(long)]
        password_stdin: bool,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
    /// Take the present time for right, after a clock that ran ahead. Of all accounts.
    #[command(after_help = operate::CLOCK_EXAMPLES)]
    ClockReset {
        /// The clock of this machine is right now.
        #[arg(long)]
        yes: bool,
        /// Unbind the devices that would stay locked until the wrong time comes.
        #[arg(long)]
        unbind_stuck: bool,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
}

/// The commands for mail.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Send a test mail by the configured server, and tell what the server said.
    #[command(after_help = MAIL_TEST_EXAMPLES)]
    Test {
        /// To whom.
        #[arg(long, value_name = "ADDR", value_parser = email)]
        to: EmailAddress,
        /// In which language.
        #[arg(long, value_name = "TAG", default_value = "en", value_parser = ["en", "zh-CN"])]
        language: String,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
}

/// The commands for the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify that nobody has changed, removed or reordered entries.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify {
        /// The alias or the id of one account [default: all].
        #[arg(long, value_name = "ALIAS_OR_ID")]
        account: Option<String>,
        /// A copy of the checkpoint file (audit-checkpoints.jsonl); several may be named.
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// Verify this export instead, without the database.
        #[arg(long, value_name = "FILE", requires = "public_key", conflicts_with_all = ["account", "checkpoint"])]
        export: Option<PathBuf>,
        /// What `countersign audit public-key` printed.
        #[arg(long, value_name = "FILE", requires = "export")]
        public_key: Option<PathBuf>,
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
    /// Write the log of an account out. The log says that it was done.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        /// The alias or the id of the account.
        #[arg(long, value_name = "ALIAS_OR_ID")]
        account: String,
        /// From this time on.
        #[arg(long, value_name = "TIME", value_parser = instant)]
        since: Option<Timestamp>,
        /// Up to this time, not with it.
        #[arg(long, value_name = "TIME", value_parser = instant)]
        until: Option<Timestamp>,
        /// How it is written.
        #[arg(long, value_enum, default_value_t = LogShape::Jsonl)]
        format: LogShape,
        /// A new file, instead of standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Where everything is kept.
        #[command(flatten)]
        place: Place,
    },
    /// Print the public keys with which exports and checkpoints are verified.
    PublicKey {
        /// How it is done.
        #[command(flatten)]
        common: Common,
    },
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogShape {
    /// Lines of JSON, which can be verified.
    Jsonl,
    /// Comma-separated values, for spreadsheets.
    Csv,
    /// Calls, what was done in the console, and logons, in the shape of the cloud's audit events.
    #[value(name = "actiontrail")]
    ActionTrail,
}

/// What the operator's commands share.
#[derive(Debug, Args)]
pub struct Common {
    /// Where everything is kept.
    #[command(flatten)]
    pub place: Place,
    /// Answer in JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

impl ServeFlags {
    /// The settings among the flags.
    #[must_use]
    pub fn layer(self) -> Layer {
        Layer {
            listen: self.listen,
            api_listen: self.api_listen,
            ops_listen: self.ops_listen,
            public_url: self.public_url,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            trusted_proxy_hops: self.trusted_proxy_hops,
            danger_insecure_http: self.danger_insecure_http.then_some(true),
            danger_strand_keys: self.danger_strand_keys.then_some(true),
            ..self.place.layer()
        }
    }
}

impl Place {
    /// The settings among the flags.
    #[must_use]
    pub fn layer(self) -> Layer {
        Layer { data: self.data, database: self.database, ..Layer::default() }
    }
}

fn alias(text: &str) -> Result<AccountAlias, &'static str> {
    AccountAlias::parse(text).map_err(
        |_| "3 to 32 lower-case letters, digits and hyphens, not digits alone, no hyphen first, last or doubled",
    )
}

fn instant(text: &str) -> Result<Timestamp, &'static str> {
    let midnight = format!("{text}T00:00:00Z");
    let parsed = Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&midnight));
    parsed.ok_or("a time looks like 2026-01-31 or 2026-01-31T18:00:00Z")
}

fn email(text: &str) -> Result<EmailAddress, &'static str> {
    EmailAddress::parse(text).map_err(|_| "an email address has one @ and a domain, as owner@example.com")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_demo_never_touches_data() {
        assert!(Cli::try_parse_from(["countersign", "serve", "--demo", "--data", "x"]).is_err());
        assert!(Cli::try_parse_from(["countersign", "serve", "--demo", "--database", "postgres:///x"]).is_err());
        assert!(Cli::try_parse_from(["countersign", "serve", "--demo", "--listen", "127.0.0.1:0"]).is_ok());
    }

    #[test]
    fn what_is_typed_wrong_is_explained() {
        let refusal = |args: &[&str]| Cli::try_parse_from(args).unwrap_err().to_string();
        let create = |alias, owner| refusal(&["countersign", "account", "create", "--alias", alias, "--owner", owner]);
        assert!(create("Acme", "o@x.example").contains("lower-case"));
        assert!(create("acme", "owner").contains("one @"));
        let export = |since| refusal(&["countersign", "audit", "export", "--account", "acme", "--since", since]);
        assert!(export("yesterday").contains("2026-01-31"));
        assert!(refusal(&["countersign", "audit", "verify", "--export", "x"]).contains("--public-key"));
        assert!(refusal(&["countersign", "serve", "--public-url", "localhost"]).contains("http://localhost:8080"));
        assert!(refusal(&["countersign", "serve", "--lisen", "x"]).contains("--listen"));
    }
}
