//! What there are too many of, and what hangs on something that was to be removed. Their codes are those of the RAM
//! protocol, whichever door they come out of.

macro_rules! coded {
    ($(#[$about:meta])* $kind:ident { $($(#[$meta:meta])* $name:ident = $code:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind { $($(#[$meta])* $name),+ }

        impl $kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }
        }
    };
}

coded! {
    /// Of what there are as many as there may be.
    Limit {
        /// AccessKeys of a principal.
        AccessKeys = "LimitExceeded.User.AccessKey",
        /// Virtual MFA devices that nobody has bound.
        MfaDevices = "LimitExceeded.VirtualMFADevice",
        /// Users that an email address is bound to.
        UsersOfEmail = "LimitExceeded.Email.User",
        /// Groups of an account.
        Groups = "LimitExceeded.Group",
        /// Groups that a user is in.
        GroupsOfUser = "LimitExceeded.User.Group",
        /// Policies that an account wrote.
        Policies = "LimitExceeded.Policy",
        /// Versions of a policy.
        PolicyVersions = "LimitExceeded.Policy.Version",
        /// Policies attached to a user.
        PoliciesOfUser = "LimitExceeded.User.Policy",
        /// Policies attached to a group.
        PoliciesOfGroup = "LimitExceeded.Group.Policy",
    }
}

coded! {
    /// What hangs on something that was to be removed.
    Conflict {
        /// The user has AccessKeys.
        UserAccessKey = "DeleteConflict.User.AccessKey",
        /// The user has an MFA device.
        UserMfaDevice = "DeleteConflict.User.MFADevice",
        /// The user is in a group.
        UserGroup = "DeleteConflict.User.Group",
        /// Policies are attached to the user.
        UserPolicy = "DeleteConflict.User.Policy",
        /// The user has a login profile.
        UserLoginProfile = "DeleteConflict.User.LoginProfile",
        /// The virtual MFA device is bound to somebody.
        MfaDeviceUser = "DeleteConflict.VirtualMFADevice.User",
        /// There are users in the group.
        GroupUser = "DeleteConflict.Group.User",
        /// Policies are attached to the group.
        GroupPolicy = "DeleteConflict.Group.Policy",
        /// The policy is attached to a user.
        PolicyUser = "DeleteConflict.Policy.User",
        /// The policy is attached to a group.
        PolicyGroup = "DeleteConflict.Policy.Group",
        /// The policy has versions besides the one that counts.
        PolicyVersion = "DeleteConflict.Policy.Version",
        /// The version is the one that counts.
        PolicyDefaultVersion = "DeleteConflict.Policy.Version.Default",
    }
}
