//! A call whose signature was right: who asks for what, and how an action reads its parameters.

use crate::answer::Node;
use crate::api::Api;
use crate::error::ApiError;
use crate::refusals::{api_error, of_code};
use crate::request::Request;
use countersign_core::ram::Page;
use countersign_core::{AccessKeyActor, Countersign, Error, Origin};
use countersign_model::Timestamp;
use countersign_model::names::{AccountAlias, InvalidName, LogonName, UserName};
use countersign_model::virtual_mfa::serial_number;

/// What an action answers: the fields behind `RequestId`.
pub(crate) type Answered = Result<Vec<(&'static str, Node)>, ApiError>;

/// A call.
pub(crate) struct Call<'a> {
    pub(crate) core: &'a Countersign,
    pub(crate) actor: &'a AccessKeyActor,
    pub(crate) origin: &'a Origin,
    pub(crate) api: Api,
    pub(crate) action: &'a str,
    pub(crate) request: &'a Request,
}

impl Call<'_> {
    /// The alias of the account, or its id where it has none.
    pub(crate) fn alias(&self) -> &AccountAlias {
        &self.actor.access_key().alias
    }

    /// The domain of the account's logon names.
    pub(crate) fn domain(&self) -> String {
        format!("{}.{}", self.alias(), self.core.identity().suffix)
    }

    /// The logon name of a user.
    pub(crate) fn principal_name(&self, user: &str) -> String {
        format!("{user}@{}", self.domain())
    }

    /// The parameter that names a user in this product.
    pub(crate) const fn user_parameter(&self) -> &'static str {
        match self.api {
            Api::Ims => "UserPrincipalName",
            Api::Ram | Api::Sts => "UserName",
        }
    }

    /// The name of the user who is meant, if one is.
    pub(crate) fn user(&self) -> Result<Option<String>, ApiError> {
        let name = self.user_parameter();
        self.request.text(name).map(|text| self.read_user(text, name)).transpose()
    }

    /// The name of the user who is meant.
    pub(crate) fn required_user(&self) -> Result<String, ApiError> {
        self.user()?.ok_or_else(|| ApiError::missing(self.user_parameter()))
    }

    /// Reads the name of a user as this product writes it. One of another account is one that does not exist.
    pub(crate) fn read_user(&self, text: &str, parameter: &'static str) -> Result<String, ApiError> {
        if self.api != Api::Ims {
            let name = UserName::parse(text).map_err(|invalid| under(parameter, "UserName", invalid))?;
            return Ok(name.as_str().to_owned());
        }
        let suffix = &self.core.identity().suffix;
        let name = LogonName::ram_user(text, suffix).map_err(|invalid| {
            // What is wrong with the user's part is told as closely as the older version tells it.
            match text.trim().split_once('@').map(|(user, _)| UserName::parse(user)) {
                Some(Err(of_user)) => under(parameter, "UserName", of_user),
                Some(Ok(_)) | None => under(parameter, "UserPrincipalName", invalid),
            }
        })?;
        let (LogonName::RamUser { account, .. }, Some((user, _))) = (&name, text.trim().split_once('@')) else {
            return Err(of_code("EntityNotExist.User"));
        };
        if account != self.alias().as_str() && account != self.actor.account_id().as_str() {
            return Err(of_code("EntityNotExist.User"));
        }
        Ok(user.to_owned())
    }

    /// The name of the device that a serial number stands for. One of another account does not exist.
    pub(crate) fn device(&self) -> Result<String, ApiError> {
        let serial = self.request.required("SerialNumber")?;
        let prefix = serial_number(self.actor.account_id(), "");
        let name = serial.strip_prefix(&prefix).filter(|name| !name.is_empty() && name.len() <= 128);
        let plain = |name: &&str| name.bytes().all(|b| b.is_ascii_graphic());
        name.filter(plain).map(str::to_owned).ok_or_else(|| of_code("EntityNotExist.VirtualMFADevice"))
    }

    /// A name that must be there, of a group or a policy.
    pub(crate) fn required_named<T>(
        &self,
        parameter: &'static str,
        parse: fn(&str) -> Result<T, InvalidName>,
    ) -> Result<T, ApiError> {
        parse(self.request.required(parameter)?).map_err(|invalid| of_code(invalid.code))
    }

    /// A name or text that may be left out. What is wrong with it is told under the parameter that it came in; `usual` is
    /// what its kind is called otherwise.
    pub(crate) fn named<T>(
        &self,
        parameter: &'static str,
        usual: &str,
        parse: fn(&str) -> Result<T, InvalidName>,
    ) -> Result<Option<T>, ApiError> {
        let text = self.request.text(parameter);
        text.map(parse).transpose().map_err(|invalid| under(parameter, usual, invalid))
    }

    /// Tags are not kept, and nobody is told that they were. One of the SDKs sends an empty list of them unasked.
    pub(crate) fn refuse_tags(&self) -> Result<(), ApiError> {
        let is_empty = |list: &str| matches!(list.trim(), "" | "[]");
        let mut all = self.request.all();
        let tagged = all.any(|(name, value)| name.starts_with("Tag.") || (name == "Tag" && !is_empty(value)));
        if tagged { Err(ApiError::invalid_parameter("Tag")) } else { Ok(()) }
    }

    /// Refuses a parameter that Countersign has nothing for, where leaving it out of account would do something else than
    /// the caller asked for.
    pub(crate) fn refuse(&self, parameter: &'static str) -> Result<(), ApiError> {
        if self.request.text(parameter).is_some() { Err(ApiError::invalid_parameter(parameter)) } else { Ok(()) }
    }

    /// How many items a page may have: `MaxItems`, from 1 to `most`.
    pub(crate) fn max_items(&self, default: i64, most: i64) -> Result<i64, ApiError> {
        match self.request.number::<i64>("MaxItems")? {
            None => Ok(default),
            Some(items) if (1..=most).contains(&items) => Ok(items),
            Some(_) => Err(ApiError::invalid_parameter("MaxItems")),
        }
    }

    /// The position that a marker of an earlier page stands for; empty for the first page.
    pub(crate) fn position(&self, parameter: &'static str) -> Result<String, ApiError> {
        let Some(marker) = self.request.text(parameter) else { return Ok(String::new()) };
        let position = self.core.position_of(self.actor.account_id(), self.list_name(), marker);
        position.ok_or_else(|| ApiError::invalid_parameter(parameter))
    }

    /// The marker of a position.
    pub(crate) fn marker(&self, position: &str) -> String {
        self.core.marker_of(self.actor.account_id(), self.list_name(), position)
    }

    /// The fields of a page: its items, and the marker of the last of them where there is more.
    pub(crate) fn paged<T>(
        &self,
        page: &Page<T>,
        items: (&'static str, Node),
        position: impl Fn(&T) -> String,
    ) -> Vec<(&'static str, Node)> {
        let mut fields = vec![("IsTruncated", page.is_truncated.into()), items];
        if let Some(last) = page.items.last().filter(|_| page.is_truncated) {
            fields.push(("Marker", self.marker(&position(last)).into()));
        }
        fields
    }

    /// A marker is good for the list that it came from.
    fn list_name(&self) -> &str {
        self.action
    }
}

/// What core answered, or its refusal in the protocol's words.
pub(crate) fn answered<T>(result: Result<T, Error>) -> Result<T, ApiError> {
    result.map_err(|error| api_error(&error))
}

/// An invalid name under the parameter that it came in.
pub(crate) fn under(parameter: &str, usual: &str, invalid: InvalidName) -> ApiError {
    let usual = format!("InvalidParameter.{usual}");
    match invalid.code.strip_prefix(&usual) {
        Some(rest) => of_code(&format!("InvalidParameter.{parameter}{rest}")),
        None => of_code(invalid.code),
    }
}

/// A time as the protocol writes it.
pub(crate) fn time(at: Timestamp) -> Node {
    Node::Text(at.to_rfc3339())
}
