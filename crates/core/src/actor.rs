//! Who asks. A use-case that is not part of a logon takes an [`Actor`]; what he may do, `authorise` alone decides.

use countersign_model::audit::{ActorKind, AuditActor};
use countersign_model::ids::{AccountId, PrincipalId};

use countersign_model::principal::PrincipalKind;
use countersign_model::token::Token;
use countersign_store::sessions::SessionInFull;

/// Who asks for something outside a logon.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Somebody with a session.
    Session(Box<SessionActor>),
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

    /// What he is in his account.
    #[must_use]
    pub const fn role(&self) -> Role {
        match (self.found.kind, self.found.administrator_by) {
            (PrincipalKind::Owner, _) => Role::Owner,
            (PrincipalKind::RamUser, Some(_)) => Role::Administrator,
            (PrincipalKind::RamUser, None) => Role::User,
        }
    }

    /// Whether the logon used a second factor.
    #[must_use]
    pub fn used_second_factor(&self) -> bool {
        self.found.session.methods.iter().any(|method| method.is_second_factor())
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
}

impl Origin {
    /// An origin with the program's name cut to its limit and freed of control characters.
    #[must_use]
    pub fn new(address: String, user_agent: &str) -> Self {
        let user_agent = user_agent.chars().filter(|c| !c.is_control()).take(256).collect();
        Self { address, user_agent, ..Self::default() }
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

impl From<&Self> for Actor {
    fn from(actor: &Self) -> Self {
        actor.clone()
    }
}

impl Actor {
    /// The account that he belongs to; the operator belongs to none.
    #[must_use]
    pub fn account_id(&self) -> Option<&AccountId> {
        match self {
            Self::Session(actor) => Some(actor.account_id()),
            Self::Operator => None,
        }
    }

    /// Whether policies decide over what he may: for a RAM user whom any reaches.
    pub(crate) const fn is_governed_by_policies(&self) -> bool {
        match self {
            Self::Session(actor) => match actor.found.kind {
                PrincipalKind::Owner => false,
                PrincipalKind::RamUser => actor.found.has_policies,
            },
            Self::Operator => false,
        }
    }

    /// As the audit log names him.
    #[must_use]
    pub fn for_audit(&self) -> AuditActor {
        match self {
            Self::Session(actor) => AuditActor {
                kind: match actor.found.kind {
                    PrincipalKind::Owner => ActorKind::Owner,
                    PrincipalKind::RamUser => ActorKind::RamUser,
                },
                id: actor.principal_id().to_string(),
                name: actor.found.name.clone(),
            },
            Self::Operator => AuditActor { kind: ActorKind::Operator, id: String::new(), name: "operator".to_owned() },
        }
    }
}
