# The RAM console.
ram-user = User
ram-users-lead = The people who log on under this account. Open a user to see how he logs on.
ram-users-none = No users yet
ram-users-none-text = A RAM user logs on with a name of his own and sees only what you allow. Create the first one, for yourself, and stop working as the owner.
ram-users-not-found = No user found
ram-users-not-found-search = No logon name and no display name contains “{ $search }”, or the filter hides it.
ram-users-not-found-filter = No user is in this state.
ram-create-user = Create user
ram-create-first = Create the first user
ram-create-another = Create another
ram-search = Search
ram-search-placeholder = Logon name or display name
ram-apply = Apply
ram-clear = Clear
ram-clear-search = Clear the search
ram-pages = Pages
ram-pager-of = of { $total }
ram-previous-page = Previous
ram-next-page = Next
ram-show-users = Show users
ram-column-name = User Logon Name/Display Name
ram-console-logon = Console logon
ram-mfa = MFA
ram-last-logon = Last logon
ram-never = Never
ram-actions = Actions
ram-actions-for = Actions for { $name }
ram-you = This is you
ram-filter-any = Any
ram-bound = Bound
ram-not-attached = Not Attached
ram-required-unbound = Required, not bound
ram-required = Required
ram-not-required = Not required
ram-enabled = Enabled
ram-disabled = Disabled
ram-logon-disabled = Console logon disabled
ram-locked = Locked
ram-administrator = Administrator
ram-yes = Yes
ram-no = No
ram-optional = optional

# Names and remarks
ram-create-lead = A RAM user has a name of his own under the account and logs on from the account's link.
ram-edit-user = Edit
ram-edit-title = Edit user
ram-edit-lead = Name and remarks of { $name }. A new user name is a new logon name.
ram-user-name = User name
ram-user-name-help = Letters, digits, points, hyphens and underscores, at most 64.
ram-display-name = Display name
ram-email = Contact email
ram-email-help = Unverified, for notices only.
ram-unverified = (unverified)
ram-comments = Comments
ram-comments-help = At most 128 characters. Administrators see them.

# Console logon settings
ram-modify-logon-settings = Modify Logon Settings
ram-logon-settings-lead = How { $name } logs on to the console. Saving ends the user's sessions.
ram-console-password-logon = Console Password Logon
ram-logon-enabled-help = The user can log on with a password.
ram-logon-disabled-help = The password does not log on, and none is generated.
ram-password-keep = Keep the present one
ram-password-keep-help = It stays as it is.
ram-password-generate = Generate one
ram-password-generate-help = Random, shown once after you save.
ram-password-custom = Custom password
ram-password-custom-help = You type one and know it.
ram-password-custom-label = Custom password
ram-reset-required = The password must be reset at the next logon
ram-reset-required-help = The user then chooses one that only he knows. A generated one must always be reset.
ram-enable-mfa = Enable MFA
ram-mfa-required-help = If no device is bound, the user must bind one during the next logon and gets no session before.
ram-mfa-not-required-help = The user may bind a device. A bound one is always asked for.
ram-mfa-not-required-admin-help = Only an administrator can bind a device for the user. A bound one is always asked for.
ram-reset-password = Reset password
ram-reset-lead = Gives { $name } a new password when the present one is forgotten or may be known to others.
ram-reset-disabled = Console password logon is disabled for this user. A new password is of use only when it is enabled.
ram-reset-effect-generated = A random password takes the place of the present one. You see it once, on the next page.
ram-reset-effect-sessions = The user's sessions end at once, and a lock on his password is lifted.
ram-reset-effect-choose = At the next logon he must choose a password that only he knows.
ram-reset-effect-keeps = Everything else stays: the MFA device, the logon settings, the permissions.
ram-created-title = User created
ram-new-password-title = New password
done-password-reset = The password is reset. The sessions of the user have ended.
ram-hand-over = Hand these to the user by a way that you trust.
ram-needs-to-log-on = What { $name } needs to log on
ram-print = Print
ram-password-once = The password is shown only now
ram-password-once-text = Nobody can read it again. If it is lost, reset it.
ram-logon-link = Logon link for RAM users
ram-logon-name = Logon name
ram-next-logon = At the next logon the user chooses a password.
ram-next-logon-mfa = At the next logon the user chooses a password and binds an MFA device, if none is bound.
ram-open-user = Open the user

# The page of a user
ram-user-lead = Who he is, how he logs on, and what he may do.
ram-oneself = This is you. Your own password and MFA device are under
ram-basics = Basic Information
ram-created = Created
ram-authentication = Authentication
ram-console-logon-management = Console Logon Management
ram-password-changed = Password last changed
ram-no-password = No password
ram-reset-at-next-logon = Reset at next logon
ram-password-tries = Wrong passwords
ram-device-tries = Wrong codes
ram-recovery-tries = Wrong recovery codes
ram-not-locked = Not locked
ram-locked-until = until
ram-locked-for-good = until an administrator unlocks it
ram-unlock = Unlock
ram-serial-number = Serial number
ram-state = State
ram-bound-at = Bound
ram-last-used = Last used
ram-unbind = Unbind
ram-unbind-device = Unbind MFA device
ram-enable-device = Enable Virtual MFA Device
ram-no-device = No virtual MFA device
ram-no-device-required = The user must bind one at the next logon. You can also bind it here, with the user and his phone beside you.
ram-no-device-optional = The password alone protects this user. Bind a device here with the user and his phone beside you, or require one in the logon settings.
ram-bind-lead = For { $name }. Nothing changes before you click Confirm Bind.
ram-bind-present = { $name } must be here with the phone: the key goes into his app, not into yours. His sessions end when the device is bound.
ram-unbind-title = Unbind the MFA device of { $name }?
ram-unbind-effect-sessions = His sessions end at once.
ram-unbind-effect-codes = The codes of this device are worthless from now on.
ram-unbind-effect-required = He must bind a new device at the next logon, and gets no session before.
ram-unbind-effect-optional = After that the password alone protects him.
ram-unbind-be-sure = Be sure that it is really he who asks: a stranger with his password wants the same.
ram-permissions = Permissions
ram-show-policies = Show policies
ram-change-policies = Change policies
ram-no-policies = No policy is attached. The user may only manage his own security.
ram-danger = Danger zone
ram-disable-logon = Disable console logon
ram-disable-logon-note = In the logon settings. His sessions end; everything else stays.
ram-delete-user = Delete user
ram-delete-note = Removes the user with his password, device, AccessKeys and permissions. It cannot be undone.
ram-delete-title = Delete the user { $name }?
ram-cannot-be-undone = This cannot be undone.
ram-delete-effect-sessions = The user can no longer log on, and his sessions end at once.
ram-delete-effect-device = His MFA devices, security keys and passkeys are removed.
ram-delete-effect-policies = His permissions as administrator are removed.
ram-delete-effect-keys = His AccessKeys are deleted: programs that sign with them are refused.
ram-delete-effect-log = What he did stays in the audit log.
ram-type-before = Type
ram-type-after = to confirm

# Policies
ram-policies-lead = What { $name } may do beyond managing his own security.
ram-policies-oneself = This is you. Another administrator or the owner can change your policies.
ram-system-policies = System policies
ram-policy-administrator = Makes an administrator: everything in the account but what is the owner's alone.
ram-policy-ram = Makes an administrator of identities: RAM users, their logon, their MFA devices and the security settings.
ram-attached = Attached
ram-not-attached-policy = Not attached
ram-attach = Attach
ram-detach = Detach
ram-policies-foot = A change counts from the user's next click on. Require MFA from every administrator.

# Settings
ram-discard = Discard

# Overview
ram-overview-lead = Who can log on to the console of this account, and how well that is protected.
ram-tile-of = of { $total }
ram-tile-protected = Protected by MFA
ram-tile-protected-note = Users with console logon and a bound device
ram-tile-required-unbound = Required, not bound
ram-tile-required-unbound-note = They bind a device at their next logon
ram-tile-without = Without MFA
ram-tile-without-note = Not required, and no device is bound
ram-tile-never = Never logged on
ram-tile-never-note = They have console logon and never used it
ram-advice-title = What to do next
ram-urgent = Urgent
ram-advised = Advised
ram-advice-none = Well protected
ram-advice-none-note = There is nothing to do now.
ram-advice-bind-now = Bind
ram-advice-owner = Bind an MFA device for the account owner
ram-advice-owner-note = The owner may do everything. A password alone is not enough for that.
ram-advice-owner-key = Work without an AccessKey of the owner
ram-advice-owner-key-note = Whoever has its secret may do everything, without a password and without MFA. Give programs a RAM user of their own. CIS: no AccessKey of the root account.
ram-advice-administrators = { $n ->
    [one] One administrator has no MFA device
   *[other] { $n } administrators have no MFA device
}
ram-advice-administrators-note = Require MFA in their logon settings, or bind a device with them.
ram-advice-require = { $n ->
    [one] Require MFA from one user
   *[other] Require MFA from { $n } users
}
ram-advice-require-note = They log on with a password alone. CIS: MFA for every user with a console password.
ram-advice-unbound = { $n ->
    [one] One user must still bind a device
   *[other] { $n } users must still bind a device
}
ram-advice-unbound-note = Whoever knows such a password first can bind his own phone. Ask them to log on soon.
ram-advice-no-administrator = Make yourself a RAM user and stop working as the owner
ram-advice-no-administrator-note = Give it the policy AdministratorAccess, and keep the owner for emergencies.
ram-advice-never = { $n ->
    [one] One user has never logged on
   *[other] { $n } users have never logged on
}
ram-advice-never-note = Disable console logon or delete those who do not need it.
ram-steps-title = From the finding to the fix, step by step
ram-steps-1 = Open Identities > Users, or one of the lists above.
ram-steps-2 = In the column User Logon Name/Display Name click the name.
ram-steps-3 = On the tab Authentication, under Console Logon Management, click Modify Logon Settings.
ram-steps-4 = Choose Enabled for Console Password Logon and Required for Enable MFA, and save.
ram-steps-5 = The user binds a device at the next logon. Or do it together now: tab Virtual MFA Device, Enable Virtual MFA Device.
ram-account = Account
ram-alias = Alias
ram-account-id = Account ID
ram-owner-mfa = MFA of the owner
ram-administrators = Administrators
ram-recent = Latest events
ram-recent-none = Nothing has happened yet.
ram-what = What
ram-on-whom = On whom
ram-by-whom = By whom
ram-outcome = Outcome
ram-outcome-success = Done
ram-outcome-refused = Refused
ram-from = From
ram-when = When
ram-actor-operator = Operator
ram-actor-system = Countersign
ram-event-ConsoleSignin = Log on
ram-event-ConsoleSignout = Log off
ram-event-CreateRecoveryCodes = Make recovery codes
ram-event-UseRecoveryCode = Use a recovery code
ram-event-ForgetReplayedMachine = Forget a copied machine
ram-event-EndSessions = End own sessions
ram-event-EndUserSessions = End a user's sessions
ram-event-VerifyIdentity = Verify identity
ram-event-GetOwnSecurity = See own security
ram-event-ChangePassword = Change own password
ram-event-CreateVirtualMFADevice = Begin binding an MFA device
ram-event-BindMFADevice = Bind MFA device
ram-event-StartKeyBinding = Begin binding a security key or passkey
ram-event-UnbindMFADevice = Unbind MFA device
ram-event-GetAccount = See account
ram-event-GetAccountSummary = See overview
ram-event-ListUsers = List users
ram-event-GetUser = See user
ram-event-CreateUser = Create user
ram-event-UpdateUser = Edit user
ram-event-DeleteUser = Delete user
ram-event-UpdateLoginProfile = Modify logon settings
ram-event-UnlockUser = Unlock user
ram-event-AttachPolicyToUser = Attach policy
ram-event-DetachPolicyFromUser = Detach policy
ram-event-GetSecurityPreference = See security settings
ram-event-SetSecurityPreference = Change security settings
ram-event-SetPasswordPolicy = Change password policy
ram-event-DisableIdleUser = Disable idle console logon
ram-event-ListAccessKeys = List AccessKeys
ram-event-CreateAccessKey = Create AccessKey
ram-event-UpdateAccessKey = Enable or disable AccessKey
ram-event-DeleteAccessKey = Delete AccessKey
ram-event-GetAccessKeyLastUsed = See last use of AccessKey
ram-event-DisableIdleAccessKey = Disable idle AccessKey
ram-event-SpareIdleUser = Spare the last administrator
ram-event-CreateAccount = Create account
ram-event-ListAccounts = List accounts
ram-event-ResetOwnerMFADevice = Reset MFA of the owner
ram-event-ResetOwnerPassword = Reset password of the owner
ram-event-RestoreInstallation = Restore from a backup
ram-event-RotateKeys = Rotate the keys
ram-event-ResetClock = Reset the clock

# Findings
ram-findings = Findings
ram-findings-lead = What needs an administrator's eye. Settle a finding when you have looked into it.
ram-findings-open = Open
ram-findings-settled = Settled
ram-findings-attention = { $n ->
    [one] One finding needs your attention
   *[other] { $n } findings need your attention
}
ram-findings-all = Show all findings
ram-findings-none-open = Nothing to look at
ram-findings-none-open-text = When somebody says that a change of his security was not his, or a stolen secret is used, it stands here.
ram-findings-none-settled = No finding was settled yet
ram-finding-what = What
ram-finding-about = About
ram-finding-details = Details
ram-finding-settled-by = Settled
ram-finding-by = by { $name }
ram-finding-settle = Settle
ram-finding-settle-one = Settle: { $what }
ram-finding-disowned = A change was disowned
ram-finding-machine-replayed = The secret of a remembered machine was used twice
ram-finding-key-copied = A security key or passkey may have been copied
ram-finding-spraying = Wrong passwords for many users at once
ram-finding-recovery-codes-stale = Recovery codes came back from a backup
ram-finding-audit-log-broken = The audit log is not what was written
ram-finding-access-keys-stale = AccessKeys came back from a backup
ram-finding-access-keys-ahead = An AccessKey was used while the clock ran ahead
ram-finding-disowned-note = The user says that this was not he. His sessions have ended; his password may be known to others. Give him a new one, and see whether the MFA device is his.
ram-finding-machine-replayed-note = Somebody may have copied it. The machine is forgotten. Ask the user whether the place is his.
ram-finding-key-copied-note = Its counter went back, or it is not any more what it was when it was bound. It was refused. Unbind it, and have the user bind a new one.
ram-finding-spraying-note = Somebody tries common passwords. Require MFA from everybody.
ram-finding-recovery-codes-stale-note = They may have been used since. Ask the user to make new ones.
ram-finding-audit-log-broken-note = Somebody has changed it beside Countersign, or its database is damaged. Old entries are kept. Ask the operator to run “countersign audit verify”.
ram-finding-access-keys-stale-note = They may have been disabled or deleted since the backup, so they are disabled. Enable those that are still wanted.
ram-finding-access-keys-ahead-note = When that time comes, copies of its calls would be good again, so it is disabled. Make a new AccessKey in its place and remove this one.
ram-event-DisownNotice = Say: this was not me
ram-event-ListFindings = List findings
ram-event-SettleFinding = Settle finding

# Sessions of a user
ram-end-session = End session
ram-end-session-title = End this session of { $name }?
ram-end-sessions = End all sessions
ram-end-sessions-title = End all sessions of { $name }?
ram-end-sessions-effect = Work that is not saved there is lost. The user can log on again, as ever: whoever shall be kept out needs a new password or a disabled console logon.
ram-forget-machine = Forget machine
ram-forget-machine-title = Forget this machine of { $name }?
ram-forget-machines = Forget all machines
ram-forget-machines-title = Forget all machines of { $name }?
ram-forget-machines-effect = The next logon there asks for a code. Sessions that are open go on.
