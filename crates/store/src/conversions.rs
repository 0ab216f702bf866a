//! How the ids, instants and records of `model` go into statements and come out of rows.

use crate::{Param, RowReader, StoreError, ToParam};
use countersign_model::Timestamp;
use countersign_model::ids::{
    AccessKeyId, AccountId, BrowserId, DeviceId, EventId, FindingId, GroupId, KeyId, LogonId, MachineId, NoticeId,
    PolicyId, PrincipalId, SessionId,
};

macro_rules! text_params {
    ($($id:ty),+) => {
        $(impl ToParam for $id {
            fn to_param(&self) -> Param<'_> {
                Param::Text(self.as_str())
            }
        })+
    };
}

text_params!(
    AccessKeyId,
    AccountId,
    BrowserId,
    DeviceId,
    EventId,
    FindingId,
    GroupId,
    KeyId,
    LogonId,
    MachineId,
    NoticeId,
    PolicyId,
    PrincipalId,
    SessionId
);

impl ToParam for Timestamp {
    fn to_param(&self) -> Param<'_> {
        Param::Int(self.micros())
    }
}

impl RowReader {
    /// An instant.
    pub fn time(&mut self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_micros)
    }

    /// An instant or `NULL`.
    pub fn opt_time(&mut self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_micros))
    }
}

/// A value for a column that holds JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Fault(format!("a value that is no JSON: {error}")))
}
