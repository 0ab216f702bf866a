# RAM > MFA check.
check-lead = Whether every user who has a console password also has an MFA device.
check-download = Download CSV
check-failed = { $n ->
    [one] 1 user has a console password and no MFA device
   *[other] { $n } users have a console password and no MFA device
}
check-failed-text = A password that was guessed or phished opens the console for whoever holds it.
check-all-passed = The check passes
check-all-passed-text = Every user with a console password has an MFA device.
check-about = About this check
check-benchmark = Benchmark
check-description = Description
check-description-text = Multi-factor authentication (MFA) adds a second proof to name and password: at the logon a user also types a code that changes every 30 seconds and that only a device of his own shows. MFA should be enabled for every user who has a console password.
check-rationale = Rationale
check-rationale-text = A password can be guessed, used elsewhere, phished or read over a shoulder. With MFA whoever has the password has to have the device as well, so the password alone opens nothing.
check-scope = Scope
check-scope-text = RAM users with console password logon. Users without a console password are out of scope and reported as such.
check-in-numbers = Result
check-number-in-scope = In scope: { $n }
check-number-passed = passed: { $n }
check-number-out-of-scope = out of scope: { $n }
check-steps-title = How to mend it
check-step-1 = In the list below, choose a user whose result is Failed, and click Modify Logon Settings in his line.
check-step-2 = Select Enabled for Console Password Logon and Required for Enable MFA, and click OK. From here the user can go on alone: his next logon leads straight to step 4.
check-step-3 = To bind for the user now, open his page, and on the tab Authentication, under Virtual MFA Device, click Enable Virtual MFA Device.
check-step-4 = Install an authenticator app on a phone: Google Authenticator or any other TOTP app.
check-step-5 = In the app, scan the QR code, or choose to type the key and type account name and key.
check-step-6 = Type the code that the app shows, and where the account asks for two, the next one as well, and click Confirm Bind.
check-step-7 = A user who does not need the console: select Disabled for Console Password Logon at step 2. Then he is out of scope.
check-none-text = Here stands every RAM user, once there is one.
check-result = Result
check-console-password = Console password
check-yes = Yes
check-no = No
check-passed-chip = Passed
check-failed-chip = Failed
check-out-of-scope-chip = Out of scope
