//! Who asks. A use-case that is not part of a logon takes an [`Actor`]; what he may do, `authorise` alone decides.

use countersign_model::Timestamp;
use countersign_model::access_key::{AccessKeyState, ApiService};
use countersign_model::audit::{ActorKind, AuditActor};
use countersign_model::ids::{AccessKeyId, AccountId, PrincipalId};
use countersign_model::principal::{PrincipalKind, SystemPolicy};
use countersign_model::settings::SecuritySettings;
use countersign_model::token::Token;
use countersign_store::CommitCount;
use countersign_store::access_keys::AccessKeyInFull;
use countersign_store::sessions::SessionInFull;
use std::fmt::Write as _;
use std::sync::Arc;

/// Who asks for something outside a logon.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Somebody with a session.
    Session(Box<SessionActor>),
    /// A program that signed its call with an `AccessKey`.
    AccessKey(Box<AccessKeyActor>),
    /// The operator of the installation, by the command line on its host.
    Operator,
}

/// Somebody with a good session.
#[derive(Debug, Clone)]
pub struct SessionActor {
    pub(crate) token_hash: [u8; 32],
    pub(crate) found: SessionInFull,
    /// The proof that was given for the operation which is asked for now.
    pub(crate) proof: Option<Token>,
    /// From where he asks, for use-cases that are not told; empty when nobody knows.
    pub(crate) address: String,
}

impl SessionActor {
    /// The account.
    #[must_use]
    pub const fn account_id(&self) -> &AccountId {
        &self.found.session.account_id
    }

    /// The principal.
    #[must_use]
    pub const fn principal_id(&self) -> &PrincipalId {
        &self.found.session.principal_id
    }

    /// The session with its account's alias and settings.
    #[must_use]
    pub const fn session(&self) -> &SessionInFull {
        &self.found
    }

    /// The same person with the proof that he has given for the operation which he asks for next.
    #[must_use]
    pub fn with_proof(self, proof: Token) -> Self {
        Self { proof: Some(proof), ..self }
    }

    /// The same person, known to ask from there: use-cases that are not told so otherwise judge conditions by it.
    #[must_use]
    pub fn asking_from(self, origin: &Origin) -> Self {
        Self { address: origin.address.clone(), ..self }
    }

    /// What he is in his account.
    #[must_use]
    pub const fn role(&self) -> Role {
        Role::of(self.found.kind, self.found.administrator_by)
    }

    /// Whether the logon used a second factor.
    #[must_use]
    pub fn used_second_factor(&self) -> bool {
        self.found.session.methods.iter().any(|method| method.is_second_factor())
    }
}

/// A program that signed its call with an `AccessKey`. It acts as the principal whose key it is, without a second factor
/// and without a session: nothing that makes or changes a session is there for it, and it is never asked for a proof.
#[derive(Debug, Clone)]
pub struct AccessKeyActor {
    pub(crate) found: Arc<AccessKeyInFull>,
    /// What had been committed when it was looked up; nothing where other processes commit as well.
    pub(crate) as_of: Option<CommitCount>,
}

impl AccessKeyActor {
    /// The account.
    #[must_use]
    pub fn account_id(&self) -> &AccountId {
        &self.found.key.account_id
    }

    /// The principal.
    #[must_use]
    pub fn principal_id(&self) -> &PrincipalId {
        &self.found.key.principal_id
    }

    /// The id of the key.
    #[must_use]
    pub fn access_key_id(&self) -> &AccessKeyId {
        &self.found.key.id
    }

    /// The key with its principal's name, its account's alias and settings.
    #[must_use]
    pub fn access_key(&self) -> &AccessKeyInFull {
        &self.found
    }

    /// What he is in his account.
    #[must_use]
    pub fn role(&self) -> Role {
        Role::of(self.found.kind, self.found.administrator_by)
    }

    /// What the key is worth at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> AccessKeyState {
        self.found.key.state(self.found.settings.max_idle_days_access_keys, now)
    }
}

/// Somebody who acts within his own account, by a session or by a signed call. What a use-case takes that either may ask
/// for; both turn into it by `into()`.
#[derive(Debug, Clone, Copy)]
pub enum Insider<'a> {
    /// Somebody with a session.
    Session(&'a SessionActor),
    /// A program with an `AccessKey`.
    AccessKey(&'a AccessKeyActor),
}

impl<'a> From<&'a SessionActor> for Insider<'a> {
    fn from(actor: &'a SessionActor) -> Self {
        Self::Session(actor)
    }
}

impl<'a> From<&'a AccessKeyActor> for Insider<'a> {
    fn from(actor: &'a AccessKeyActor) -> Self {
        Self::AccessKey(actor)
    }
}

impl<'a> Insider<'a> {
    /// The account.
    #[must_use]
    pub fn account_id(self) -> &'a AccountId {
        match self {
            Self::Session(actor) => actor.account_id(),
            Self::AccessKey(actor) => actor.account_id(),
        }
    }

    /// The principal.
    #[must_use]
    pub fn principal_id(self) -> &'a PrincipalId {
        match self {
            Self::Session(actor) => actor.principal_id(),
            Self::AccessKey(actor) => actor.principal_id(),
        }
    }

    /// The user name, or the owner's email address.
    #[must_use]
    pub fn name(self) -> &'a str {
        match self {
            Self::Session(actor) => &actor.found.name,
            Self::AccessKey(actor) => &actor.found.name,
        }
    }

    /// Whether he is the owner or a RAM user.
    #[must_use]
    pub fn kind(self) -> PrincipalKind {
        match self {
            Self::Session(actor) => actor.found.kind,
            Self::AccessKey(actor) => actor.found.kind,
        }
    }

    /// The settings of the account, as they were when he was found.
    #[must_use]
    pub fn settings(self) -> &'a SecuritySettings {
        match self {
            Self::Session(actor) => &actor.found.settings,
            Self::AccessKey(actor) => &actor.found.settings,
        }
    }

    /// Whether policies decide over what he may: for a RAM user whom any reaches.
    pub(crate) fn is_governed_by_policies(self) -> bool {
        let has_policies = match self {
            Self::Session(actor) => actor.found.has_policies,
            Self::AccessKey(actor) => actor.found.has_policies,
        };
        match self.kind() {
            PrincipalKind::Owner => false,
            PrincipalKind::RamUser => has_policies,
        }
    }

    /// As an actor of his own.
    #[must_use]
    pub fn to_actor(self) -> Actor {
        match self {
            Self::Session(actor) => Actor::Session(Box::new(actor.clone())),
            Self::AccessKey(actor) => Actor::AccessKey(Box::new(actor.clone())),
        }
    }
}

/// What an actor is, seen from the account that he acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nobody known.
    Anonymous,
    /// A RAM user without special rights.
    User,
    /// A RAM user with a policy that makes an administrator.
    Administrator,
    /// The owner of the account.
    Owner,
    /// The operator of the installation.
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Anonymous, Self::User, Self::Administrator, Self::Owner, Self::Operator];

    const fn of(kind: PrincipalKind, administrator_by: Option<SystemPolicy>) -> Self {
        match (kind, administrator_by) {
            (PrincipalKind::Owner, _) => Self::Owner,
            (PrincipalKind::RamUser, Some(_)) => Self::Administrator,
            (PrincipalKind::RamUser, None) => Self::User,
        }
    }
}

/// From where a request comes, as far as it can be known, and what its browser brought along.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The network address, from the configured proxies if any.
    pub address: String,
    /// The program, as it calls itself; cut to 256 characters.
    pub user_agent: String,
    /// The language of the pages, as a tag; English where none is known.
    pub language: Option<&'static str>,
    /// The secret by which the browser is known.
    pub browser: Option<Token>,
    /// The secret by which the machine is remembered.
    pub machine: Option<Token>,
    /// The signed call that is served, if it is one.
    pub call: Option<Box<SignedCall>>,
}

/// A signed call, as the audit log tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCall {
    /// The id that its answer carries.
    pub request_id: String,
    /// The product that is called.
    pub service: ApiService,
    /// The version of the product's protocol.
    pub version: &'static str,
    /// What is asked for, by the protocol's name.
    pub action: String,
    /// Parameters that say on what it acts. The door leaves out whatever could be a secret.
    pub parameters: Vec<(&'static str, String)>,
}

impl SignedCall {
    /// What an event of `action` tells of the call, as `key=value;` words.
    fn details(&self, action: &str) -> String {
        let mut told =
            format!("request={};api={};api_version={};", self.request_id, self.service.as_str(), self.version);
        if self.action != action {
            let _ = write!(told, "call={};", plain(&self.action));
        }
        for (name, value) in &self.parameters {
            let _ = write!(told, "{PARAMETER}{name}={};", plain(value));
        }
        told
    }
}

/// What a parameter's name stands behind in the details of an event.
pub(crate) const PARAMETER: &str = "parameter.";

/// A typed text as details hold it: short, on one line, without the sign that ends it.
fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_control()).take(128);
    kept.map(|c| if c == ';' { ',' } else { c }).collect()
}

impl Origin {
    /// An origin with the program's name cut to its limit and freed of control characters.
    #[must_use]
    pub fn new(address: String, user_agent: &str) -> Self {
        let user_agent = user_agent.chars().filter(|c| !c.is_control()).take(256).collect();
        Self { address, user_agent, ..Self::default() }
    }

    /// What an event of `action` tells of the signed call that it came by, if by one.
    pub(crate) fn details(&self, action: &str) -> String {
        self.call.as_ref().map_or_else(String::new, |call| call.details(action))
    }

    /// The command line of the installation's host.
    #[must_use]
    pub fn command_line() -> Self {
        Self { address: "command line".to_owned(), ..Self::default() }
    }
}

impl From<&SessionActor> for Actor {
    fn from(actor: &SessionActor) -> Self {
        Self::Session(Box::new(actor.clone()))
    }
}

impl From<&AccessKeyActor> for Actor {
    fn from(actor: &AccessKeyActor) -> Self {
        Self::AccessKey(Box::new(actor.clone()))
    }
}

impl From<Insider<'_>> for Actor {
    fn from(insider: Insider<'_>) -> Self {
        insider.to_actor()
    }
}

impl From<&Self> for Actor {
    fn from(actor: &Self) -> Self {
        actor.clone()
    }
}

impl Actor {
    /// The account that he belongs to; the operator belongs to none.
    #[must_use]
    pub fn account_id(&self) -> Option<&AccountId> {
        self.insider().map(Insider::account_id)
    }

    /// Whether policies decide over what he may: for a RAM user whom any reaches.
    pub(crate) fn is_governed_by_policies(&self) -> bool {
        self.insider().is_some_and(Insider::is_governed_by_policies)
    }

    /// As the audit log names him.
    #[must_use]
    pub fn for_audit(&self) -> AuditActor {
        match self.insider() {
            Some(insider) => AuditActor {
                kind: match insider.kind() {
                    PrincipalKind::Owner => ActorKind::Owner,
                    PrincipalKind::RamUser => ActorKind::RamUser,
                },
                id: insider.principal_id().to_string(),
                name: insider.name().to_owned(),
            },
            None => AuditActor { kind: ActorKind::Operator, id: String::new(), name: "operator".to_owned() },
        }
    }

    /// Himself, as somebody of an account; an operator is of none.
    #[must_use]
    pub fn insider(&self) -> Option<Insider<'_>> {
        match self {
            Self::Session(actor) => Some(Insider::Session(actor)),
            Self::AccessKey(actor) => Some(Insider::AccessKey(actor)),
            Self::Operator => None,
        }
    }

    /// What every event of his tells, as `key=value;` words: with which key it was signed, or whether his session was
    /// opened with a second factor.
    pub(crate) fn details(&self) -> String {
        match self {
            Self::AccessKey(actor) => format!("access_key={};", actor.access_key_id()),
            Self::Session(actor) => format!("mfa={};", if actor.used_second_factor() { "yes" } else { "no" }),
            Self::Operator => String::new(),
        }
    }
}
