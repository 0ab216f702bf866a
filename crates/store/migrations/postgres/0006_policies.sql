-- Groups of RAM users, policies that an account writes for itself, and which policies are attached to whom.

CREATE TABLE user_groups (
    account_id     TEXT COLLATE "C" NOT NULL REFERENCES accounts,
    group_id       TEXT COLLATE "C" NOT NULL,
    name           TEXT COLLATE "C" NOT NULL,
    canonical_name TEXT COLLATE "C" NOT NULL,
    comments       TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (account_id, group_id),
    UNIQUE (account_id, canonical_name)
);

-- A group with members cannot be removed; a user who is removed leaves his groups.
CREATE TABLE group_members (
    account_id   TEXT COLLATE "C" NOT NULL,
    group_id     TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    joined_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, group_id, principal_id),
    FOREIGN KEY (account_id, group_id) REFERENCES user_groups,
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE
);
CREATE INDEX group_members_by_user ON group_members (account_id, principal_id, group_id);

CREATE TABLE policies (
    account_id      TEXT COLLATE "C" NOT NULL REFERENCES accounts,
    policy_id       TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    canonical_name  TEXT COLLATE "C" NOT NULL,
    description     TEXT COLLATE "C" NOT NULL,
    default_version BIGINT NOT NULL,
    last_version    BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (account_id, policy_id),
    UNIQUE (account_id, canonical_name)
);

-- `denies`: whether the document denies anything.
CREATE TABLE policy_versions (
    account_id TEXT COLLATE "C" NOT NULL,
    policy_id  TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    document   TEXT COLLATE "C" NOT NULL,
    denies     BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, policy_id, version),
    FOREIGN KEY (account_id, policy_id) REFERENCES policies ON DELETE CASCADE
);

-- `policy` is the name of a system policy or the id of a custom one; then `custom_id` is the same, and keeps it from
-- being removed.
CREATE TABLE user_policies (
    account_id   TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    policy       TEXT COLLATE "C" NOT NULL,
    custom_id    TEXT COLLATE "C",
    attached_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, principal_id, policy),
    FOREIGN KEY (account_id, principal_id) REFERENCES principals ON DELETE CASCADE,
    FOREIGN KEY (account_id, custom_id) REFERENCES policies
);
CREATE INDEX user_policies_by_policy ON user_policies (account_id, policy, principal_id);

CREATE TABLE group_policies (
    account_id  TEXT COLLATE "C" NOT NULL,
    group_id    TEXT COLLATE "C" NOT NULL,
    policy      TEXT COLLATE "C" NOT NULL,
    custom_id   TEXT COLLATE "C",
    attached_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, group_id, policy),
    FOREIGN KEY (account_id, group_id) REFERENCES user_groups,
    FOREIGN KEY (account_id, custom_id) REFERENCES policies
);
CREATE INDEX group_policies_by_policy ON group_policies (account_id, policy, group_id);

-- Until now there were system policies only, attached to users only.
INSERT INTO user_policies (account_id, principal_id, policy, custom_id, attached_at)
SELECT account_id, principal_id, policy, NULL, attached_at FROM attached_policies;
DROP TABLE attached_policies;
