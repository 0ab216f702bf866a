"""Every refusal of the MFA actions, provoked by the official SDKs in the shapes of RAM and of IMS and compared with
what the cloud documents: code, status, message."""

from itertools import count

from house import sdks
from house.phone import Phone
from house.story import holds, same, step, tell

OWNER = ("owner@example.com", "correct horse battery")

# What is refused with which status and which words, the cloud's slips of the pen included.
WORDS = {
    "CheckAuthenticationCodeFail": (403, "The authentication code is incorrect."),
    "DeleteConflict.User.MFADevice": (409, "The user CAN NOT has any mfa device while deleting the user."),
    "DeleteConflict.VirtualMFADevice.User": (
        409,
        "The virtual mfa device CAN NOT been bound to any user while deleting it.",
    ),
    "EntityAlreadyExists.User.MFADevice": (409, "The user has already bound a MFA device."),
    "EntityAlreadyExists.VirtualMFADevice": (409, "The virtual mfa device does already EXIST."),
    "EntityAlreadyExists.VirtualMFADevice.User": (409, "The virtual mfa device does already been bound to a user."),
    "EntityNotExist.User": (404, "The user does not exist."),
    "EntityNotExist.User.MFADevice": (404, "The user has not bound any MFA device."),
    "EntityNotExist.VirtualMFADevice": (404, "The virtual mfa device does not exist."),
    "InvalidParameter.AuthenticationCode.Format": (400, 'The parameter - "AuthenticationCode" MUST be 6 numbers.'),
    "InvalidParameter.MaxItems": (400, 'The parameter - "MaxItems" is incorrect.'),
    "InvalidParameter.Marker": (400, 'The parameter - "Marker" is incorrect.'),
    "InvalidParameter.UserName.InvalidChars": (400, 'The parameter - "UserName" contains invalid chars.'),
    "InvalidParameter.UserName.Length": (400, 'The parameter - "UserName" beyond the length limit.'),
    "InvalidParameter.UserPrincipalName.Format": (
        400,
        'The format of the parameter - "UserPrincipalName" is incorrect.',
    ),
    "InvalidParameter.UserPrincipalName.InvalidChars": (
        400,
        'The parameter - "UserPrincipalName" contains invalid chars.',
    ),
    "InvalidParameter.UserPrincipalName.Length": (400, 'The parameter - "UserPrincipalName" beyond the length limit.'),
    "InvalidParameter.VirtualMFADeviceName.InvalidChars": (
        400,
        'The parameter - "VirtualMFADeviceName" contains invalid chars.',
    ),
    "InvalidParameter.VirtualMFADeviceName.Length": (
        400,
        'The parameter - "VirtualMFADeviceName" beyond the length limit.',
    ),
    "MissingAuthenticationCode1": (400, "AuthenticationCode1 is mandatory for this action."),
    "MissingAuthenticationCode2": (400, "AuthenticationCode2 is mandatory for this action."),
    "MissingSerialNumber": (400, "SerialNumber is mandatory for this action."),
    "MissingUserName": (400, "UserName is mandatory for this action."),
    "MissingUserPrincipalName": (400, "UserPrincipalName is mandatory for this action."),
    "MissingVirtualMFADeviceName": (400, "VirtualMFADeviceName is mandatory for this action."),
    "NoPermission": (403, "You are not authorized to do this action."),
}
numbers = count(1)


class Errors:
    """The refusals in the words of one SDK."""

    def __init__(self, api, account, key, dialect, is_ims):
        self.call, self.is_ims, self.dialect = dialect(api, key), is_ims, dialect
        self.api, self.prefix = api, f"acs:ram::{account}:mfa/"
        self.parameter = "UserPrincipalName" if is_ims else "UserName"

    def who(self, name):
        return {self.parameter: f"{name}@acme.countersign.local" if self.is_ims else name}

    def user(self):
        name = f"user{next(numbers)}"
        self.call("CreateUser", **self.who(name), DisplayName=name)
        return name

    def device(self):
        made = self.call("CreateVirtualMFADevice", VirtualMFADeviceName=f"device{next(numbers)}")["VirtualMFADevice"]
        return made["SerialNumber"], Phone.typed(made["Base32StringSeed"])

    def refused(self, code, action, **parameters):
        refusal = sdks.refused(self.call, action, **parameters)
        same((refusal.code, refusal.status, refusal.message), (code, *WORDS[code]), f"{action} {parameters}")
        if refusal.body is not None:
            body = refusal.body
            holds(
                {"Code", "HostId", "Message", "Recommend", "RequestId"} <= set(body), f"the shape of an error: {body}"
            )
            same(body["HostId"], "ims.countersign.local" if self.is_ims else "ram.countersign.local")
            holds(f"q={code}&product={'Ims' if self.is_ims else 'Ram'}&" in body["Recommend"], body["Recommend"])

    def create(self):
        serial, _ = self.device()
        name = serial.removeprefix(self.prefix)
        for code, wrong in {
            "EntityAlreadyExists.VirtualMFADevice": name,
            "InvalidParameter.VirtualMFADeviceName.InvalidChars": "a b",
            "InvalidParameter.VirtualMFADeviceName.Length": "x" * 65,
        }.items():
            self.refused(code, "CreateVirtualMFADevice", VirtualMFADeviceName=wrong)
        self.refused("MissingVirtualMFADeviceName", "CreateVirtualMFADevice")
        self.refused(
            "InvalidParameter.VirtualMFADeviceName.InvalidChars", "CreateVirtualMFADevice", VirtualMFADeviceName="设备"
        )

    def bind(self):
        (serial, phone), (other, _), user, second = self.device(), self.device(), self.user(), self.user()
        first, present = phone.two_codes()
        right = {"AuthenticationCode1": first, "AuthenticationCode2": present}
        bind = {**self.who(user), "SerialNumber": serial, **right}
        for missing in bind:
            self.refused(f"Missing{missing}", "BindMFADevice", **{name: bind[name] for name in bind if name != missing})
        for code in ("12345", "1234567", "12345x", "１２３４５６"):
            self.refused(
                "InvalidParameter.AuthenticationCode.Format", "BindMFADevice", **{**bind, "AuthenticationCode2": code}
            )
        no_device = "EntityNotExist.VirtualMFADevice"
        for absent in (
            f"{serial}x",
            "device",
            serial.replace(":mfa/", ":user/"),
            self.prefix,
            "acs:ram::1234567890123456:mfa/device1",
        ):
            self.refused(no_device, "BindMFADevice", **{**bind, "SerialNumber": absent})
        self.no_such_user("BindMFADevice", **{name: bind[name] for name in bind if name != self.parameter})
        wrong = phone.wrong_codes()
        for codes in (wrong, (present, first), (present, present)):
            pair = dict(zip(("AuthenticationCode1", "AuthenticationCode2"), codes))
            self.refused("CheckAuthenticationCodeFail", "BindMFADevice", **{**bind, **pair})
        first, present = phone.two_codes()
        bind |= {"AuthenticationCode1": first, "AuthenticationCode2": present}
        self.call("BindMFADevice", **bind)
        self.refused("EntityAlreadyExists.User.MFADevice", "BindMFADevice", **{**bind, "SerialNumber": other})
        self.refused("EntityAlreadyExists.VirtualMFADevice.User", "BindMFADevice", **{**bind, **self.who(second)})
        return user, serial, bind

    def bound(self, user, serial, bind):
        self.refused(
            "EntityAlreadyExists.VirtualMFADevice",
            "CreateVirtualMFADevice",
            VirtualMFADeviceName=serial.removeprefix(self.prefix),
        )
        self.refused("DeleteConflict.VirtualMFADevice.User", "DeleteVirtualMFADevice", SerialNumber=serial)
        self.refused("DeleteConflict.User.MFADevice", "DeleteUser", **self.who(user))
        self.call("UnbindMFADevice", **self.who(user))
        # The codes are spent, whoever has the device next.
        self.refused("CheckAuthenticationCodeFail", "BindMFADevice", **bind)
        self.call("DeleteVirtualMFADevice", SerialNumber=serial)
        self.refused("EntityNotExist.VirtualMFADevice", "DeleteVirtualMFADevice", SerialNumber=serial)
        self.refused("MissingSerialNumber", "DeleteVirtualMFADevice")

    def unbind(self):
        user = self.user()
        for action in ("UnbindMFADevice", "DisableVirtualMFA") if self.is_ims else ("UnbindMFADevice",):
            self.refused("EntityNotExist.User.MFADevice", action, **self.who(user))
            self.refused(f"Missing{self.parameter}", action)
            self.no_such_user(action)

    def look(self):
        user = self.user()
        self.no_such_user("GetUserMFAInfo")
        if self.is_ims:
            same(self.call("GetUserMFAInfo", **self.who(user))["IsMFAEnable"], False, "nothing bound")
            same(self.call("GetAccountMFAInfo")["IsMFAEnable"], False, "the owner")
            for items in (0, 101, -1):
                self.refused("InvalidParameter.MaxItems", "ListVirtualMFADevices", MaxItems=items)
            self.refused("InvalidParameter.Marker", "ListVirtualMFADevices", Marker="made-up")
        else:
            self.refused("EntityNotExist.User.MFADevice", "GetUserMFAInfo", **self.who(user))
            self.refused("MissingUserName", "GetUserMFAInfo")

    def no_such_user(self, action, **others):
        self.refused("EntityNotExist.User", action, **self.who("nobody"), **others)
        self.refused(f"InvalidParameter.{self.parameter}.InvalidChars", action, **self.who("a b"), **others)
        self.refused(f"InvalidParameter.{self.parameter}.Length", action, **self.who("x" * 200), **others)
        if self.is_ims:
            foreign = {self.parameter: "alice@other.countersign.local"}
            self.refused("EntityNotExist.User", action, **foreign, **others)
            self.refused("InvalidParameter.UserPrincipalName.Format", action, **{self.parameter: "alice"}, **others)

    def strangers(self):
        """A user without rights is refused everything, and learns nothing of who and what there is."""
        user = self.user()
        made = self.call("CreateAccessKey", **self.who(user))["AccessKey"]
        serial, phone = self.device()
        first, second = phone.two_codes()
        owner, self.call = self.call, self.dialect(self.api, (made["AccessKeyId"], made["AccessKeySecret"]))
        codes = {"AuthenticationCode1": first, "AuthenticationCode2": second}
        for name in ("nobody", user):
            for action in ("UnbindMFADevice", "GetUserMFAInfo"):
                self.refused("NoPermission", action, **self.who(name))
            self.refused("NoPermission", "BindMFADevice", **self.who(name), SerialNumber=serial, **codes)
        self.refused("NoPermission", "CreateVirtualMFADevice", VirtualMFADeviceName="mine")
        self.refused("NoPermission", "ListVirtualMFADevices")
        self.refused("NoPermission", "DeleteVirtualMFADevice", SerialNumber=serial)
        self.call = owner


def story(server):
    account = server.account("acme", *OWNER)
    server.account("other", "other@example.com", OWNER[1])
    key = server.access_key("acme")
    dialects = {
        "RAM, V3": (sdks.ram, False),
        "IMS, V3": (sdks.ims, True),
        "IMS, V1": (lambda api, key: sdks.ims(api, key, sdks.V1), True),
        "RAM, aliyunsdkcore": (sdks.Legacy, False),
    }
    for name, (dialect, is_ims) in dialects.items():
        errors = Errors(server.api, account, key, dialect, is_ims)
        with step(f"{name}: CreateVirtualMFADevice"):
            errors.create()
        with step(f"{name}: BindMFADevice"):
            bound = errors.bind()
        with step(f"{name}: what a bound device keeps from being done; DeleteVirtualMFADevice"):
            errors.bound(*bound)
        with step(f"{name}: UnbindMFADevice{', DisableVirtualMFA' if is_ims else ''}"):
            errors.unbind()
        with step(
            f"{name}: GetUserMFAInfo, {'GetAccountMFAInfo, ListVirtualMFADevices' if is_ims else 'which answers 404'}"
        ):
            errors.look()
        with step(f"{name}: a user without rights"):
            errors.strangers()


tell(story)
