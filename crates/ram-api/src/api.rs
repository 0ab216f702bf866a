//! The products of the protocol. They are told apart by their version alone, so one listener serves all.

use countersign_model::access_key::ApiService;

/// A product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// RAM, version 2015-05-01: users by `UserName`.
    Ram,
    /// IMS, version 2019-08-15: users by `UserPrincipalName`.
    Ims,
    /// STS, version 2015-04-01.
    Sts,
}

impl Api {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Ram, Self::Ims, Self::Sts];

    /// The version that stands for it.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Ram => "2015-05-01",
            Self::Ims => "2019-08-15",
            Self::Sts => "2015-04-01",
        }
    }

    /// The product of this version.
    #[must_use]
    pub fn of_version(version: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|api| api.version() == version)
    }

    /// As errors and the last use of a key name it.
    #[must_use]
    pub const fn product(self) -> &'static str {
        self.service().as_str()
    }

    pub(crate) const fn service(self) -> ApiService {
        match self {
            Self::Ram => ApiService::Ram,
            Self::Ims => ApiService::Ims,
            Self::Sts => ApiService::Sts,
        }
    }
}
