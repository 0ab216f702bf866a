-- What governs a logon and what it leaves behind.

-- The language of a principal's last logon, for what is sent to him.
ALTER TABLE principals ADD COLUMN language TEXT NOT NULL DEFAULT 'en';

-- From where a principal last opened a session: tells whom new networks for logon would lock out.
ALTER TABLE principals ADD COLUMN last_logon_address TEXT;

-- A password that an administrator gave runs out sooner; console logon that lies idle since this is disabled.
ALTER TABLE login_profiles ADD COLUMN password_is_initial INTEGER NOT NULL DEFAULT 0;
ALTER TABLE login_profiles ADD COLUMN enabled_at INTEGER NOT NULL DEFAULT 0;
-- Whoever never logged on is idle since then.
UPDATE login_profiles SET enabled_at = created_at;

-- The hashes of earlier passwords, so that they are not used again.
CREATE TABLE password_history (
    account_id    TEXT    NOT NULL,
    principal_id  TEXT    NOT NULL,
    changed_at    INTEGER NOT NULL,
    password_hash TEXT    NOT NULL,
    PRIMARY KEY (account_id, principal_id, changed_at),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Tries within the present hour, for a lock that counts by the hour.
ALTER TABLE budgets ADD COLUMN window_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE budgets ADD COLUMN window_tries INTEGER NOT NULL DEFAULT 0;

-- Wrong passwords from a network within an hour; the network '*' counts those from all unknown browsers.
CREATE TABLE network_budgets (
    hour     INTEGER NOT NULL,
    network  TEXT    NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (hour, network)
) STRICT, WITHOUT ROWID;

-- Browsers in which a logon of a principal came to its end. They grant nothing.
CREATE TABLE known_browsers (
    token_hash    BLOB    NOT NULL,
    account_id    TEXT    NOT NULL,
    principal_id  TEXT    NOT NULL,
    browser_id    TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    last_mfa_at   INTEGER,
    PRIMARY KEY (account_id, principal_id, token_hash),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX known_browsers_by_end ON known_browsers (expires_at);

-- Networks from which a principal has logged on with a second factor.
CREATE TABLE known_networks (
    account_id   TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    network      TEXT    NOT NULL,
    last_mfa_at  INTEGER NOT NULL,
    PRIMARY KEY (account_id, principal_id, network),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Machines that skip the second factor at logon. The secret changes at each use.
CREATE TABLE remembered_machines (
    account_id      TEXT    NOT NULL,
    machine_id      TEXT    NOT NULL,
    principal_id    TEXT    NOT NULL,
    principal_epoch INTEGER NOT NULL,
    account_epoch   INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    last_used_at    INTEGER NOT NULL,
    address         TEXT    NOT NULL,
    user_agent      TEXT    NOT NULL,
    PRIMARY KEY (account_id, machine_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX remembered_machines_by_principal ON remembered_machines (account_id, principal_id, created_at);
CREATE INDEX remembered_machines_by_end ON remembered_machines (expires_at);

-- Every secret that a machine was given. One that is used a second time was stolen.
CREATE TABLE machine_secrets (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL,
    machine_id TEXT    NOT NULL,
    used_at    INTEGER,
    FOREIGN KEY (account_id, machine_id) REFERENCES remembered_machines ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX machine_secrets_by_machine ON machine_secrets (account_id, machine_id);

CREATE TABLE recovery_codes (
    account_id   TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    code_hash    BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    used_at      INTEGER,
    PRIMARY KEY (account_id, principal_id, code_hash),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Proofs asked for and given before sensitive operations. Each is for one operation with its arguments, in one session.
CREATE TABLE proofs (
    token_hash   BLOB    NOT NULL PRIMARY KEY,
    account_id   TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    session_id   TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    arguments    BLOB    NOT NULL,
    method       TEXT,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proofs_by_end ON proofs (expires_at);

-- Until when a session need not prove again what asks once in a while.
CREATE TABLE proof_windows (
    session_id TEXT    NOT NULL PRIMARY KEY,
    ends_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
