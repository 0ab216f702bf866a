"""AccessKeys by the API: made, shown once, used, disabled, removed; by the owner and by users for themselves."""

import re
import time

from house import sdks
from house.console import Console
from house.story import holds, same, step, tell

OWNER = ("owner@example.com", "correct horse battery")


def story(server):
    account = server.account("acme", *OWNER)
    key = server.access_key("acme")
    dialects = {
        "RAM, V3": (sdks.ram, "UserName", "alice"),
        "IMS, V1": (lambda api, key: sdks.ims(api, key, sdks.V1), "UserPrincipalName", "bella@acme.countersign.local"),
        "RAM, aliyunsdkcore": (sdks.Legacy, "UserName", "clara"),
    }
    for name, (dialect, parameter, user) in dialects.items():
        with step(f"{name}: the whole life of a user's AccessKeys"):
            life(server, account, (key, dialect), {parameter: user})

    with step("without a user the caller's own keys are meant"):
        ram = sdks.ram(server.api, key)
        same([made["AccessKeyId"] for made in keys(ram)], [key[0]])
        made = ram("CreateAccessKey")["AccessKey"]
        second = (made["AccessKeyId"], made["AccessKeySecret"])
        same(sdks.sts(server.api, second)("GetCallerIdentity")["Arn"], f"acs:ram::{account}:root")
        refused(ram, "LimitExceeded.User.AccessKey", 409, "CreateAccessKey")
        ram("DeleteAccessKey", UserAccessKeyId=second[0])

    with step("a user manages his own keys where the account says so"):
        own_keys(server, ram)


def life(server, account, owner, who):
    key, dialect = owner
    name = next(iter(who.values())).split("@")[0]
    owner = dialect(server.api, key)
    owner("CreateUser", **who, DisplayName=name)
    made = owner("CreateAccessKey", **who)["AccessKey"]
    holds(re.fullmatch("LTAI[A-Za-z0-9]{20}", made["AccessKeyId"]), made["AccessKeyId"])
    holds(re.fullmatch("[A-Za-z0-9]{30}", made["AccessKeySecret"]), "the secret")
    same(made["Status"], "Active")
    first = {**who, "UserAccessKeyId": made["AccessKeyId"]}
    # Never used, and nothing tells the secret again.
    if dialect is not sdks.Legacy:
        same(owner("GetAccessKeyLastUsed", **first)["AccessKeyLastUsed"]["LastUsedDate"], "N/A")
    holds(made["AccessKeySecret"] not in str(owner("ListAccessKeys", **who)), "the list holds the secret")

    user = (made["AccessKeyId"], made["AccessKeySecret"])
    arn = sdks.sts(server.api, user)("GetCallerIdentity")["Arn"]
    same(arn, f"acs:ram::{account}:user/{name}")
    if dialect is not sdks.Legacy:
        used = last_use(owner, first)
        holds(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", used["LastUsedDate"]), used)
        same(used.get("ServiceName"), "Sts" if "UserPrincipalName" in who else None)

    other = owner("CreateAccessKey", **who)["AccessKey"]["AccessKeyId"]
    refused(owner, "LimitExceeded.User.AccessKey", 409, "CreateAccessKey", **who)
    same(sorted(line["AccessKeyId"] for line in keys(owner, **who)), sorted((user[0], other)))
    refused(owner, "DeleteConflict.User.AccessKey", 409, "DeleteUser", **who)

    owner("UpdateAccessKey", **first, Status="Inactive")
    same({line["AccessKeyId"]: line["Status"] for line in keys(owner, **who)}, {user[0]: "Inactive", other: "Active"})
    refused(sdks.sts(server.api, user), "InvalidAccessKeyId.Inactive", 400, "GetCallerIdentity")
    refused(owner, "InvalidParameter.Status", 400, "UpdateAccessKey", **{**first, "Status": "Off"})
    owner("UpdateAccessKey", **first, Status="Active")
    sdks.sts(server.api, user)("GetCallerIdentity")

    console = Console(server.pages)
    console.say_password(*OWNER)
    console.go(f"/ram/users/{name}?tab=access-keys")
    holds(user[0] in console.text and other in console.text, "the console lists them")
    for gone in (user[0], other):
        owner("DeleteAccessKey", **who, UserAccessKeyId=gone)
        refused(owner, "EntityNotExist.User.AccessKey", 404, "DeleteAccessKey", **who, UserAccessKeyId=gone)
        refused(
            owner, "EntityNotExist.User.AccessKey", 404, "UpdateAccessKey", **who, UserAccessKeyId=gone, Status="Active"
        )
    refused(sdks.sts(server.api, user), "InvalidAccessKeyId.NotFound", 404, "GetCallerIdentity")
    refused(
        owner, "EntityNotExist.User.AccessKey", 404, "UpdateAccessKey", **who, UserAccessKeyId=key[0], Status="Inactive"
    )
    same(keys(owner, **who), [])
    owner("DeleteUser", **who)
    refused(owner, "EntityNotExist.User", 404, "ListAccessKeys", **who)


def last_use(owner, key):
    """The last use of a key. It is written after the answer, so it may take a moment."""
    for _ in range(100):
        used = owner("GetAccessKeyLastUsed", **key)["AccessKeyLastUsed"]
        if used["LastUsedDate"] != "N/A":
            break
        time.sleep(0.1)
    return used


def own_keys(server, ram):
    ram("CreateUser", UserName="dana")
    made = ram("CreateAccessKey", UserName="dana")["AccessKey"]
    dana = sdks.ram(server.api, (made["AccessKeyId"], made["AccessKeySecret"]))
    refused(dana, "NoPermission", 403, "ListAccessKeys")
    refused(dana, "NoPermission", 403, "CreateAccessKey")
    ram("SetSecurityPreference", AllowUserToManageAccessKeys=True)
    same([line["AccessKeyId"] for line in keys(dana)], [made["AccessKeyId"]])
    second = dana("CreateAccessKey")["AccessKey"]["AccessKeyId"]
    dana("UpdateAccessKey", UserAccessKeyId=second, Status="Inactive")
    dana("DeleteAccessKey", UserAccessKeyId=second)
    refused(dana, "NoPermission", 403, "CreateAccessKey", UserName="dana2")
    ram("SetSecurityPreference", AllowUserToManageAccessKeys=False)
    refused(dana, "NoPermission", 403, "CreateAccessKey")


def keys(call, **who):
    return call("ListAccessKeys", **who)["AccessKeys"]["AccessKey"]


def refused(call, code, status, action, **parameters):
    refusal = sdks.refused(call, action, **parameters)
    same((refusal.code, refusal.status), (code, status), f"{action} {parameters}")


tell(story)
