//! What is wrong with a document, and where.

/// A document that is no policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedPolicy {
    /// Where, as `Statement[0].Action`; empty for the document as a whole.
    pub at: String,
    /// What is wrong there.
    pub problem: Problem,
}

impl MalformedPolicy {
    pub(super) const fn new(at: String, problem: Problem) -> Self {
        Self { at, problem }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.problem {
            Problem::TooLong => "InvalidParameter.PolicyDocument.Length",
            Problem::NotJson
            | Problem::TooDeep
            | Problem::Repeated
            | Problem::Unknown
            | Problem::Missing
            | Problem::NotAnObject
            | Problem::NotAText
            | Problem::NotAList
            | Problem::Empty
            | Problem::Version
            | Problem::Effect
            | Problem::Action
            | Problem::Resource
            | Problem::Operator
            | Problem::Key
            | Problem::Network
            | Problem::Boolean => "MalformedPolicyDocument",
        }
    }
}

impl std::fmt::Display for MalformedPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, problem } = self;
        if at.is_empty() { write!(f, "{problem}") } else { write!(f, "{at}: {problem}") }
    }
}

impl std::error::Error for MalformedPolicy {}

macro_rules! problems {
    ($($(#[$meta:meta])* $name:ident = $key:literal, $text:literal);+ $(;)?) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Problem { $($(#[$meta])* $name),+ }

        impl Problem {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// A stable word, for translations.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $key),+ }
            }
        }

        impl std::fmt::Display for Problem {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$name => $text),+ })
            }
        }
    };
}

problems! {
    /// More characters than a document may have.
    TooLong = "too-long", "the document has more than 6144 characters";
    /// The text is no JSON.
    NotJson = "not-json", "the text is not well-formed JSON";
    /// Objects and lists within one another, deeper than any policy is.
    TooDeep = "too-deep", "objects and lists lie too deep within one another";
    /// A name stands twice in one object.
    Repeated = "repeated", "the name stands twice";
    /// A name that the language does not have, or that is not supported.
    Unknown = "unknown", "the element is unknown or not supported";
    /// Something that must be there.
    Missing = "missing", "the element is missing";
    /// An object is expected.
    NotAnObject = "not-an-object", "an object is expected";
    /// A text is expected.
    NotAText = "not-a-text", "a text, or a list of texts, is expected";
    /// A list is expected.
    NotAList = "not-a-list", "a list is expected";
    /// A list or a text without anything in it.
    Empty = "empty", "the element is empty";
    /// Another version of the language.
    Version = "version", "the version must be \"1\"";
    /// Neither `Allow` nor `Deny`.
    Effect = "effect", "the effect must be \"Allow\" or \"Deny\"";
    /// No pattern of actions.
    Action = "action", "an action is written as \"service:Name\" or \"*\", in at most 128 characters";
    /// No pattern of resources.
    Resource = "resource",
        "a resource is written as \"acs:service:region:account:name\" or \"*\", in at most 512 characters";
    /// An operator that is not supported.
    Operator = "operator", "the operator is not supported; there are IpAddress, NotIpAddress and Bool";
    /// A key that the operator does not take.
    Key = "key", "the operator does not take this key; IpAddress and NotIpAddress take acs:SourceIp, Bool takes \
        acs:MFAPresent";
    /// Neither an address nor a network.
    Network = "network", "an address or a network is expected";
    /// Neither true nor false.
    Boolean = "boolean", "true or false is expected";
}
