//! What second factors principals have: virtual MFA devices, security keys, passkeys. The one place that says so; lists,
//! counts and reports ask `has_factor!`.

use crate::{RowReader, StoreError, Tx, params, statements};
use countersign_model::ids::{AccountId, PrincipalId};
use countersign_model::webauthn::Factors;

/// Whether a principal has a second factor, as an expression. That a row is there is asked of its index alone.
macro_rules! has_factor {
    ($account:literal, $principal:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM virtual_mfa fv WHERE fv.account_id = ",
            $account,
            " AND fv.principal_id = ",
            $principal,
            " AND fv.state = 'bound') OR EXISTS (SELECT 1 FROM webauthn_credentials fw WHERE fw.account_id = ",
            $account,
            " AND fw.principal_id = ",
            $principal,
            "))"
        )
    };
}
pub(crate) use has_factor;

/// How many security keys and how many passkeys a principal has, as two expressions.
macro_rules! key_counts {
    ($account:literal, $principal:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM webauthn_credentials fw WHERE fw.account_id = ",
            $account,
            " AND fw.principal_id = ",
            $principal,
            " AND fw.kind = 'security-key'), (SELECT COUNT(*) FROM webauthn_credentials fw WHERE fw.account_id = ",
            $account,
            " AND fw.principal_id = ",
            $principal,
            " AND fw.kind = 'passkey')"
        )
    };
}
pub(crate) use key_counts;

statements! {
    OF = concat!("SELECT EXISTS (SELECT 1 FROM virtual_mfa v WHERE v.account_id = $1 AND v.principal_id = $2 \
                 AND v.state = 'bound'), ", key_counts!("$1", "$2"));
    COUNT_HOLDERS = concat!("SELECT COUNT(*) FROM principals p WHERE p.account_id = $1 AND p.kind = 'ram-user' AND ",
                            has_factor!("p.account_id", "p.principal_id"));
}

/// The second factors of a principal.
pub async fn of(tx: &mut Tx<'_>, account: &AccountId, id: &PrincipalId) -> Result<Factors, StoreError> {
    let row = tx.row(OF, params![account, id]).await?;
    let row = row.ok_or_else(|| StoreError::Fault("a count without a row".to_owned()))?;
    let mut r = row.reader("factors");
    let code = r.bool("virtual_mfa")?;
    read_keys(&mut r, code)
}

/// How many RAM users of an account have a second factor.
pub async fn count_holders(tx: &mut Tx<'_>, account: &AccountId) -> Result<i64, StoreError> {
    tx.row(COUNT_HOLDERS, params![account]).await?.map_or(Ok(0), |row| row.reader("principals").int("count"))
}

/// Reads the columns of [`key_counts!`].
pub(crate) fn read_keys(r: &mut RowReader, code: bool) -> Result<Factors, StoreError> {
    Ok(Factors { code, security_keys: r.int("security_keys")?, passkeys: r.int("passkeys")? })
}
