"""32 threads at once, each with an SDK of its own: what one was told is so, and nobody undoes what another did."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from house import sdks
from house.phone import Phone
from house.story import same, step, tell

OWNER = ("owner@example.com", "correct horse battery")
THREADS = 32
ROUNDS = 8


class Crowd:
    """As many clients as threads: every other one speaks IMS, every third one V1."""

    def __init__(self, server, account, key):
        self.prefix = f"acs:ram::{account}:mfa/"
        self._clients = []
        for number in range(THREADS):
            signature = sdks.V1 if number % 3 == 0 else sdks.V3
            self._clients.append((sdks.ims if number % 2 else sdks.ram)(server.api, key, signature))
        self.ram, self.ims = sdks.ram(server.api, key), sdks.ims(server.api, key)

    def all(self, act):
        """Every thread acts, all beginning at once: `act(number, client, who)`."""
        barrier = Barrier(THREADS)

        def begin(number):
            barrier.wait()
            return act(number, self._clients[number], self.who if number % 2 == 0 else self.principal)

        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(begin, range(THREADS)))

    @staticmethod
    def who(name):
        return {"UserName": name}

    @staticmethod
    def principal(name):
        return {"UserPrincipalName": f"{name}@acme.countersign.local"}

    def users(self):
        page = self.ram("ListUsers", MaxItems=1000)
        same(page["IsTruncated"], False)
        return [user["UserName"] for user in page["Users"]["User"]]

    def devices(self):
        listed = self.ram("ListVirtualMFADevices")["VirtualMFADevices"]["VirtualMFADevice"]
        return {
            line["SerialNumber"].removeprefix(self.prefix): (line.get("User") or {}).get("UserName") for line in listed
        }

    def counted(self):
        summary = self.ims("GetAccountSummary")["SummaryMap"]
        return summary["Users"], summary["MFADevices"], summary["MFADevicesInUse"]


def outcome(call, action, **parameters):
    """`OK` or the code of the refusal."""
    try:
        call(action, **parameters)
    except sdks.Refused as refused:
        return refused.code
    return "OK"


def story(server):
    account = server.account("acme", *OWNER)
    crowd = Crowd(server, account, server.access_key("acme"))

    with step(f"each makes {ROUNDS} users and devices of its own, and removes every other one"):
        crowd.all(make_and_remove)
        wanted = {f"{number:02}-{round}" for number in range(THREADS) for round in range(1, ROUNDS, 2)}
        same(sorted(crowd.users()), sorted(wanted))
        same(crowd.devices(), dict.fromkeys(wanted))
        same(crowd.counted(), (len(wanted), len(wanted), 0))

    with step("all make one user and one device: one has made it"):
        for action, parameters, taken in named("shared"):
            same(Counter(crowd.all(lambda _, call, who: outcome(call, action, **parameters(who)))), won(taken), action)

    with step("attack_068: all bind one device, each to a user of its own: one has bound it"):
        phone = device(crowd, "one")
        codes = dict(zip(("AuthenticationCode1", "AuthenticationCode2"), phone.two_codes()))
        bind = {"SerialNumber": f"{crowd.prefix}one", **codes}
        bound = crowd.all(lambda number, call, who: outcome(call, "BindMFADevice", **who(f"{number:02}-1"), **bind))
        winner = bound.index("OK")
        same(Counter(bound)["OK"], 1, "BindMFADevice")
        # Whoever looked before it was bound shares the budget of its codes, which many at once use up.
        refused = {"OK", "EntityAlreadyExists.VirtualMFADevice.User", "CheckAuthenticationCodeFail"}
        same(set(bound) - refused, set(), "BindMFADevice")
        same(crowd.devices()["one"], f"{winner:02}-1", "whose it is")
        same(crowd.counted()[2], 1, "bound devices")

    with step("all unbind it: one has unbound it"):
        user = f"{winner:02}-1"
        unbound = crowd.all(lambda _, call, who: outcome(call, "UnbindMFADevice", **who(user)))
        same(Counter(unbound), won("EntityNotExist.User.MFADevice"), "UnbindMFADevice")
        same(crowd.devices()["one"], None, "it is bound to nobody")

    with step("all bind a device of their own to one user: he has one"):
        phones = [device(crowd, f"many-{number}") for number in range(THREADS)]
        bound = crowd.all(
            lambda number, call, who: outcome(call, "BindMFADevice", **who("shared"), **binding(crowd, number, phones))
        )
        same(Counter(bound), won("EntityAlreadyExists.User.MFADevice"), "BindMFADevice")
        same([name for name, user in crowd.devices().items() if user], [f"many-{bound.index('OK')}"])
        crowd.ram("UnbindMFADevice", UserName="shared")

    with step("all remove one user and one device: one has removed it"):
        removals = (
            ("DeleteUser", lambda who: who("shared"), "EntityNotExist.User"),
            (
                "DeleteVirtualMFADevice",
                lambda _: {"SerialNumber": f"{crowd.prefix}shared"},
                "EntityNotExist.VirtualMFADevice",
            ),
        )
        for action, parameters, gone in removals:
            same(Counter(crowd.all(lambda _, call, who: outcome(call, action, **parameters(who)))), won(gone), action)

    with step("all change one user, each another time: what was told last is what stands"):
        crowd.ram("CreateUser", UserName="changed")
        crowd.all(lambda number, call, who: change(number, call, who, crowd))
        found = crowd.ram("GetUser", UserName="changed")["User"]
        same(found["Comments"].split(), [found["DisplayName"]] * 2, "a change is made as a whole")


def make_and_remove(number, call, who):
    for round in range(ROUNDS):
        name = f"{number:02}-{round}"
        call("CreateUser", **who(name), DisplayName=name)
        made = call("CreateVirtualMFADevice", VirtualMFADeviceName=name)["VirtualMFADevice"]
        if round % 2 == 0:
            call("DeleteVirtualMFADevice", SerialNumber=made["SerialNumber"])
            call("DeleteUser", **who(name))


def named(name):
    return (
        ("CreateUser", lambda who: {**who(name), "DisplayName": name}, "EntityAlreadyExists.User"),
        ("CreateVirtualMFADevice", lambda _: {"VirtualMFADeviceName": name}, "EntityAlreadyExists.VirtualMFADevice"),
    )


def won(code):
    """One was first, and all others were told why not."""
    return Counter({"OK": 1, code: THREADS - 1})


def device(crowd, name):
    made = crowd.ram("CreateVirtualMFADevice", VirtualMFADeviceName=name)["VirtualMFADevice"]
    return Phone.typed(made["Base32StringSeed"])


def binding(crowd, number, phones):
    first, second = phones[number].two_codes()
    return {"SerialNumber": f"{crowd.prefix}many-{number}", "AuthenticationCode1": first, "AuthenticationCode2": second}


def change(number, call, who, crowd):
    key = who("changed")
    for round in range(4):
        name = f"n{number}r{round}"
        call("UpdateUser", **key, NewDisplayName=name, NewComments=f"{name} {name}")


tell(story)
