-- What people are told, and what administrators have to look at.

-- Notice ids begin with their time, so this is the order in which they are shown.
CREATE TABLE notices (
    account_id   TEXT COLLATE "C" NOT NULL,
    notice_id    TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    facts        TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    disowned_at  BIGINT,
    PRIMARY KEY (account_id, notice_id),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);
CREATE UNIQUE INDEX notices_by_id ON notices (notice_id);
CREATE INDEX notices_by_principal ON notices (account_id, principal_id, notice_id);
CREATE INDEX notices_by_age ON notices (created_at);

-- Mail to be sent, a row for each recipient of a notice. Whoever sends it moves `due_at` first: that is his lease.
CREATE TABLE outbox (
    account_id TEXT COLLATE "C" NOT NULL,
    notice_id  TEXT COLLATE "C" NOT NULL,
    recipient  TEXT COLLATE "C" NOT NULL,
    language   TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    due_at     BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    last_error TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, notice_id, recipient),
    FOREIGN KEY (account_id, notice_id) REFERENCES notices ON DELETE CASCADE
);
CREATE INDEX outbox_by_state ON outbox (state, due_at);

-- Finding ids begin with their time as well.
CREATE TABLE findings (
    account_id     TEXT COLLATE "C" NOT NULL,
    finding_id     TEXT COLLATE "C" NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL,
    principal_id   TEXT COLLATE "C" NOT NULL,
    principal_name TEXT COLLATE "C" NOT NULL,
    details        TEXT COLLATE "C" NOT NULL,
    at             BIGINT NOT NULL,
    settled_at     BIGINT,
    settled_by     TEXT COLLATE "C",
    PRIMARY KEY (account_id, finding_id)
);
CREATE INDEX findings_open ON findings (account_id, finding_id) WHERE settled_at IS NULL;
