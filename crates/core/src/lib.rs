//! The use-cases of Countersign: the only place that decides.
//!
//! A door (the console, later the RAM API) turns a protocol into a call of [`Countersign`] and its answer back. A use-case
//! takes an [`Actor`], asks [`authorise`](authorise::authorise), loads, decides in a pure function, and writes in one
//! transaction together with the audit event that tells of it. The same [`Refusal`] comes out of every door.
//!
//! | module | use-cases |
//! |---|---|
//! | [`setup`] | the first account; more accounts by the operator |
//! | [`logon`] | the steps from a name to a session |
//! | [`binding`] | binding, replacing and unbinding a virtual MFA device |
//! | [`webauthn`] | security keys and passkeys |
//! | [`passwords`] | the rules for passwords; changing one's own |
//! | [`recovery`] | recovery codes, for a lost second factor |
//! | [`sessions`] | open sessions and remembered machines, one's own and those of users |
//! | [`step_up`] | the proof that a sensitive operation asks for |
//! | [`users`] | RAM users, their login profiles, who is an administrator |
//! | [`groups`], [`policies`] | groups of RAM users, policies, and what is attached to whom |
//! | [`access_keys`] | the keys with which programs sign their calls |
//! | [`settings`] | the security settings and the rules for passwords |
//! | [`forecast`] | what a change of the settings would do |
//! | [`idle`] | disabling console logon that nobody uses |
//! | [`settings`] | the security settings |
//! | [`notices`], [`delivery`], [`disown`] | telling people of changes, sending it, "this was not me" |
//! | [`findings`] | what administrators have to look at |
//! | [`overview`] | the posture of an account at a glance |
//! | [`mfa_check`] | whether every user with a console password has an MFA device, one by one |
//! | [`operator`] | what the command line may |
//! | [`audit_log`] | the audit log as people read it: filtered, one's own history, exported |
//! | [`audit_trail`] | an entry of it in the shape of `ActionTrail` |
//! | [`audit_chain`] | the audit log as a chain: numbered, hashed, signed, verified, dropped when it is old enough |
//! | [`confirmed_time`] | whether the time can be believed before something is dropped for being old |
//! | [`api_calls`] | what every signed call passes: its time, its nonce |
//! | [`ram`] | what the RAM protocol does otherwise than the pages |
//! | [`upkeep`] | the clock's high-water mark, sweeping, giving memory back |
//!
//! A new capability is a module here whose functions are methods of [`Countersign`], its actions rows of
//! [`authorise::Action`], and its refusals variants of [`Refusal`].

pub mod access_keys;
pub mod actor;
pub mod api_calls;
pub mod audit_chain;
pub mod audit_log;
pub mod audit_trail;
pub mod authorise;
pub mod binding;
pub mod confirmed_time;
pub mod delivery;
pub mod disown;
pub mod error;
pub mod findings;
pub mod forecast;
pub mod groups;
pub mod hashing;
pub mod idle;
pub mod keyring;
pub mod logon;
pub mod metrics;
pub mod mfa_check;
pub mod notices;
pub mod operator;
pub mod overview;
pub mod passwords;
pub mod policies;
pub mod ram;
pub mod recovery;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod step_up;
pub mod upkeep;
pub mod users;
pub mod webauthn;

mod act;
mod address;
mod codes;

pub use act::Permissions;
pub use actor::{AccessKeyActor, Actor, Insider, Origin, Role, SessionActor, SignedCall};
pub use address::client_address;
pub use error::{Conflict, Error, Limit, Refusal};

use confirmed_time::Leap;
use countersign_model::entropy::random_bytes;
use countersign_model::token::Token;
use countersign_model::{Clock, Entropy, Timestamp};
use countersign_store::{Store, Tx, facts};
use hashing::PasswordHasher;
use keyring::{KeyRing, Keys};
use metrics::Metrics;
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex};
use upkeep::{HighWater, stored_high_water};
use webauthn::RelyingParty;

/// All use-cases over one store. Clones share everything.
#[derive(Clone)]
pub struct Countersign {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    keys: Keys,
    hasher: PasswordHasher,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    identity: Identity,
    metrics: Metrics,
    /// The highest time ever seen; see [`upkeep`].
    high_water: Mutex<HighWater>,
    /// A time that has to prove itself; see [`confirmed_time`].
    leap: Mutex<Option<Leap>>,
    /// Nonces of signed calls.
    nonces: api_calls::Nonces,
}

/// What the installation calls itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The last part of every RAM user's logon name: `name@alias.suffix`.
    pub suffix: String,
    /// The issuer that authenticator apps show.
    pub issuer: String,
    /// Who security keys and passkeys are registered with: the host and the origin of the public URL.
    pub relying_party: RelyingParty,
}

/// What [`Countersign`] is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// The keys that seal what must be read again.
    pub keys: KeyRing,
    /// Hashes passwords, a bounded number at once.
    pub hasher: PasswordHasher,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// What the installation calls itself.
    pub identity: Identity,
    /// What is counted for the operator.
    pub metrics: Metrics,
}

const KEY_CHECK: &str = "key_check";

/// Whether a database was sealed with some key ring before. Then a missing one is a loss, not a first start.
pub async fn was_sealed(store: &Store) -> Result<bool, Error> {
    let unit = async |tx: &mut Tx<'_>| -> Result<bool, Error> { Ok(facts::find(tx, KEY_CHECK).await?.is_some()) };
    store.read(unit).await
}

impl Countersign {
    /// Puts the parts together. Refuses a key ring that is not the one the data was sealed with.
    pub async fn open(parts: Parts) -> Result<Self, Error> {
        let check = parts.keys.check_value();
        let stored = parts.store.write(async move |tx: &mut Tx<'_>| -> Result<Option<String>, Error> {
            facts::put_first(tx, KEY_CHECK, &check).await?;
            Ok(facts::find(tx, KEY_CHECK).await?)
        });
        let stored = stored.await?.unwrap_or_default();
        if !parts.keys.matches(&stored) {
            return Err(Error::Fault(
                "the key ring is not the one this database was sealed with: bring back the right key ring".to_owned(),
            ));
        }
        let Parts { store, keys, hasher, clock, entropy, identity, metrics } = parts;
        // Looked at before the nonces: a reset that comes between is noticed at the next look.
        let seen = store.read(async |tx: &mut Tx<'_>| -> Result<_, Error> { stored_high_water(tx).await }).await?;
        let (keys, high_water, leap) = (Keys::new(keys, &stored), Mutex::new(seen), Mutex::default());
        let nonces = api_calls::Nonces::open(&store, clock.now()).await?;
        let inner = Inner { store, keys, hasher, clock, entropy, identity, metrics, high_water, leap, nonces };
        let this = Self { inner: Arc::new(inner) };
        this.load_high_water().await?;
        Ok(this)
    }

    /// What the installation calls itself.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        random_bytes(&*self.inner.entropy)
    }

    fn new_token(&self) -> Token {
        Token::generate(&*self.inner.entropy)
    }
}

impl std::fmt::Debug for Countersign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Countersign").field("identity", &self.inner.identity).finish_non_exhaustive()
    }
}

/// What is stored of a secret that a browser holds.
fn token_hash(token: &Token) -> [u8; 32] {
    Sha256::digest(token.expose().as_bytes()).into()
}
