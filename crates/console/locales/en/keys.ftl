# AccessKeys
access-keys = AccessKeys
keys-lead = An AccessKey is an id and a secret with which a program calls the API as you, without a password and without MFA.
keys-owner-warning = An AccessKey of the owner may do everything in the account. Make a RAM user for your program instead, with the permissions that it needs.
keys-row-note = For programs that call the API.
keys-count = { $n ->
    [one] One AccessKey
   *[other] { $n } AccessKeys
}
keys-count-none = None
keys-manage = Manage
keys-none = No AccessKey
keys-none-text = A program signs its calls of the API with an AccessKey. Create one only for a program that needs it.
keys-idle-note = An AccessKey that is not used for { $days } days is disabled.
keys-full = There are { $most } AccessKeys, and there may be no more. Delete one to create another.
keys-outdated = AccessKeys were created or deleted since this list was shown. Look at it, and try again.
key-id = AccessKey ID
key-secret = AccessKey Secret
key-created = Created
key-service = Service
key-active = Active
key-inactive = Disabled
key-idle = Idle
key-create = Create AccessKey
key-enable = Enable
key-disable = Disable
key-delete = Delete
key-disable-title = Disable this AccessKey?
key-delete-title = Delete this AccessKey?
key-effect-programs = Programs that sign with it are refused at once.
key-effect-enable-again = It can be enabled again.
key-effect-for-good = It cannot be brought back.
key-effect-disable-first = If you are not sure that no program needs it, disable it first and see.
key-made-title = New AccessKey
key-once = The secret is shown only now
key-once-text = Nobody can read it again, not even an administrator. Keep it before you leave this page.
key-made-note = Keep the secret where your program reads its secrets, never in its source code. If it gets lost or known, disable the AccessKey and create another.
key-download = Download CSV
key-kept = I have kept it
