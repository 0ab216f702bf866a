//! How the ids, instants and records of `model` go into statements and come out of rows.

use crate::{Param, RowReader, StoreError, ToParam};
use countersign_model::Timestamp;
use countersign_model::ids::{
    AccessKeyId, AccountId, BrowserId, DeviceId, EventId, FindingId, GroupId, KeyId, LogonId, MachineId, NoticeId,
    PolicyId, PrincipalId, SessionId,
};
use countersign_model::settings::SecuritySettings;
use std::cell::RefCell;
use std::sync::Arc;

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

thread_local! {
    /// The settings that were read last, with their text.
    static LAST_SETTINGS: RefCell<Option<(String, Arc<SecuritySettings>)>> = const { RefCell::new(None) };
}

impl RowReader {
    /// The settings of an account.
    pub fn settings(&mut self, column: &'static str) -> Result<Arc<SecuritySettings>, StoreError> {
        self.required(column, Self::opt_settings)
    }

    /// The settings of an account, or `NULL`.
    ///
    /// Every page and call reads them, and they hardly ever change: the text that is parsed is the one that was parsed
    /// before, and need not be parsed again.
    pub fn opt_settings(&mut self, column: &'static str) -> Result<Option<Arc<SecuritySettings>>, StoreError> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        LAST_SETTINGS.with_borrow_mut(|last| {
            if let Some((known, settings)) = last
                && *known == text
            {
                return Ok(Some(Arc::clone(settings)));
            }
            let settings = Arc::new(self.parse_json(column, &text)?);
            *last = Some((text, Arc::clone(&settings)));
            Ok(Some(settings))
        })
    }
}

/// A value for a column that holds JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Fault(format!("a value that is no JSON: {error}")))
}
