"""Groups and policies by the API, told in the words of three SDKs: what is attached to a group its members may from the
next call on, each with an AccessKey of his own, and no longer when it is detached."""

import json

from house import sdks
from house.console import Console
from house.story import holds, same, step, tell

OWNER = ("owner@example.com", "correct horse battery")
ROTATE = "DeleteOldestNonDefaultVersionWhenLimitExceeded"


def document(effect, *actions):
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "1", "Statement": [statement]})


LOOK = document("Allow", "ram:ListUsers", "ram:GetGroup")
NOTHING = document("Deny", "ram:ListUsers")
# As long as a policy may be.
LONG = document("Allow", *(f"oss:Get{number:04}" for number in range(400))).ljust(6144)


def story(server):
    server.account("acme", *OWNER)
    key = server.access_key("acme")
    dialects = {
        "v3": lambda key: sdks.ram(server.api, key),
        "v1": lambda key: sdks.ram(server.api, key, sdks.V1),
        "legacy": lambda key: sdks.Legacy(server.api, key),
    }
    for name, dialect in dialects.items():
        Team(server, dialect, key, name).tell()
    with step("IMS: the same groups with users in full"):
        groups_in_ims(sdks.ims(server.api, key), sdks.ram(server.api, key))
    with step("the account's numbers and limits"):
        numbers(sdks.ims(server.api, key), sdks.ram(server.api, key))


class Team:
    """A group, its policy and its one member in the words of one SDK."""

    def __init__(self, server, dialect, key, name):
        self.server, self.dialect, self.owner = server, dialect, dialect(key)
        self.group, self.policy, self.user = f"{name}-team", f"{name}-look", f"{name}-user"
        self.of_group, self.of_user = {"GroupName": self.group}, {"UserName": self.user}
        self.of_policy = {"PolicyName": self.policy, "PolicyType": "Custom"}
        self.custom = {"PolicyName": self.policy}

    def tell(self):
        """From the first day to the last."""
        with step(f"{self.group}: a user with an AccessKey may not list users"):
            self.owner("CreateUser", **self.of_user)
            made = self.owner("CreateAccessKey", **self.of_user)["AccessKey"]
            self.member = self.dialect((made["AccessKeyId"], made["AccessKeySecret"]))
            self.may(False)
        with step("p01, p02: by a policy attached to a group the user is in it is allowed"):
            self.granted()
        with step("p03: the version that counts decides; there are five, and the oldest other one makes room"):
            self.versions()
        with step("a policy as long as one may be comes through; a longer one does not"):
            self.long()
        with step("what is attached is listed, and the console shows the same"):
            self.listed()
        with step("what something hangs on is not removed"):
            self.conflicts()
        with step("detached, it is refused from the next call on; then all goes"):
            self.gone(made["AccessKeyId"])

    def may(self, allowed):
        """Whether the member may list users, with a key of his own."""
        if allowed:
            holds(self.member("ListUsers")["Users"]["User"], "nobody is listed")
        else:
            refused(self.member, "NoPermission", 403, "ListUsers")

    def granted(self):
        made = self.owner("CreateGroup", **self.of_group, Comments="with a + and 汉字")["Group"]
        changed = self.owner("UpdateGroup", **self.of_group, NewComments="a team")["Group"]
        same((changed["GroupId"], changed["Comments"]), (made["GroupId"], "a team"))
        words = {"Description": "looks, and + no more", "PolicyDocument": LOOK}
        made = self.owner("CreatePolicy", **self.custom, **words)["Policy"]
        same((made["PolicyType"], made["DefaultVersion"], made["Description"]), ("Custom", "v1", words["Description"]))
        same(self.owner("GetPolicy", **self.of_policy)["DefaultPolicyVersion"]["PolicyDocument"], LOOK)
        self.owner("AttachPolicyToGroup", **self.of_group, **self.of_policy)
        self.may(False)
        self.owner("AddUserToGroup", **self.of_group, **self.of_user)
        self.may(True)
        same(self.member("GetGroup", **self.of_group)["Group"]["GroupName"], self.group)
        refused(self.member, "NoPermission", 403, "DeleteGroup", **self.of_group)
        refused(self.member, "NoPermission", 403, "GetPolicy", **self.of_policy)

    def versions(self):
        made = self.owner("CreatePolicyVersion", **self.custom, PolicyDocument=NOTHING, SetAsDefault=False)
        same((made["PolicyVersion"]["VersionId"], made["PolicyVersion"]["IsDefaultVersion"]), ("v2", False))
        self.may(True)
        self.owner("SetDefaultPolicyVersion", **self.custom, VersionId="v2")
        self.may(False)
        self.owner("SetDefaultPolicyVersion", **self.custom, VersionId="v1")
        self.may(True)
        self.owner("CreatePolicyVersion", **self.custom, PolicyDocument=NOTHING, SetAsDefault=True)
        self.may(False)
        self.owner("SetDefaultPolicyVersion", **self.custom, VersionId="v1")
        for _ in range(2):
            self.owner("CreatePolicyVersion", **self.custom, PolicyDocument=LOOK)
        again = {**self.custom, "PolicyDocument": LOOK}
        refused(self.owner, "LimitExceeded.Policy.Version", 409, "CreatePolicyVersion", **again)
        self.owner("CreatePolicyVersion", **again, RotateStrategy=ROTATE)
        versions = self.owner("ListPolicyVersions", **self.of_policy)["PolicyVersions"]["PolicyVersion"]
        same([version["VersionId"] for version in versions], ["v6", "v5", "v4", "v3", "v1"])
        same([version["VersionId"] for version in versions if version["IsDefaultVersion"]], ["v1"])
        found = self.owner("GetPolicyVersion", **self.of_policy, VersionId="v3")["PolicyVersion"]
        same(json.loads(found["PolicyDocument"]), json.loads(NOTHING))
        default = {**self.custom, "VersionId": "v1"}
        refused(self.owner, "DeleteConflict.Policy.Version.Default", 409, "DeletePolicyVersion", **default)
        self.may(True)

    def long(self):
        named = {"PolicyName": f"{self.policy}-long"}
        self.owner("CreatePolicy", **named, PolicyDocument=LONG)
        found = self.owner("GetPolicy", **named, PolicyType="Custom")["DefaultPolicyVersion"]["PolicyDocument"]
        same(found, LONG)
        longer = {**named, "PolicyDocument": LONG + " "}
        refused(self.owner, "InvalidParameter.PolicyDocument.Length", 400, "CreatePolicyVersion", **longer)
        self.owner("DeletePolicy", **named)

    def listed(self):
        self.owner("AttachPolicyToUser", **self.of_user, PolicyName="AliyunRAMReadOnlyAccess", PolicyType="System")
        entities = self.owner("ListEntitiesForPolicy", **self.of_policy)
        same([group["GroupName"] for group in entities["Groups"]["Group"]], [self.group])
        same(entities["Users"]["User"], [])
        system = self.owner("ListEntitiesForPolicy", PolicyName="AliyunRAMReadOnlyAccess", PolicyType="System")
        same([user["UserName"] for user in system["Users"]["User"]], [self.user])
        of_group = self.owner("ListPoliciesForGroup", **self.of_group)["Policies"]["Policy"]
        same([(line["PolicyName"], line["DefaultVersion"]) for line in of_group], [(self.policy, "v1")])
        of_user = self.owner("ListPoliciesForUser", **self.of_user)["Policies"]["Policy"]
        same([line["PolicyName"] for line in of_user], ["AliyunRAMReadOnlyAccess"])
        joined = self.owner("ListGroupsForUser", **self.of_user)["Groups"]["Group"]
        same([line["GroupName"] for line in joined], [self.group])
        members = self.owner("ListUsersForGroup", **self.of_group)["Users"]["User"]
        same([line["UserName"] for line in members], [self.user])
        found = self.owner("ListPolicies", PolicyType="Custom", MaxItems=1000)["Policies"]["Policy"]
        counts = {line["PolicyName"]: line["AttachmentCount"] for line in found}
        same(counts[self.policy], 1)
        console = Console(self.server.pages)
        console.say_password(*OWNER)
        console.go(f"/ram/groups/{self.group}")
        holds(self.policy in console.text, "the console shows the policy of the group")
        console.go(f"/ram/policies/{self.policy}")
        holds(self.group in console.text and "v6" in console.text, "the console shows whom it is attached to")
        self.owner("DetachPolicyFromUser", **self.of_user, PolicyName="AliyunRAMReadOnlyAccess", PolicyType="System")

    def conflicts(self):
        attached = {**self.of_group, **self.of_policy}
        refused(self.owner, "EntityAlreadyExists.Group.Policy", 409, "AttachPolicyToGroup", **attached)
        refused(self.owner, "EntityAlreadyExists.User.Group", 409, "AddUserToGroup", **self.of_group, **self.of_user)
        refused(self.owner, "EntityAlreadyExists.Policy", 409, "CreatePolicy", **self.custom, PolicyDocument=LOOK)
        refused(self.owner, "EntityAlreadyExists.Group", 409, "CreateGroup", **self.of_group)
        refused(self.owner, "DeleteConflict.Policy.Group", 409, "DeletePolicy", **self.custom, CascadingDelete=True)
        refused(self.owner, "DeleteConflict.Group.User", 409, "DeleteGroup", **self.of_group)
        broken = {**self.custom, "PolicyDocument": LOOK.replace("ram:ListUsers", "everything")}
        refusal = refused(self.owner, "MalformedPolicyDocument", 400, "CreatePolicyVersion", **broken)
        holds("Statement[0].Action[0]" in refusal.message, refusal.message)

    def gone(self, access_key):
        self.owner("DetachPolicyFromGroup", **self.of_group, **self.of_policy)
        self.may(False)
        refused(
            self.owner, "EntityNotExist.Group.Policy", 404, "DetachPolicyFromGroup", **self.of_group, **self.of_policy
        )
        self.owner("DeleteAccessKey", **self.of_user, UserAccessKeyId=access_key)
        refused(self.owner, "DeleteConflict.User.Group", 409, "DeleteUser", **self.of_user)
        self.owner("RemoveUserFromGroup", **self.of_group, **self.of_user)
        self.owner("DeleteUser", **self.of_user)
        self.owner("DeleteGroup", **self.of_group)
        refused(self.owner, "DeleteConflict.Policy.Version", 409, "DeletePolicy", **self.custom)
        self.owner("DeletePolicy", **self.custom, CascadingDelete=True)
        refused(self.owner, "EntityNotExist.Policy", 404, "GetPolicy", **self.of_policy)
        refused(self.owner, "EntityNotExist.Group", 404, "GetGroup", **self.of_group)


def groups_in_ims(ims, ram):
    group, alice = {"GroupName": "both"}, {"UserPrincipalName": "alice@acme.countersign.local"}
    made = ims("CreateGroup", **group, Comments="seen from both sides")["Group"]
    same(ram("GetGroup", **group)["Group"]["GroupId"], made["GroupId"])
    ram("CreateUser", UserName="alice", DisplayName="Alice")
    ims("AddUserToGroup", **group, **alice)
    (member,) = ims("ListUsersForGroup", **group)["Users"]["User"]
    same((member["UserPrincipalName"], member["DisplayName"]), (alice["UserPrincipalName"], "Alice"))
    same([line["GroupName"] for line in ims("ListGroupsForUser", **alice)["Groups"]["Group"]], ["both"])
    ims("UpdateGroup", **group, NewGroupName="renamed")
    same([line["GroupName"] for line in ims("ListGroups")["Groups"]["Group"]], ["renamed"])
    ims("RemoveUserFromGroup", GroupName="renamed", **alice)
    refused(ims, "EntityNotExist.User.Group", 404, "RemoveUserFromGroup", GroupName="renamed", **alice)
    ims("DeleteGroup", GroupName="renamed")
    same(ram("ListGroups")["Groups"]["Group"], [])


def numbers(ims, ram):
    ram("CreateGroup", GroupName="counted")
    ram("CreatePolicy", PolicyName="counted", PolicyDocument=LOOK)
    numbers = ims("GetAccountSummary")["SummaryMap"]
    same((numbers["Groups"], numbers["Policies"], numbers["Users"]), (1, 1, 1))
    same((numbers["GroupsQuota"], numbers["GroupsPerUserQuota"], numbers["PoliciesQuota"]), (300, 10, 1500))
    same((numbers["PolicySizeQuota"], numbers["VersionsPerPolicyQuota"]), (6144, 5))
    same((numbers["AttachedPoliciesPerUserQuota"], numbers["AttachedSystemPoliciesPerGroupQuota"]), (10, 20))


def refused(call, code, status, action, **parameters):
    refusal = sdks.refused(call, action, **parameters)
    same((refusal.code, refusal.status), (code, status), f"{action} {parameters}")
    return refusal


tell(story)
