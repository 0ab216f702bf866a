//! Virtual MFA devices.

use crate::answer::Node;
use crate::api::Api;
use crate::call::{Answered, Call, answered, time};
use crate::error::ApiError;
use crate::refusals::of_code;
use countersign_core::ram::DeviceLine;
use countersign_core::ram::mfa::{AfterDevice, BoundMfa, MfaKind};
use countersign_model::names::DeviceName;
use countersign_model::virtual_mfa::serial_number;
use secrecy::ExposeSecret as _;

/// How many devices are read at once for the older version, which knows no pages.
const BATCH: i64 = 500;

pub(crate) async fn create(call: &Call<'_>) -> Answered {
    let name = call.request.required("VirtualMFADeviceName")?;
    let name = DeviceName::parse(name).map_err(|invalid| of_code(invalid.code))?;
    let made = answered(call.core.create_mfa_device(call.actor, name, call.origin).await)?;
    let device = Node::object([
        ("SerialNumber", made.serial_number.into()),
        ("Base32StringSeed", made.seed.expose_secret().into()),
        ("QRCodePNG", made.qr_png.expose_secret().into()),
    ]);
    Ok(vec![("VirtualMFADevice", device)])
}

pub(crate) async fn list(call: &Call<'_>) -> Answered {
    if call.api != Api::Ims {
        return list_all(call).await;
    }
    let (limit, after) = (call.max_items(100, 100)?, call.position("Marker")?);
    // No name holds a line break.
    let (name, id) = after.split_once('\n').unwrap_or_default();
    let after = AfterDevice { name: name.to_owned(), id: id.to_owned() };
    let page = answered(call.core.list_mfa_devices(call.actor, after, limit, call.origin).await)?;
    let devices = Node::list_of("VirtualMFADevice", page.items.iter().map(|device| line(call, device)));
    let mut fields = vec![("VirtualMFADevices", devices), ("IsTruncated", page.is_truncated.into())];
    if let Some(last) = page.items.last().filter(|_| page.is_truncated) {
        fields.push(("Marker", call.marker(&format!("{}\n{}", last.name, last.id)).into()));
    }
    Ok(fields)
}

/// All devices, read some at a time.
async fn list_all(call: &Call<'_>) -> Answered {
    let (mut lines, mut after) = (Vec::new(), AfterDevice::default());
    loop {
        let page = answered(call.core.list_mfa_devices(call.actor, after, BATCH, call.origin).await)?;
        lines.extend(page.items.iter().map(|device| line(call, device)));
        match page.items.last().filter(|_| page.is_truncated) {
            Some(last) => after = AfterDevice { name: last.name.clone(), id: last.id.to_string() },
            None => return Ok(vec![("VirtualMFADevices", Node::list_of("VirtualMFADevice", lines))]),
        }
    }
}

fn line(call: &Call<'_>, device: &DeviceLine) -> Node {
    let user = match &device.bound {
        Some((_, holder)) => {
            let name = match call.api {
                Api::Ims if holder.name.contains('@') => ("UserPrincipalName", holder.name.clone()),
                Api::Ims => ("UserPrincipalName", call.principal_name(&holder.name)),
                Api::Ram | Api::Sts => ("UserName", holder.name.clone()),
            };
            Node::object([
                ("UserId", holder.id.as_str().into()),
                (name.0, name.1.into()),
                ("DisplayName", holder.display_name.as_str().into()),
            ])
        }
        None => Node::Object(Vec::new()),
    };
    Node::object([("SerialNumber", serial_number(call.actor.account_id(), &device.name).into()), ("User", user)])
        .with("ActivateDate", device.bound.as_ref().map(|(at, _)| time(*at)))
}

pub(crate) async fn bind(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let device = call.device()?;
    let codes = [code(call, "AuthenticationCode1")?, code(call, "AuthenticationCode2")?];
    answered(call.core.bind_mfa_device(call.actor, &user, &device, codes, call.origin).await)?;
    Ok(Vec::new())
}

fn code(call: &Call<'_>, name: &'static str) -> Result<String, ApiError> {
    let code = call.request.required(name)?;
    if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(code.to_owned());
    }
    Err(of_code("InvalidParameter.AuthenticationCode.Format"))
}

pub(crate) async fn unbind(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    let serial = answered(call.core.unbind_mfa_device(call.actor, &user, call.origin).await)?;
    Ok(vec![("MFADevice", Node::object([("SerialNumber", serial.into())]))])
}

pub(crate) async fn disable(call: &Call<'_>) -> Answered {
    let user = call.required_user()?;
    answered(call.core.disable_mfa_device(call.actor, &user, call.origin).await)?;
    Ok(Vec::new())
}

pub(crate) async fn delete(call: &Call<'_>) -> Answered {
    let device = call.device()?;
    answered(call.core.delete_mfa_device(call.actor, &device, call.origin).await)?;
    Ok(Vec::new())
}

/// `GetUserMFAInfo`. The older version answers 404 where nobody has bound a device; the newer one has a field for it.
pub(crate) async fn get_user_info(call: &Call<'_>) -> Answered {
    let user = match call.api {
        Api::Ims => call.user()?,
        Api::Ram | Api::Sts => Some(call.required_user()?),
    };
    let device = answered(call.core.mfa_of(call.actor, user.as_deref(), call.origin).await)?;
    let node = |device: &BoundMfa| {
        let kind = match device.kind {
            MfaKind::Virtual => "VMFA",
            MfaKind::SecurityKey => "U2F",
            MfaKind::Passkey => "PASSKEY",
        };
        Node::object([("SerialNumber", device.serial_number.as_str().into()), ("Type", kind.into())])
    };
    match (call.api, &device) {
        (Api::Ims, None) => Ok(vec![("IsMFAEnable", false.into()), ("MFADevice", Node::Object(Vec::new()))]),
        (Api::Ims, Some(device)) => Ok(vec![("IsMFAEnable", true.into()), ("MFADevice", node(device))]),
        (Api::Ram | Api::Sts, Some(device)) => Ok(vec![("MFADevice", node(device))]),
        (Api::Ram | Api::Sts, None) => Err(of_code("EntityNotExist.User.MFADevice")),
    }
}

pub(crate) async fn get_account_info(call: &Call<'_>) -> Answered {
    let is_enabled = answered(call.core.owner_has_mfa(call.actor, call.origin).await)?;
    Ok(vec![("IsMFAEnable", is_enabled.into())])
}
