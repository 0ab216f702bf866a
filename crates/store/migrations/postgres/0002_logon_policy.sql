-- What governs a logon and what it leaves behind.

-- The language of a principal's last logon, for what is sent to him.
ALTER TABLE principals ADD COLUMN language TEXT COLLATE "C" NOT NULL DEFAULT 'en';

-- From where a principal last opened a session: tells whom new networks for logon would lock out.
ALTER TABLE principals ADD COLUMN last_logon_address TEXT COLLATE "C";

-- A password that an administrator gave runs out sooner; console logon that lies idle since this is disabled.
ALTER TABLE login_profiles ADD COLUMN password_is_initial BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE login_profiles ADD COLUMN enabled_at BIGINT NOT NULL DEFAULT 0;
-- Whoever never logged on is idle since then.
UPDATE login_profiles SET enabled_at = created_at;

-- The hashes of earlier passwords, so that they are not used again.
CREATE TABLE password_history (
    account_id    TEXT COLLATE "C"    NOT NULL,
    principal_id  TEXT COLLATE "C"    NOT NULL,
    changed_at    BIGINT NOT NULL,
    password_hash TEXT COLLATE "C"    NOT NULL,
    PRIMARY KEY (account_id, principal_id, changed_at),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);

-- Tries within the present hour, for a lock that counts by the hour.
ALTER TABLE budgets ADD COLUMN window_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE budgets ADD COLUMN window_tries BIGINT NOT NULL DEFAULT 0;

-- Wrong passwords from a network within an hour; the network '*' counts those from all unknown browsers.
CREATE TABLE network_budgets (
    hour     BIGINT NOT NULL,
    network  TEXT COLLATE "C"    NOT NULL,
    failures BIGINT NOT NULL,
    PRIMARY KEY (hour, network)
);

-- Browsers in which a logon of a principal came to its end. They grant nothing.
CREATE TABLE known_browsers (
    token_hash    BYTEA    NOT NULL,
    account_id    TEXT COLLATE "C"    NOT NULL,
    principal_id  TEXT COLLATE "C"    NOT NULL,
    browser_id    TEXT COLLATE "C"    NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    last_mfa_at   BIGINT,
    PRIMARY KEY (account_id, principal_id, token_hash),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);
CREATE INDEX known_browsers_by_end ON known_browsers (expires_at);

-- Networks from which a principal has logged on with a second factor.
CREATE TABLE known_networks (
    account_id   TEXT COLLATE "C"    NOT NULL,
    principal_id TEXT COLLATE "C"    NOT NULL,
    network      TEXT COLLATE "C"    NOT NULL,
    last_mfa_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, principal_id, network),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);

-- Machines that skip the second factor at logon. The secret changes at each use.
CREATE TABLE remembered_machines (
    account_id      TEXT COLLATE "C"    NOT NULL,
    machine_id      TEXT COLLATE "C"    NOT NULL,
    principal_id    TEXT COLLATE "C"    NOT NULL,
    principal_epoch BIGINT NOT NULL,
    account_epoch   BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    last_used_at    BIGINT NOT NULL,
    address         TEXT COLLATE "C"    NOT NULL,
    user_agent      TEXT COLLATE "C"    NOT NULL,
    PRIMARY KEY (account_id, machine_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);
CREATE INDEX remembered_machines_by_principal ON remembered_machines (account_id, principal_id, created_at);
CREATE INDEX remembered_machines_by_end ON remembered_machines (expires_at);

-- Every secret that a machine was given. One that is used a second time was stolen.
CREATE TABLE machine_secrets (
    token_hash BYTEA    NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C"    NOT NULL,
    machine_id TEXT COLLATE "C"    NOT NULL,
    used_at    BIGINT,
    FOREIGN KEY (account_id, machine_id) REFERENCES remembered_machines ON DELETE CASCADE
);
CREATE INDEX machine_secrets_by_machine ON machine_secrets (account_id, machine_id);

CREATE TABLE recovery_codes (
    account_id   TEXT COLLATE "C"    NOT NULL,
    principal_id TEXT COLLATE "C"    NOT NULL,
    code_hash    BYTEA    NOT NULL,
    created_at   BIGINT NOT NULL,
    used_at      BIGINT,
    PRIMARY KEY (account_id, principal_id, code_hash),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);

-- Proofs asked for and given before sensitive operations. Each is for one operation with its arguments, in one session.
CREATE TABLE proofs (
    token_hash   BYTEA    NOT NULL PRIMARY KEY,
    account_id   TEXT COLLATE "C"    NOT NULL,
    principal_id TEXT COLLATE "C"    NOT NULL,
    session_id   TEXT COLLATE "C"    NOT NULL,
    operation    TEXT COLLATE "C"    NOT NULL,
    arguments    BYTEA    NOT NULL,
    method       TEXT COLLATE "C",
    expires_at   BIGINT NOT NULL
);
CREATE INDEX proofs_by_end ON proofs (expires_at);

-- Until when a session need not prove again what asks once in a while.
CREATE TABLE proof_windows (
    session_id TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    ends_at    BIGINT NOT NULL
);
