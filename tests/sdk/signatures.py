"""Signatures, as the official SDKs make them: who is called, what is refused, and in which words."""

import json
from unittest import mock

from alibabacloud_tea_openapi.utils import Utils
from aliyunsdkcore.utils import parameter_helper

from house import sdks
from house.story import holds, same, step, tell
from house.wire import Wire

OWNER = ("owner@example.com", "correct horse battery")
EARLY, LATE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
NOT_FOUND = ("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.")
INACTIVE = ("InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled.")
EXPIRED = ("InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired.")
USED = ("SignatureNonceUsed", 400, "Specified signature nonce was used already.")


def story(server):
    account = server.account("acme", *OWNER)
    key = server.access_key("acme")
    spare = server.access_key("acme")
    wire = Wire(server.api)
    dialects = {
        "V3": lambda key: sdks.ram(wire.api, key),
        "V1": lambda key: sdks.ram(wire.api, key, sdks.V1),
        "V1 of aliyunsdkcore": lambda key: sdks.Legacy(wire.api, key),
    }

    with step("each SDK signs as it says it does"):
        for name, client in dialects.items():
            client(key)("ListUsers")
            request = wire.requests[-1]
            same(b"ACS3-HMAC-SHA256 Credential=" in request, name == "V3", name)
            same(b"SignatureMethod=HMAC-SHA1" in request, name != "V3", name)

    with step("GetCallerIdentity tells the owner and a user apart, by V1 and V3"):
        callers(server, account, key)

    for name, client in dialects.items():
        with step(f"C36: {name}: an unknown key, a wrong secret, a key that is disabled and enabled again"):
            wrong_keys(client, key, spare)
        with step(f"attack_118: {name}: a copy of a call is refused, whatever it asked for"):
            replayed(wire, client(key))
        with step(f"attack_118: {name}: whatever is changed on the way breaks the signature"):
            changed(wire, client(key), name)

    with step("calls that were signed long ago or for later are refused"):
        for signed_at in (EARLY, LATE):
            with mock.patch.object(Utils, "get_timestamp", return_value=signed_at):
                for signature in (sdks.V1, sdks.V3):
                    refusal(sdks.ram(server.api, key, signature), EXPIRED)
            with mock.patch.object(parameter_helper, "get_iso_8061_date", return_value=signed_at):
                refusal(sdks.Legacy(server.api, key), EXPIRED)

    with step("what is not built is not there, by any signature"):
        for signature in (sdks.V1, sdks.V3):
            call = sdks.ram(server.api, key, signature)
            refused = sdks.refused(call, "CreateRole", RoleName="r", AssumeRolePolicyDocument="{}")
            same((refused.code, refused.status), ("InvalidAction.NotFound", 404))
    wire.close()


def callers(server, account, key):
    ram = sdks.ram(server.api, key)
    user = ram("CreateUser", UserName="alice")["User"]
    made = ram("CreateAccessKey", UserName="alice")["AccessKey"]
    of_user = (made["AccessKeyId"], made["AccessKeySecret"])
    for signature in (sdks.V1, sdks.V3):
        owner = sdks.sts(server.api, key, signature)("GetCallerIdentity")
        owner.pop("RequestId")
        same(
            {name: owner[name] for name in ("AccountId", "Arn", "IdentityType")},
            {"AccountId": account, "Arn": f"acs:ram::{account}:root", "IdentityType": "Account"},
            "the owner",
        )
        found = sdks.sts(server.api, of_user, signature)("GetCallerIdentity")
        wanted = {
            "AccountId": account,
            "Arn": f"acs:ram::{account}:user/alice",
            "IdentityType": "RAMUser",
            "UserId": user["UserId"],
        }
        same({name: found[name] for name in wanted}, wanted, "a user")
        # She may nothing but that.
        refused = sdks.refused(sdks.ram(server.api, of_user, signature), "ListUsers")
        same((refused.code, refused.status), ("NoPermission", 403), "a plain user")


def wrong_keys(client, key, spare):
    refusal(client(("LTAI" + "x" * 20, key[1])), NOT_FOUND)
    wrong = sdks.refused(client((key[0], spare[1])), "ListUsers")
    # aliyunsdkcore found its own string to sign in the message, and concludes what is wrong.
    concluded = isinstance(client(key), sdks.Legacy)
    same((wrong.code, wrong.status), ("InvalidAccessKeySecret" if concluded else "SignatureDoesNotMatch", 400))
    ram, found = client(key), client(spare)
    found("ListUsers")
    ram("UpdateAccessKey", UserAccessKeyId=spare[0], Status="Inactive")
    refusal(found, INACTIVE)
    wrong = sdks.refused(client((spare[0], key[1])), "ListUsers")
    same(
        wrong.code,
        "InvalidAccessKeySecret" if concluded else "SignatureDoesNotMatch",
        "who has not the secret learns nothing",
    )
    ram("UpdateAccessKey", UserAccessKeyId=spare[0], Status="Active")
    found("ListUsers")


def replayed(wire, call):
    for action, parameters in (
        ("ListUsers", {}),
        ("CreateUser", {"UserName": "copied"}),
        ("DeleteUser", {"UserName": "copied"}),
    ):
        call(action, **parameters)
        answered(wire.send(wire.requests[-1]), USED)


def changed(wire, call, name):
    call("GetUser", UserName="alice")
    request = wire.requests[-1]
    changes = {"a parameter": (b"UserName=alice", b"UserName=alicf"), "the method": (b"POST /", b"GET /")}
    if name == "V3":
        changes |= {"the host": (b"Host: 127.0.0.1", b"Host: 127.0.0.2"), "a header": (b"ser-agent: ", b"ser-agent: X")}
    for what, (part, other) in changes.items():
        found = part if part in request else part.lower()
        holds(found in request, f"{what} is in the request: {request}")
        status, _, body = wire.send(request.replace(found, other, 1))
        same((status, json.loads(body)["Code"]), (400, "SignatureDoesNotMatch"), what)
    status, _, body = wire.send(with_form(request, b"NewComments=x"))
    # V3 signs the hash of the body, which is compared first.
    code = "IncompleteSignature" if name == "V3" else "SignatureDoesNotMatch"
    same((status, json.loads(body)["Code"]), (400, code), "a body that was not signed")
    # None of that has spent the nonce; the call itself did, when it was made.
    answered(wire.send(request), USED)


def with_form(request, form):
    """The request with this body in place of its own."""
    head = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    head = [line for line in head if not line.lower().startswith((b"content-length:", b"content-type:"))]
    head += [b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: %d" % len(form)]
    return b"\r\n".join(head) + b"\r\n\r\n" + form


def refusal(call, wanted):
    refused = sdks.refused(call, "ListUsers")
    same((refused.code, refused.status, refused.message), wanted)


def answered(answer, wanted):
    """An answer off the wire: its code, its status, and the shape that all errors have."""
    status, headers, body = answer
    error = json.loads(body)
    same((error["Code"], status, error["Message"]), wanted)
    same(sorted(error), ["Code", "HostId", "Message", "Recommend", "RequestId"])
    same(headers["Content-Type"], "application/json;charset=utf-8")
    same(headers["x-acs-request-id"], error["RequestId"])


tell(story)
