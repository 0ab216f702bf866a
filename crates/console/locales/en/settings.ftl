# RAM > Settings: security settings, password policy, and what a change of them would do.
nav-password-policy = Password policy
settings-lead = Rules for all RAM users of the account. The owner is not bound by them. Before you save, you see what a change would do.
settings-passwords-lead = What the passwords of RAM users must be like, and how long they are good. For the owner the basic rules hold: 8 to 128 characters, four of them different, not with the name in it.
settings-check = Check and save …
settings-check-note = The next page shows whom the change concerns. Nothing is saved before.
setting-on = On
setting-off = Off

settings-mfa = Multi-factor authentication
settings-mfa-lead = Who is asked for a second factor, and how devices are bound.
settings-logon = Logon
settings-logon-lead = How long a session lasts, from where, and with what.
settings-self = Self-management
settings-self-lead = What RAM users do for themselves. Administrators can do it for them in any case.
settings-sensitive = Sensitive operations
settings-sensitive-lead = How often an operation asks whoever is logged on to prove once more who he is.
settings-idle = Idle
settings-idle-lead = What nobody uses is disabled, and stays until an administrator enables it again.
settings-audit = Audit log
settings-audit-lead = How long it is kept.
settings-rules = Rules for new passwords
settings-rules-lead = They count for the next password that somebody chooses or is given. Passwords that are in use stay good.
settings-validity = Validity
settings-validity-lead = How long a password is good after it was set.
settings-attempts = Wrong passwords
settings-attempts-lead = Beside the pauses that double after every five wrong passwords, which always hold.

setting-mfa_for_logon = MFA for logon
setting-mfa_for_logon-help = Default: each user's setting.
mfa-for-logon-mandatory = All users
mfa-for-logon-mandatory-help = Every user needs a device. Whoever has none binds one at the next logon, before the session begins.
mfa-for-logon-independent = Each user's setting
mfa-for-logon-independent-help = A bound device is asked for at every logon. Each user's logon settings say who must bind one.
mfa-for-logon-adaptive = Unusual logons only
mfa-for-logon-adaptive-help = A device is asked for when browser or network is new; whoever has none binds one then. At other logons the password is enough.
setting-remember_machines = Remember machines for seven days
setting-remember_machines-help = At logon, users may have this browser skip the second factor for seven days. Sensitive operations ask all the same. Default: off.
setting-binding_codes = Codes at binding
setting-binding_codes-help = How many codes confirm a virtual MFA device. Two consecutive ones also measure how far the phone's clock is off. Default: one.
binding-codes-one = One code
binding-codes-two = Two consecutive codes
setting-mfa_device_types = MFA device types per user
setting-mfa_device_types-help = With one, a user has a virtual MFA device or a security key, not both. Passkeys, email and phone do not count. Default: one.
device-types-one = One type
device-types-several = Several types
setting-attestation = Security keys and passkeys that are allowed
setting-attestation-help = Judged when one is bound, and at every use. Default: all.
attestation-any = All
attestation-any-help = Whatever the browser offers.
attestation-device-bound = Only those that stay on their device
attestation-device-bound-help = No synced passkeys. Whoever loses the device loses the passkey, so have each user bind two.
attestation-allow = Only these products
attestation-allow-help = The key has to prove its model when it is bound. Most synced passkeys cannot. Keys that were bound without that proof must be bound anew.
attestation-deny = All but these products
attestation-deny-help = Judged by what a key says of itself. This keeps out mistakes, not lies.
attestation-products = Products
attestation-others = Other models
attestation-others-help = AAGUIDs, one on a line, as the maker publishes them. At most 100 with those above. The list counts for the last two choices only.

setting-session_hours = Longest session
setting-session_hours-help = After that one logs on again, whatever one is doing. 1 to 24 hours, default 6. A shorter time ends all open sessions.
setting-session_hours-unit = hours
setting-session_hours-n = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
}
setting-logon_networks = Networks for logon
setting-logon_networks-help = Addresses and networks from which RAM users log on, one on a line, at most 40. Empty: from everywhere. The owner is not bound by them.
setting-logon_networks-none = Everywhere
setting-passkey_logon = Logon with a passkey
setting-passkey_logon-help = A passkey with user verification takes the place of password and code. Default: on.

setting-users_change_password = Users change their own password
setting-users_change_password-help = Without it only administrators give new ones, except where one must be chosen at logon. Default: on.
setting-users_manage_mfa_devices = Users manage their own MFA devices
setting-users_manage_mfa_devices-help = Without it only administrators bind and unbind, except where binding is required at logon. Default: on.
setting-users_manage_access_keys = Users manage their own AccessKeys
setting-users_manage_access_keys-help = Default: off.

setting-strength-own-password = Changing one's own password
setting-strength-own-password-help = Default: every time.
setting-strength-own-mfa = One's own MFA device and recovery codes
setting-strength-own-mfa-help = Renaming a security key or passkey. Default: every time. Binding, replacing, unbinding and making codes ask every time, whatever you choose.
setting-strength-own-contact = One's own email address and phone
setting-strength-own-contact-help = Default: every time.
setting-strength-users = Changing RAM users
setting-strength-users-help = Their logon settings, factors and sessions. Default: once in 15 minutes.
setting-strength-policies = Changing groups, policies and what is attached
setting-strength-policies-help = Default: once in 15 minutes.
setting-strength-access-keys = AccessKeys
setting-strength-access-keys-help = Making, enabling and deleting them. Default: once in 15 minutes.
setting-strength-security-settings = Security settings and password policy
setting-strength-security-settings-help = Default: once in 15 minutes.
strength-off = Never
strength-once-in-15-minutes = Once in 15 minutes
strength-always = Every time
setting-verify_by_email = Proof by email
setting-verify_by_email-help = A code sent to the secure email address proves an operation too. The MFA device always does. Default: off.
setting-verify_by_email-awaits = Counts as soon as codes are sent by email.
setting-verify_by_sms = Proof by text message
setting-verify_by_sms-help = A code sent to the secure phone proves an operation too. The MFA device always does. Default: off.
setting-verify_by_sms-awaits = Counts as soon as codes are sent by text message.

setting-max_idle_days_users = Idle users
setting-max_idle_days_users-help = Console logon that was not used for so long is disabled within the next hour or so. Default: 730 days.
setting-max_idle_days_access_keys = Idle AccessKeys
setting-max_idle_days_access_keys-help = An AccessKey that was not used for so long is disabled. Default: 730 days.
idle-days-90 = 90 days
idle-days-180 = 180 days
idle-days-365 = 365 days
idle-days-730 = 730 days

setting-audit_retention_days = Audit log is kept for
setting-audit_retention_days-help = 90 to 3,650 days, default 365.
setting-audit_retention_days-unit = days
setting-audit_retention_days-n = { $n } days

setting-minimum_length = Fewest characters
setting-minimum_length-help = 8 to 32, default 8.
setting-minimum_length-unit = characters
setting-minimum_length-n = { $n } characters
setting-minimum_different = Fewest different characters
setting-minimum_different-help = 0 to 8, default 0. Four are always required.
setting-minimum_different-unit = characters
setting-minimum_different-n = { $n ->
    [one] { $n } character
   *[other] { $n } characters
}
setting-minimum_different-zero = Four, as always
setting-require_lowercase = A small letter
setting-require_lowercase-help = At least one. Default: off.
setting-require_uppercase = A capital letter
setting-require_uppercase-help = At least one. Default: off.
setting-require_numbers = A digit
setting-require_numbers-help = At least one. Default: off.
setting-require_symbols = A symbol
setting-require_symbols-help = At least one character that is neither letter nor digit; a space is one. Default: off.
setting-not_contain_user_name = Not the user's name
setting-not_contain_user_name-help = Countersign always refuses a password with the user name in it. The switch is kept for programs that read and set it.
setting-reuse_prevention = Earlier passwords not to be used again
setting-reuse_prevention-help = 0 to 24, default 0. The present password is always refused.
setting-reuse_prevention-unit = passwords
setting-reuse_prevention-n = { $n ->
    [one] { $n } password
   *[other] { $n } passwords
}
setting-reuse_prevention-zero = None
setting-max_age_days = Longest age
setting-max_age_days-help = Then the user must choose another one at logon. 0 to 1,095 days; 0, the default, is for ever.
setting-max_age_days-unit = days
setting-max_age_days-n = { $n ->
    [one] { $n } day
   *[other] { $n } days
}
setting-max_age_days-zero = For ever
setting-hard_expire = Refuse expired passwords
setting-hard_expire-help = A password past its longest age logs nobody on, and an administrator must reset it. Default: off, the user changes it at logon.
setting-initial_age_days = Age of initial passwords
setting-initial_age_days-help = A password that an administrator gave logs nobody on after so many days, unless the user has changed it. 0 to 90 days, default 14; 0 is for ever.
setting-initial_age_days-unit = days
setting-initial_age_days-n = { $n ->
    [one] { $n } day
   *[other] { $n } days
}
setting-initial_age_days-zero = For ever
setting-max_logon_attempts = Wrong passwords within an hour
setting-max_logon_attempts-help = After so many the password is locked for an hour. 0 to 32; 0, the default, is no such limit. Whoever knows a user's name can lock him out this way.
setting-max_logon_attempts-unit = tries
setting-max_logon_attempts-n = { $n ->
    [one] { $n } try
   *[other] { $n } tries
}
setting-max_logon_attempts-zero = No limit

# What a change would do
forecast-title = Check the change
forecast-lead = This is what would happen. Nothing is saved yet.
forecast-changed-title = Somebody else has saved meanwhile.
forecast-changed = Below stands what you typed against the settings as they are now. Saving puts yours in their place.
forecast-own-address-title = You are outside these networks.
forecast-own-address = Your address is { $address }. As the owner you can still log on; RAM users beside you could not.
forecast-differences = What changes
forecast-before = From
forecast-after = to
forecast-effects = Whom it concerns
forecast-effects-lead = Counted over all { $n } RAM users with console logon, as they are now.
forecast-refused = Refused
forecast-comma = ,{" "}
forecast-administrators = { $n ->
    [one] { $n } administrator among them:
   *[other] { $n } administrators among them:
}
forecast-more = and { $n } more
forecast-attestation-title = Keys that are bound may stop working.
forecast-attestation = Security keys and passkeys that the new rule does not allow prove nothing any more. Whoever has no other factor needs a recovery code or an administrator.
forecast-attestation-whom = Users with keys that are not allowed
forecast-attestation-whom-note = How many that are is not counted. After saving, the lists on their pages mark such keys.
forecast-nobody = Nobody
forecast-nobody-note = No user is refused, asked more often, or has to do anything.
forecast-sessions = { $n ->
    [one] { $n } session ends at once
   *[other] { $n } sessions end at once
}
forecast-sessions-note = A rule becomes stricter, so everybody but you logs on anew under it. Logons that are going on begin again.
forecast-outside-networks = Could not log on from where they last did
forecast-outside-networks-note = Their last logon came from outside these networks. They can log on from inside.
forecast-unknown-address = Have no address on record
forecast-unknown-address-note = They have not logged on yet, or not since addresses are noted, so nobody can tell whether they are inside.
forecast-idle = Lose console logon, because they lie idle
forecast-idle-note = It is disabled within an hour or so. An administrator can enable it again.
forecast-password-expired = Have a password that has run out
forecast-password-expired-note = It logs them on no more. An administrator must reset it.
forecast-initial-password-expired = Have an initial password that has run out
forecast-initial-password-expired-note = An administrator gave it and they never changed it. It logs them on no more; an administrator must reset it.
forecast-no-key-left = Cannot log on: their keys are refused
forecast-no-key-left-note = Every factor they have is a security key or passkey that the new policy refuses. Bind another factor for them first, or unbind their keys.
forecast-must-bind = Must bind a device at the next logon
forecast-must-bind-note = They have none, and until now did not need one. Whoever knows such a password first can bind his own phone: ask them to log on soon.
forecast-must-bind-anyway = Had to bind a device already, and have not
forecast-must-bind-anyway-note = Their own logon settings require it. Nothing changes for them.
forecast-must-change-password = Must change the password at the next logon
forecast-must-change-password-note = It is older than the longest age.
forecast-asked-at-every-logon = Are asked for a code at every logon
forecast-asked-at-every-logon-note = They have a device. Until now it was asked for at unusual logons only.
forecast-key-idle = Have an AccessKey that lies idle
forecast-key-idle-note = Its calls are refused at once, and it is disabled within an hour or so. It can be enabled again. Users without console logon and the owner are counted as well.
forecast-machine-forgotten = Have a machine remembered, and lose it
forecast-machine-forgotten-note = They are asked for a code at the next logon.
forecast-proof-more-often = Are asked for a proof more often
forecast-proof-more-often-note = Before the operations above.

# The rules of a password, before and after it is typed
password-needs = Needed: { $rules }.
password-lacks = This password is refused. It needs { $rules }.
password-comma = ,{" "}
password-rule-shortest = at least { $n } characters
password-rule-longest = at most { $n } characters
password-rule-different = at least { $n } different characters
password-rule-lowercase = a small letter
password-rule-uppercase = a capital letter
password-rule-number = a digit
password-rule-symbol = a symbol, such as - or a space
password-rule-not-name = nothing of the user's name
password-expires = Good until
