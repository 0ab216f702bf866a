//! A PostgreSQL to throw away.
//!
//! The first test that asks for one starts a cluster for this user of the machine; every test gets a database of its own
//! in it; a small shell script stops and removes it when nobody has used it for a while. The cluster listens on a
//! socket in its folder only, and forgets everything when the machine stops (`fsync=off`).
//!
//! Three locks keep it right between processes, and the kernel drops them when a process dies, however it dies:
//! `users` is shared by all who have a database and exclusive for the script when it ends the cluster; `start` is held
//! by the one who looks whether the cluster lives and starts it; `supervisor` is held by the script.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot have its database stops, and says why")]

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The databases of this process so far.
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of one's own, dropped with the value.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    database: String,
    /// Keeps the cluster up.
    #[expect(dead_code, reason = "held, not used")]
    user: File,
}

impl Postgres {
    /// An empty database.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn throw_away() -> Self {
        let cluster = Cluster::of_this_user();
        let user = cluster.enter();
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let database = format!("t_{}_{number}", process::id());
        // A process of the same id may have died before it dropped its own.
        cluster.sql(&[
            &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
            &format!("CREATE DATABASE {database}{}", cluster.strategy()),
        ]);
        Self { cluster, database, user }
    }

    /// The URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgresql:///{}?host={}&user={SUPERUSER}", self.database, self.cluster.sockets().display())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.cluster.sql(&[&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database)]);
    }
}

/// The name of the database's superuser, and of the machine's user that runs the cluster when the tests run as root.
const SUPERUSER: &str = "postgres";

/// Ends the cluster in `$1`, in the folder `$2`, when nobody has held the lock `users` for about 20 seconds. `$3…` is
/// `pg_ctl`. New users wait at the lock meanwhile, and find nothing when they get it.
///
/// It goes on in the background, with the lock `supervisor` kept open as number 8.
const SUPERVISOR: &str = r#"
data=$1 folder=$2; shift 2
exec 8<&0 9>>"$folder/users"
(
    idle=0
    while [ "$idle" -lt 10 ]; do
        sleep 2 9>&-
        if flock --nonblock --exclusive 9; then
            idle=$((idle + 1))
            [ "$idle" -lt 10 ] && flock --unlock 9
        else
            idle=0
        fi
    done
    "$@" stop --pgdata "$data" --mode immediate 9>&-
    rm -rf "$folder"
) &
"#;

/// The cluster of this user of the machine.
#[derive(Debug)]
struct Cluster {
    folder: PathBuf,
    binaries: PathBuf,
    /// Whether this is root, as whom PostgreSQL does not run.
    root: bool,
}

impl Cluster {
    fn of_this_user() -> Self {
        let user = fs::metadata("/proc/self").map_or(0, |process| process.uid());
        let name = format!("countersign-test-pg-{user}");
        let mut folder = env::temp_dir().join(&name);
        // A socket's path has at most 107 bytes.
        if folder.as_os_str().len() > 60 {
            folder = Path::new("/tmp").join(name);
        }
        Self { folder, binaries: binaries(), root: user == 0 }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("cluster/data")
    }

    fn sockets(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    /// Makes sure that the cluster is up, and stays up while the returned file is open.
    fn enter(&self) -> File {
        let user = self.shared_lock();
        let start = open(&self.folder.join("start"));
        start.lock().expect("the lock of the test PostgreSQL");
        if !self.answers() {
            self.start();
        }
        self.supervise();
        user
    }

    /// The script removes the folder while it holds the lock alone. Who waited for it then has the lock of a file that is
    /// gone, and asks anew.
    fn shared_lock(&self) -> File {
        let path = self.folder.join("users");
        loop {
            self.make_folder();
            let file = open(&path);
            file.lock_shared().expect("the lock of the test PostgreSQL");
            let held = file.metadata().map(|file| file.ino()).ok();
            if held.is_some() && held == fs::metadata(&path).map(|file| file.ino()).ok() {
                return file;
            }
        }
    }

    /// Others may look into the folder, as the cluster's own user must; nobody else may write there.
    fn make_folder(&self) {
        if let Err(error) = DirBuilder::new().mode(0o755).create(&self.folder)
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            panic!("{}: {error}", self.folder.display());
        }
        let owner = fs::symlink_metadata(&self.folder).map(|folder| (folder.is_dir(), folder.uid()));
        let myself = fs::metadata("/proc/self").map(|process| process.uid());
        if let (Ok((is_folder, owner)), Ok(myself)) = (owner, myself) {
            assert!(is_folder && owner == myself, "{} belongs to somebody else", self.folder.display());
        }
    }

    fn answers(&self) -> bool {
        UnixStream::connect(self.sockets().join(".s.PGSQL.5432")).is_ok()
    }

    /// Starts a cluster from nothing. What an earlier run left behind is not trusted: it was written without `fsync`.
    fn start(&self) {
        let data = self.data();
        if data.join("postmaster.pid").exists() {
            // Fails when the process is gone, as it mostly is.
            drop(self.command("pg_ctl").args(["stop", "--mode", "immediate", "--pgdata"]).arg(&data).output());
        }
        drop(fs::remove_dir_all(self.sockets()));
        DirBuilder::new().mode(0o700).create(self.sockets()).expect("the folder of the test PostgreSQL");
        if self.root {
            let user = output(Command::new("id").args(["-u", SUPERUSER]));
            let user = user.trim().parse().expect("the number of the user postgres");
            chown(self.sockets(), Some(user), None).expect("the folder of the test PostgreSQL");
        }
        self.initialise();
        output(
            self.command("pg_ctl")
                .args(["start", "--wait", "--silent", "--pgdata"])
                .arg(&data)
                .arg("--log")
                .arg(self.sockets().join("log"))
                .args(["--options", &settings(&self.sockets())]),
        );
    }

    /// A database that sorts as people do shows where a `COLLATE "C"` is missing. Not every build can.
    fn initialise(&self) {
        let initdb = |locale: &[&str]| {
            let mut command = self.command("initdb");
            command.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
            command.args(["--username", SUPERUSER]).args(locale).arg("--pgdata").arg(self.data());
            command
        };
        let natural = initdb(&["--locale-provider=icu", "--icu-locale=en"]).output();
        if !natural.is_ok_and(|natural| natural.status.success()) {
            output(&mut initdb(&[]));
        }
    }

    /// Starts the script, unless it runs.
    fn supervise(&self) {
        let lock = open(&self.folder.join("supervisor"));
        if lock.try_lock().is_err() {
            return;
        }
        let pg_ctl = self.command("pg_ctl");
        let mut script = Command::new("sh");
        script.args(["-c", SUPERVISOR, "countersign-test-pg"]).arg(self.data()).arg(&self.folder);
        script.arg(pg_ctl.get_program()).args(pg_ctl.get_args());
        script.current_dir("/").stdin(lock).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let started = script.status().expect("a shell to look after the test PostgreSQL");
        assert!(started.success(), "the script that looks after the test PostgreSQL: {started}");
    }

    /// Copying files is three times as fast as the way that is the default since version 15, when the word came in.
    fn strategy(&self) -> &'static str {
        let version = fs::read_to_string(self.data().join("PG_VERSION")).unwrap_or_default();
        let has_the_word = version.trim().parse::<u32>().is_ok_and(|version| version >= 15);
        if has_the_word { " STRATEGY file_copy" } else { "" }
    }

    /// Runs statements as the superuser.
    fn sql(&self, statements: &[&str]) {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--username", SUPERUSER, "--dbname", "postgres", "--host"]);
        psql.arg(self.sockets()).args(["--set", "ON_ERROR_STOP=1"]);
        psql.env("PGOPTIONS", "--client-min-messages=warning");
        for statement in statements {
            psql.args(["--command", statement]);
        }
        output(&mut psql);
    }

    /// One of PostgreSQL's programs, as a user whom it accepts.
    fn command(&self, program: &str) -> Command {
        let program = self.binaries.join(program);
        let mut command = if self.root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", SUPERUSER, "--regid", SUPERUSER, "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        command
    }
}

fn settings(sockets: &Path) -> String {
    format!(
        "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=300 -c shared_buffers=64MB \
         -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal -c max_wal_senders=0 \
         -c jit=off -c deadlock_timeout=100ms",
        sockets.display()
    )
}

/// The newest PostgreSQL of the machine.
fn binaries() -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let places = versions.into_iter().rev().map(|(_, place)| place).chain(on_path);
    places.into_iter().find(|place| place.join("initdb").is_file() && place.join("psql").is_file()).expect(
        "these tests need PostgreSQL's initdb, pg_ctl and psql, in the PATH or under /usr/lib/postgresql: \
             `apt-get install postgresql`",
    )
}

fn open(path: &Path) -> File {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a command to its end.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {} {said} {complained}", output.status);
    said.into_owned()
}
