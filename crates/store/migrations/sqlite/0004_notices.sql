-- What people are told, and what administrators have to look at.

-- Notice ids begin with their time, so this is the order in which they are shown.
CREATE TABLE notices (
    account_id   TEXT    NOT NULL,
    notice_id    TEXT    NOT NULL,
    principal_id TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    facts        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    disowned_at  INTEGER,
    PRIMARY KEY (account_id, notice_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX notices_by_id ON notices (notice_id);
CREATE INDEX notices_by_principal ON notices (account_id, principal_id, notice_id);
CREATE INDEX notices_by_age ON notices (created_at);

-- Mail to be sent, a row for each recipient of a notice. Whoever sends it moves `due_at` first: that is his lease.
CREATE TABLE outbox (
    account_id TEXT    NOT NULL,
    notice_id  TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    language   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    last_error TEXT    NOT NULL,
    PRIMARY KEY (account_id, notice_id, recipient),
    FOREIGN KEY (account_id, notice_id) REFERENCES notices ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_by_state ON outbox (state, due_at);

-- Finding ids begin with their time as well.
CREATE TABLE findings (
    account_id     TEXT    NOT NULL,
    finding_id     TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    principal_id   TEXT    NOT NULL,
    principal_name TEXT    NOT NULL,
    details        TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    settled_at     INTEGER,
    settled_by     TEXT,
    PRIMARY KEY (account_id, finding_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX findings_open ON findings (account_id, finding_id) WHERE settled_at IS NULL;
