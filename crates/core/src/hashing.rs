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
mod tests;
