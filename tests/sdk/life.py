"""The whole life of a user and of his device, told three times: by the present RAM SDK (V3), by the present IMS SDK
(V1), and by the SDK before them (V1). What one door does the other shows at once."""

from house import sdks
from house.console import Console
from house.phone import Phone
from house.story import holds, same, step, tell

OWNER = ("owner@example.com", "correct horse battery")
PASSWORD = "a wall of green ivy"
GONE = {
    "GetUser": ("EntityNotExist.User", 404),
    "GetLoginProfile": ("EntityNotExist.User.LoginProfile", 404),
    "GetUserMFAInfo": ("EntityNotExist.User.MFADevice", 404),
}


class Life:
    """One user in the words of one SDK."""

    def __init__(self, server, account, call, name, by_principal_name):
        self.server, self.call, self.name = server, call, name
        self.logon_name = f"{name}@acme.countersign.local"
        self.who = {"UserPrincipalName": self.logon_name} if by_principal_name else {"UserName": name}
        self.is_ims = by_principal_name
        self.serial = f"acs:ram::{account}:mfa/{name}-phone"

    def tell(self):
        """From the first day to the last."""
        with step(f"{self.name}: a user is created and gets a password"):
            self.born()
        with step("V12: a device is created; its QR code and its key say the same"):
            phone = self.device()
        with step("a password alone opens the console"):
            console = self.console()
            same(console.say_password(self.logon_name, PASSWORD), "/me/security", "no factor yet")
        with step("V12: two consecutive codes bind it; the open session ends, and the console asks for a code"):
            self.bind(phone, console)
        with step("GetUserMFAInfo and the list tell of it"):
            same(self.mfa()["MFADevice"], {"SerialNumber": self.serial, "Type": "VMFA"}, "GetUserMFAInfo")
            self.listed(bound=True)
        with step("unbound by the API, the console knows it at once; the device stays"):
            self.unbind(console)
        with step("bound in the console, the API knows it at once; unbound there by the owner, likewise"):
            self.bind_in_the_console(console)
        with step("device, login profile and user go; what is gone answers 404"):
            self.gone(console)

    def born(self):
        created = self.call(
            "CreateUser", **self.who, DisplayName=self.name.title(), Comments="with a + and a / and 汉字"
        )
        found = self.call("GetUser", **self.who)["User"]
        for key, value in {
            **self.who,
            "Comments": "with a + and a / and 汉字",
            "UserId": created["User"]["UserId"],
        }.items():
            same(found[key], value, key)
        profile = {**self.who, "Password": PASSWORD, "PasswordResetRequired": False, "MFABindRequired": False}
        made = self.call("CreateLoginProfile", **profile)["LoginProfile"]
        same((made["MFABindRequired"], made["PasswordResetRequired"]), (False, False), "CreateLoginProfile")

    def device(self):
        made = self.call("CreateVirtualMFADevice", VirtualMFADeviceName=f"{self.name}-phone")["VirtualMFADevice"]
        same(made["SerialNumber"], self.serial, "the serial number")
        phone = Phone.scan(made["QRCodePNG"])
        same(phone.key, made["Base32StringSeed"], "QR code and key")
        holds(f"{self.name}-phone" in phone.account, f"the app shows {phone.account}")
        self.listed(bound=False)
        self.refused("GetUserMFAInfo")
        return phone

    def bind(self, phone, console):
        first, second = phone.two_codes()
        codes = {"AuthenticationCode1": first, "AuthenticationCode2": second}
        self.call("BindMFADevice", **self.who, SerialNumber=self.serial, **codes)
        same(console.go("/me/security"), "/", "the session from before")
        same(console.say_password(self.logon_name, PASSWORD), "/logon/second-factor", "after the password")
        same(console.send("/logon/second-factor", code=second), "/logon/second-factor", "a code that is spent")
        same(console.send("/logon/second-factor", code=phone.next_code()), "/me/security", "a fresh code")
        holds(self.serial in console.text, "the page shows the serial number")

    def unbind(self, console):
        same(self.call("UnbindMFADevice", **self.who)["MFADevice"]["SerialNumber"], self.serial, "UnbindMFADevice")
        self.refused("GetUserMFAInfo")
        self.listed(bound=False)
        same(console.go("/me/security"), "/", "the session from before")
        same(console.say_password(self.logon_name, PASSWORD), "/me/security", "no factor any more")
        holds(self.serial not in console.text, "the page shows no device")

    def bind_in_the_console(self, console):
        console.go("/me/security/virtual-mfa/verify")
        same(
            console.send("/me/security/virtual-mfa/verify", method="password", password=PASSWORD),
            "/me/security/virtual-mfa/bind",
        )
        phone = Phone.typed(console.value_of("setup-key"))
        same(console.send("/me/security/virtual-mfa/bind", code=phone.code()), "/me/security/recovery-codes", "bound")
        device = self.mfa()["MFADevice"]
        same(device["Type"], "VMFA", "GetUserMFAInfo")
        holds(device["SerialNumber"] != self.serial, "it is another device")
        owner = self.console()
        same(owner.say_password(*OWNER), "/account/welcome", "the owner logs on")
        unbind = f"/ram/users/{self.name}/virtual-mfa/unbind"
        owner.go(unbind)
        holds(device["SerialNumber"] in owner.text, "the owner sees which device it is")
        same(owner.send(unbind), f"/ram/users/{self.name}", "the owner unbinds")
        self.refused("GetUserMFAInfo")

    def gone(self, console):
        self.call("DeleteVirtualMFADevice", SerialNumber=self.serial)
        same(self.devices(), [], "the devices that are left")
        self.call("DeleteLoginProfile", **self.who)
        self.refused("GetLoginProfile")
        same(console.say_password(self.logon_name, PASSWORD), "/logon/password", "a user without a login profile")
        self.call("DeleteUser", **self.who)
        self.refused("GetUser")

    def mfa(self):
        info = self.call("GetUserMFAInfo", **self.who)
        same(info.get("IsMFAEnable"), True if self.is_ims else None, "IsMFAEnable")
        return info

    def devices(self):
        return self.call("ListVirtualMFADevices")["VirtualMFADevices"]["VirtualMFADevice"]

    def listed(self, bound):
        (line,) = self.devices()
        same(line["SerialNumber"], self.serial, "the one device of the list")
        same((line.get("User") or {}), line.get("User") if bound else {}, "an unbound device has no user")
        same("ActivateDate" in line, bound, "ActivateDate")
        if bound:
            key, value = next(iter(self.who.items()))
            same(line["User"][key], value, "its user")

    def refused(self, action):
        """The user has none: 404; but IMS says so of devices in a field."""
        if self.is_ims and action == "GetUserMFAInfo":
            same(self.call(action, **self.who)["IsMFAEnable"], False, "IsMFAEnable")
            return
        refusal = sdks.refused(self.call, action, **self.who)
        same((refusal.code, refusal.status), GONE[action], action)

    def console(self):
        return Console(self.server.pages)


def story(server):
    account = server.account("acme", *OWNER)
    key = server.access_key("acme")
    Life(server, account, sdks.ram(server.api, key), "alice", by_principal_name=False).tell()
    Life(server, account, sdks.ims(server.api, key, sdks.V1), "bella", by_principal_name=True).tell()
    Life(server, account, sdks.Legacy(server.api, key), "clara", by_principal_name=False).tell()


tell(story)
