//! The secure email address and phone of a user.

use crate::answer::Node;
use crate::call::{Answered, Call, answered};
use crate::error::ApiError;
use crate::refusals::of_code;
use countersign_model::contact::{Contact, ContactKind};
use countersign_model::names::{EmailAddress, MobilePhone};

pub(crate) async fn get(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let contacts = answered(call.core.contacts_of(call.actor, &user, call.origin).await)?;
    Ok(contacts.iter().map(node).collect())
}

fn node(contact: &Contact) -> (&'static str, Node) {
    let state = contact.state.as_str();
    match contact.kind {
        ContactKind::Email => {
            let email = Node::object([("Email", contact.value.as_str().into()), ("Status", state.into())]);
            ("SecurityEmailDevice", email)
        }
        ContactKind::Sms => {
            let (area, number) = contact.value.split_once('-').unwrap_or(("", &contact.value));
            let phone =
                Node::object([("AreaCode", area.into()), ("PhoneNumber", number.into()), ("Status", state.into())]);
            ("SecurityPhoneDevice", phone)
        }
    }
}

pub(crate) async fn bind(call: &Call<'_>) -> Answered {
    let (user, contact) = (call.required_user()?, contact(call)?);
    answered(call.core.bind_contact(call.actor, &user, contact, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn unbind(call: &Call<'_>) -> Answered {
    let (user, contact) = (call.required_user()?, contact(call)?);
    answered(call.core.unbind_contact(call.actor, &user, contact, call.origin).await)?;
    Ok(Vec::new())
}

fn contact(call: &Call<'_>) -> Result<(ContactKind, String), ApiError> {
    let kind = call.request.required("VerifyType")?.parse().map_err(|_| ApiError::invalid_parameter("VerifyType"))?;
    let value = match kind {
        ContactKind::Email => EmailAddress::parse(call.request.required("Email")?).map(|email| email.to_string()),
        ContactKind::Sms => MobilePhone::parse(call.request.required("MobilePhone")?).map(|phone| phone.to_string()),
    };
    Ok((kind, value.map_err(|invalid| of_code(invalid.code))?))
}
