//! Passwords: prepared (RFC 8265 `OpaqueString`), hashed with Argon2id (RFC 9106) and compared.
//!
//! A hash costs 19 MiB and some 20 ms of a core on purpose, so this service rations both: never more hashes at once than
//! cores and memory budget allow, a bounded queue in front, and work areas that are reused while there is work and
//! given back to the system when there is none. Whether a principal exists, has a password, or has a readable one
//! cannot be told by the work done.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// The longest password, in bytes of UTF-8 after preparation. The shortest has one byte; what is too weak is the
/// password policy's question.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// How many hashes may wait for each one that runs. At 64 the last in the queue waits one to two seconds.
const WAITING_PER_PERMIT: usize = 64;

/// The length of a new salt, as RFC 9106 §3.1 recommends.
const SALT_BYTES: usize = 16;

/// The length of a new tag (RFC 9106 §4).
const TAG_BYTES: usize = 32;

/// What a stored hash may ask of us at most (1 GiB); beyond that the row is damaged or hostile.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;

/// As [`MAX_MEMORY_KIB`], for the passes and for the lanes.
const MAX_PASSES_AND_LANES: u32 = 64;

/// Hashes and verifies passwords. Clones share one queue and one pool of memory.
#[derive(Clone)]
pub struct PasswordHasher {
    shared: Arc<Shared>,
}

struct Shared {
    params: Params,
    permits: usize,
    /// One permit for each hash that runs or waits: the bound of the queue.
    places: Arc<Semaphore>,
    /// One permit for each hash that runs. Tokio hands them out first come, first served.
    turns: Arc<Semaphore>,
    pool: Pool,
}

impl PasswordHasher {
    /// A service that hashes with `params` and keeps at most `memory_budget_bytes` in work areas: as many hashes at once
    /// as fit, but no more than there are cores and one (the one more begins when a core would wait for the next), and
    /// always one.
    pub fn new(params: HashParams, memory_budget_bytes: u64) -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let fitting = memory_budget_bytes / (u64::from(params.memory_kib.max(1)) * 1024);
        Self::with_permits(params, usize::try_from(fitting).unwrap_or(usize::MAX).clamp(1, cores + 1))
    }

    fn with_permits(params: HashParams, permits: usize) -> Result<Self, HashError> {
        let params = params.checked()?;
        let pool = Pool::new(params.block_count());
        let shared = Shared {
            params,
            permits,
            places: Arc::new(Semaphore::new(permits.saturating_mul(1 + WAITING_PER_PERMIT))),
            turns: Arc::new(Semaphore::new(permits)),
            pool,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The PHC string of a new password. `salt` comes from `Entropy` and is used once.
    pub async fn hash(&self, password: &SecretString, salt: [u8; SALT_BYTES]) -> Result<String, HashError> {
        let prepared = prepare(password).ok_or(HashError::Length)?;
        let salt = Salt::new(&salt).map_err(HashError::fault)?;
        let params = self.shared.params.clone();
        let output = self.derive(prepared, params.clone(), salt).await?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(HashError::fault)?,
            salt: Some(salt),
            hash: Some(output),
        };
        Ok(phc.to_string())
    }

    /// Judges `password` against the PHC string `stored`; `None` stands for "no such principal, or none with a password".
    ///
    /// The work is the same for `None`, for a password that no one can have ([`MAX_PASSWORD_BYTES`]) and for a string that
    /// cannot be read. It differs only for hashes of other parameters than the current ones, until they are rehashed.
    pub async fn verify(&self, password: &SecretString, stored: Option<String>) -> Result<Verdict, HashError> {
        let target = Target::of(stored.as_deref());
        let prepared = prepare(password);
        let possible = prepared.is_some();
        let dummy = Stored::dummy(&self.shared.params)?;
        let stored = if let Target::Readable(stored) = &target { stored.as_ref() } else { &dummy };
        let output = self.derive(prepared.unwrap_or_default(), stored.params.clone(), stored.salt).await?;
        let equal: bool = output.as_bytes().ct_eq(stored.output.as_bytes()).into();
        match target {
            Target::Readable(stored) if equal && possible => {
                Ok(Verdict::Right { rehash_due: !stored.is_made_with(&self.shared.params) })
            }
            Target::Readable(_) | Target::Nobody => Ok(Verdict::Wrong),
            Target::Unreadable => Err(HashError::Corrupt),
        }
    }

    /// Gives the memory of idle work areas back to the system: of those that were not needed since the previous call.
    ///
    /// Without this call the areas stay resident for ever. The owner calls it from a periodic task, every ten seconds
    /// or so; an area then lives ten to twenty seconds after its last use. It never waits for a hash.
    pub fn release_idle(&self) {
        self.shared.pool.release_idle();
    }

    /// How many hashes run at once at most.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.shared.permits
    }

    /// How many work areas are held without work at the moment, for the metrics.
    #[must_use]
    pub fn idle_areas(&self) -> usize {
        self.shared.pool.areas().idle.len()
    }

    async fn derive(&self, password: Zeroizing<String>, params: Params, salt: Salt) -> Result<Output, HashError> {
        let blocks = params.block_count();
        self.run(blocks, move |area| {
            let length = params.output_len().unwrap_or(TAG_BYTES);
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut tag = Zeroizing::new([0; Output::MAX_LENGTH]);
            let tag = tag.get_mut(..length).ok_or(HashError::Corrupt)?;
            argon2.hash_password_into_with_memory(password.as_bytes(), &salt, tag, area).map_err(HashError::fault)?;
            Output::new(tag).map_err(HashError::fault)
        })
        .await?
    }

    /// Runs `work` on a blocking thread with an area of `blocks`, as soon as it is its turn.
    ///
    /// Both permits travel with the work: a caller who goes away while waiting leaves the queue at once, and one who goes
    /// away later frees his place only when the hash is done, so the limits hold whatever callers do.
    async fn run<T, W>(&self, blocks: usize, work: W) -> Result<T, HashError>
    where
        T: Send + 'static,
        W: FnOnce(&mut [Block]) -> T + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let place = Arc::clone(&shared.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turns = shared.turns_for(blocks);
        let turn = Arc::clone(&shared.turns).acquire_many_owned(turns).await.map_err(HashError::fault)?;
        let done = tokio::task::spawn_blocking(move || {
            let permits = (place, turn);
            let mut area = shared.pool.take(blocks)?;
            let result = work(&mut area);
            shared.pool.put_back(area);
            drop(permits);
            Ok(result)
        });
        done.await.map_err(HashError::fault)?
    }
}

impl Shared {
    /// An old hash that needs more memory than the current parameters takes the turns of several, so that the budget
    /// holds; one that alone exceeds it runs alone.
    fn turns_for(&self, blocks: usize) -> u32 {
        let turns = blocks.div_ceil(self.pool.blocks.max(1)).clamp(1, self.permits);
        u32::try_from(turns).unwrap_or(u32::MAX)
    }
}

/// What [`PasswordHasher::verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is the password.
    Right {
        /// The stored hash was made with other parameters than the current ones: hash the password anew and store that.
        rehash_due: bool,
    },
    /// It is not, or there is none.
    Wrong,
}

/// The cost of a hash. A change makes every older hash [due for rehash](Verdict::Right) at its next logon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashParams {
    /// Memory in KiB: 8 times the lanes, up to 1 GiB.
    pub memory_kib: u32,
    /// Passes over the memory: 1 to 64.
    pub passes: u32,
    /// Lanes: 1 to 64. They are computed one after another; more of them gain nothing here.
    pub lanes: u32,
}

impl Default for HashParams {
    /// 19 MiB, 2 passes, 1 lane: OWASP's choice for Argon2id.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

impl HashParams {
    fn checked(self) -> Result<Params, HashError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(TAG_BYTES));
        params.ok().filter(is_bearable).ok_or(HashError::Params)
    }
}

fn is_bearable(params: &Params) -> bool {
    params.m_cost() <= MAX_MEMORY_KIB && params.t_cost().max(params.p_cost()) <= MAX_PASSES_AND_LANES
}

/// Why a password could not be hashed or judged.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The operator's fault.
    #[error(
        "the configured cost of password hashes is out of range: choose 8 KiB for each lane to 1 GiB of memory, 1 to 64 passes and 1 to 64 lanes"
    )]
    Params,
    /// The person's fault: only for new passwords, in a logon it is just wrong.
    #[error("a password has 1 to {MAX_PASSWORD_BYTES} bytes")]
    Length,
    /// Nobody's fault, or an attacker's: doors answer 503 with `Retry-After`.
    #[error("too many passwords are being checked at the moment: try again in a few seconds")]
    Busy,
    /// The operator's fault: the database was changed by other hands, or is damaged.
    #[error(
        "a stored password hash is not an Argon2id string that can be verified: restore the row, or reset the password"
    )]
    Corrupt,
    /// Ours, or the machine's (no memory, no threads).
    #[error("a password could not be hashed, by a fault of this server: {0}")]
    Fault(Box<dyn std::error::Error + Send + Sync>),
}

impl HashError {
    /// The stable code that pages, API and audit log share.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Params => "PasswordHash.Params",
            Self::Length => "PasswordHash.Length",
            Self::Busy => "PasswordHash.Busy",
            Self::Corrupt => "PasswordHash.Corrupt",
            Self::Fault(_) => "PasswordHash.Fault",
        }
    }

    fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fault(error.into())
    }
}

/// What the database holds for the name that was typed.
enum Target {
    Readable(Box<Stored>),
    Unreadable,
    Nobody,
}

impl Target {
    fn of(stored: Option<&str>) -> Self {
        let Some(text) = stored else { return Self::Nobody };
        Stored::parse(text).map_or(Self::Unreadable, |stored| Self::Readable(Box::new(stored)))
    }
}

/// A PHC string taken apart.
struct Stored {
    params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    /// Argon2id of version 1.3 only: nothing else was ever written.
    fn parse(text: &str) -> Option<Self> {
        let phc = PasswordHash::new(text).ok()?;
        let ours = phc.algorithm == Algorithm::Argon2id.ident() && phc.version == Some(Version::V0x13.into());
        let params = Params::try_from(&phc).ok().filter(|params| ours && is_bearable(params))?;
        Some(Self { params, salt: phc.salt?, output: phc.hash? })
    }

    fn dummy(params: &Params) -> Result<Self, HashError> {
        let salt = Salt::new(&[0; SALT_BYTES]).map_err(HashError::fault)?;
        let output = Output::new(&[0; TAG_BYTES]).map_err(HashError::fault)?;
        Ok(Self { params: params.clone(), salt, output })
    }

    fn is_made_with(&self, params: &Params) -> bool {
        self.params == *params && self.salt.len() == SALT_BYTES
    }
}

/// The password as `OpaqueString` (RFC 8265 §4.2.2): every space becomes U+0020, then NFC, so that keyboards which compose an
/// accent differently type the same password. Case and width stay. `None` if nobody can have it: empty, or too long.
///
/// Control and unassigned characters are not refused here; hashes made elsewhere may contain them.
fn prepare(password: &SecretString) -> Option<Zeroizing<String>> {
    let typed = password.expose_secret();
    // Neither step shrinks a text to less than a third (U+3000 becomes U+0020), so longer ones need not be looked at.
    if typed.len() > 3 * MAX_PASSWORD_BYTES {
        return None;
    }
    // NFC makes no text longer than three times; room for that keeps copies from being left behind by growth.
    let mut prepared = Zeroizing::new(String::with_capacity(3 * typed.len()));
    prepared.extend(typed.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc());
    (1..=MAX_PASSWORD_BYTES).contains(&prepared.len()).then_some(prepared)
}

/// General category Zs.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Work areas at rest. The turns bound how many exist; they lie in a stack, so the ones not needed sink to its bottom.
///
/// Areas are not wiped between hashes: Argon2 writes every block before it reads it. What is given back goes to the kernel,
/// which hands pages on only when they are zeroed.
struct Pool {
    blocks: usize,
    areas: Mutex<Areas>,
}

#[derive(Default)]
struct Areas {
    idle: Vec<Vec<Block>>,
    /// The fewest that were idle since the last release: so many at the bottom were not touched.
    untouched: usize,
}

impl Pool {
    fn new(blocks: usize) -> Self {
        Self { blocks, areas: Mutex::default() }
    }

    fn take(&self, blocks: usize) -> Result<Vec<Block>, HashError> {
        if blocks > self.blocks {
            return fresh_area(blocks);
        }
        let mut areas = self.areas();
        let area = areas.idle.pop();
        areas.untouched = areas.untouched.min(areas.idle.len());
        drop(areas);
        area.map_or_else(|| fresh_area(self.blocks), Ok)
    }

    fn put_back(&self, area: Vec<Block>) {
        if area.len() == self.blocks {
            self.areas().idle.push(area);
        }
    }

    fn release_idle(&self) {
        let mut areas = self.areas();
        let untouched = areas.untouched;
        let released: Vec<_> = areas.idle.drain(..untouched).collect();
        areas.untouched = areas.idle.len();
        drop(areas);
        drop(released);
    }

    fn areas(&self) -> MutexGuard<'_, Areas> {
        self.areas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An area of `blocks` that goes back to the system when dropped.
///
/// glibc maps large allocations apart, but raises its idea of "large" to whatever it saw freed, up to 32 MiB; from then on
/// freed areas would stay on its heap. So an area always asks for more than that. The rest is never touched: it
/// takes addresses, not memory.
fn fresh_area(blocks: usize) -> Result<Vec<Block>, HashError> {
    const ALWAYS_MAPPED: usize = 33 * 1024 * 1024 / Block::SIZE;
    let mut area = Vec::new();
    area.try_reserve_exact(blocks.max(ALWAYS_MAPPED)).map_err(HashError::fault)?;
    area.resize(blocks, Block::new());
    Ok(area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordHasher as _;
    use std::sync::mpsc;
    use tokio::task::JoinHandle;

    const SMALL: HashParams = HashParams { memory_kib: 64, passes: 1, lanes: 1 };
    const SALT: [u8; SALT_BYTES] = *b"sixteen byte nil";

    fn hasher(permits: usize) -> PasswordHasher {
        PasswordHasher::with_permits(SMALL, permits).unwrap()
    }

    fn password(text: &str) -> SecretString {
        text.to_owned().into()
    }

    /// Takes a turn and holds it until something is sent, or the sender dropped.
    fn occupy(hasher: &PasswordHasher) -> (mpsc::Sender<()>, JoinHandle<Result<(), HashError>>) {
        let (release, released) = mpsc::channel();
        let hasher = hasher.clone();
        let work = move |_: &mut [Block]| {
            released.recv().ok();
        };
        (release, tokio::spawn(async move { hasher.run(64, work).await }))
    }

    async fn until(mut condition: impl FnMut() -> bool) {
        while !condition() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_reference_implementations_vector_is_verified() {
        let stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let verdict = hasher(1).verify(&password("password"), Some(stored.to_owned())).await.unwrap();
        assert_eq!(verdict, Verdict::Right { rehash_due: true });
    }

    #[tokio::test]
    async fn hashes_are_what_the_plain_argon2_api_makes() {
        let params = HashParams::default();
        let ours = PasswordHasher::new(params, 0).unwrap().hash(&password("p ä"), SALT).await.unwrap();
        let plain = Argon2::default().hash_password_with_salt("p ä".as_bytes(), &SALT).unwrap().to_string();
        assert_eq!(ours, plain);
        assert!(ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{ours}");
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let hasher = hasher(1);
        let stored = hasher.hash(&password("correct horse"), SALT).await.unwrap();
        let too_long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        for (typed, expected) in [
            ("correct horse", Verdict::Right { rehash_due: false }),
            ("correct\u{3000}horse", Verdict::Right { rehash_due: false }),
            ("Correct horse", Verdict::Wrong),
            ("correct horse ", Verdict::Wrong),
            ("", Verdict::Wrong),
            (&too_long, Verdict::Wrong),
        ] {
            assert_eq!(hasher.verify(&password(typed), Some(stored.clone())).await.unwrap(), expected, "{typed}");
        }
    }

    #[tokio::test]
    async fn nobodys_password_is_wrong_even_if_it_hits_the_dummy() {
        let hasher = hasher(1);
        let verdict = hasher.verify(&password("anything"), None).await.unwrap();
        assert_eq!(verdict, Verdict::Wrong);
        assert_eq!(hasher.idle_areas(), 1, "the work was done");
        assert_eq!(hasher.verify(&password(""), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn no_impossible_password_matches_the_hash_of_an_empty_one() {
        let argon2 = Argon2::from(SMALL.checked().unwrap());
        let stored = argon2.hash_password_with_salt(b"", &SALT).unwrap().to_string();
        let verdict = hasher(1).verify(&password(&"x".repeat(5000)), Some(stored)).await.unwrap();
        assert_eq!(verdict, Verdict::Wrong);
    }

    #[tokio::test]
    async fn new_passwords_have_1_to_1024_bytes_after_preparation() {
        let hasher = hasher(1);
        let a_with_ring = "a\u{30a}"; // 3 bytes, 2 when composed
        for (text, fits) in [
            (String::new(), false),
            ("x".to_owned(), true),
            ("x".repeat(1024), true),
            ("x".repeat(1025), false),
            (a_with_ring.repeat(512), true),
            (a_with_ring.repeat(513), false),
        ] {
            let result = hasher.hash(&password(&text), SALT).await;
            assert_eq!(result.is_ok(), fits, "{} bytes", text.len());
            assert!(fits || matches!(result, Err(HashError::Length)));
        }
    }

    #[test]
    fn keyboards_that_compose_differently_type_the_same_password() {
        let prepared = |text| prepare(&password(text)).unwrap().to_string();
        assert_eq!(prepared("e\u{301}tude"), prepared("\u{e9}tude"));
        assert_eq!(prepared("a\u{a0}b\u{2003}c\u{3000}d"), "a b c d");
        assert_eq!(prepared("\u{d7}\u{ff21}\u{5d0}A"), "\u{d7}\u{ff21}\u{5d0}A", "width and case stay");
    }

    #[tokio::test]
    async fn a_change_of_any_parameter_makes_the_rehash_due() {
        let stored = hasher(1).hash(&password("secret"), SALT).await.unwrap();
        for (params, rehash_due) in [
            (SMALL, false),
            (HashParams { memory_kib: 72, ..SMALL }, true),
            (HashParams { memory_kib: 32, ..SMALL }, true),
            (HashParams { passes: 2, ..SMALL }, true),
            (HashParams { lanes: 2, ..SMALL }, true),
        ] {
            let hasher = PasswordHasher::with_permits(params, 2).unwrap();
            let verdict = hasher.verify(&password("secret"), Some(stored.clone())).await.unwrap();
            assert_eq!(verdict, Verdict::Right { rehash_due }, "{params:?}");
        }
    }

    #[tokio::test]
    async fn an_unreadable_hash_is_reported_after_the_same_work() {
        let good = hasher(1).hash(&password("secret"), SALT).await.unwrap();
        for stored in [
            String::new(),
            "secret".to_owned(),
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            good.replace("m=64", "m=4294967295"),
            good.replace("t=1", "t=65"),
            good.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            let hasher = hasher(1);
            let result = hasher.verify(&password("secret"), Some(stored.clone())).await;
            assert!(matches!(result, Err(HashError::Corrupt)), "{stored}");
            assert_eq!(hasher.idle_areas(), 1, "the work was done");
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for params in [
            HashParams { memory_kib: 7, ..SMALL },
            HashParams { memory_kib: MAX_MEMORY_KIB + 1, ..SMALL },
            HashParams { passes: 0, ..SMALL },
            HashParams { passes: 65, ..SMALL },
            HashParams { lanes: 0, ..SMALL },
            HashParams { memory_kib: 64, lanes: 9, ..SMALL },
        ] {
            assert!(matches!(PasswordHasher::new(params, u64::MAX), Err(HashError::Params)), "{params:?}");
        }
    }

    #[test]
    fn the_budget_bounds_how_many_run_at_once() {
        let cores = std::thread::available_parallelism().unwrap().get();
        let area = 64 * 1024;
        for (budget, permits) in [(0, 1), (area, 1), (2 * area, 2), (u64::MAX, cores + 1)] {
            assert_eq!(PasswordHasher::new(SMALL, budget).unwrap().concurrency(), permits);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn never_more_than_the_permits_run_and_the_areas_are_reused() {
        let hasher = hasher(2);
        let (started, starts) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (hasher, started, released) = (hasher.clone(), started.clone(), Arc::clone(&released));
                let work = move |_: &mut [Block]| {
                    started.send(()).unwrap();
                    released.lock().unwrap().recv().ok();
                };
                tokio::spawn(async move { hasher.run(64, work).await })
            })
            .collect();
        until(|| hasher.shared.places.available_permits() == 2 * 65 - 6).await;
        for finished in 0..=4 {
            for _ in 0..if finished == 0 { 2 } else { 1 } {
                starts.recv().unwrap();
            }
            assert!(starts.try_recv().is_err(), "no more than two have started without finishing");
            assert_eq!(hasher.shared.turns.available_permits(), 0);
            release.send(()).unwrap();
        }
        release.send(()).unwrap();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(hasher.idle_areas(), 2);
    }

    #[tokio::test]
    async fn a_full_queue_answers_busy_and_recovers() {
        let hasher = hasher(1);
        let (releases, tasks): (Vec<_>, Vec<_>) = (0..65).map(|_| occupy(&hasher)).unzip();
        until(|| hasher.shared.places.available_permits() == 0).await;
        let result = hasher.verify(&password("secret"), None).await;
        assert!(matches!(result, Err(HashError::Busy)));
        drop(releases);
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(hasher.verify(&password("secret"), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn callers_who_go_away_leave_the_accounts_right() {
        let hasher = hasher(1);
        let (release, running) = occupy(&hasher);
        until(|| hasher.shared.turns.available_permits() == 0).await;
        let (_waits, waiting) = occupy(&hasher);
        until(|| hasher.shared.places.available_permits() == 63).await;

        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        assert_eq!(hasher.shared.places.available_permits(), 64, "who waited leaves the queue at once");

        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert_eq!(hasher.shared.turns.available_permits(), 0, "a hash that runs keeps its turn to the end");
        release.send(()).unwrap();
        until(|| hasher.shared.turns.available_permits() == 1).await;
        assert_eq!((hasher.shared.places.available_permits(), hasher.idle_areas()), (65, 1));
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_and_frees_the_turn() {
        let hasher = hasher(1);
        let result = hasher.run(64, |_| panic!("a test panics")).await;
        assert!(matches!(result, Err::<(), _>(HashError::Fault(_))));
        assert_eq!(hasher.verify(&password("secret"), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_that_needs_more_memory_takes_more_turns_and_its_area_is_not_kept() {
        let hasher = hasher(4);
        for (blocks, turns) in [(1, 1), (64, 1), (65, 2), (129, 3), (100_000, 4)] {
            assert_eq!(hasher.shared.turns_for(blocks), turns, "{blocks}");
        }
        assert_eq!(hasher.run(100, |area| area.len()).await.unwrap(), 100);
        assert_eq!(hasher.idle_areas(), 0);
    }

    #[tokio::test]
    async fn areas_unused_between_two_releases_are_freed() {
        let hasher = hasher(3);
        let areas: Vec<_> = (0..3).map(|_| hasher.shared.pool.take(64).unwrap()).collect();
        for area in areas {
            hasher.shared.pool.put_back(area);
        }
        hasher.release_idle();
        assert_eq!(hasher.idle_areas(), 3, "they were in use until now");
        hasher.hash(&password("secret"), SALT).await.unwrap();
        hasher.release_idle();
        assert_eq!(hasher.idle_areas(), 1, "one was used since");
        hasher.release_idle();
        assert_eq!(hasher.idle_areas(), 0);
    }

    /// More than once, because it is the first free that makes glibc keep the next areas on its heap.
    #[cfg(target_os = "linux")]
    #[test]
    fn released_memory_goes_back_to_the_system() {
        let resident_kib = || -> usize {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let pool = Pool::new(19_456);
        for round in 0..3 {
            let areas: Vec<_> = (0..4).map(|_| pool.take(19_456).unwrap()).collect();
            for area in areas {
                pool.put_back(area);
            }
            let held = resident_kib();
            pool.release_idle();
            pool.release_idle();
            let left = resident_kib();
            assert!(left + 3 * 19_456 < held, "round {round}: {held} KiB before the release, {left} KiB after");
        }
    }
}
